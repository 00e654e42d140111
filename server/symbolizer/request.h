/* What the symbolizer has been asked and has not answered: a queue of requests, tables before addresses. */
#ifndef RSPROF_SYMBOLIZER_REQUEST_H
#define RSPROF_SYMBOLIZER_REQUEST_H

#include "symbolizer/wire.h"

#include <stdbool.h>
#include <sys/types.h>

/* A module as its owner knows it. Requests hold a reference, so that closing it does not pull it from under
 * them. */
struct module_entry {
    unsigned references;
    uint32_t number; /* the owner's */
    uint32_t handle; /* unique: what the child knows it by */
    int fd;          /* owned; for opening it again in a new child */
    char *path;
    pid_t pid;
    bool in_child;   /* the child that lives now has it open */
    bool closed;     /* its owner wants no answers any more */
    bool given_up;   /* killed the child twice, or could not be opened */
    unsigned deaths; /* of children while working on it */
};

/* Takes `fd`, also on failure. −ENOMEM. */
int module_entry_new(uint32_t number, uint32_t handle, int fd, const char *path, pid_t pid,
                     struct module_entry **ret_entry);
struct module_entry *module_entry_ref(struct module_entry *entry);
void module_entry_unref(struct module_entry *entry);

struct request {
    struct request *next;
    enum wire_type type;        /* WIRE_OPEN, WIRE_CLOSE, WIRE_RESOLVE, WIRE_UNWIND or WIRE_SCAN */
    struct module_entry *entry; /* a reference */
    bool internal;              /* nobody waits for the answer */
    uint32_t count, answered;   /* of addresses */
    uint64_t addresses[];
};

/* `addresses` NULL with a count of 0 for the other types. −ENOMEM. */
int request_new(enum wire_type type, struct module_entry *entry, const uint64_t *addresses, uint32_t count,
                struct request **ret_request);
void request_free(struct request *request);

/* How many questions of the owner it stands for that have no answer yet. */
size_t request_questions(const struct request *request);

enum { REQUEST_QUEUES = 3 }; /* modules, tables, addresses: the first that is not empty goes first */

struct request_queue {
    struct request *first[REQUEST_QUEUES], *last[REQUEST_QUEUES];
};

void request_queue_release(struct request_queue *queue);
void request_queue_push(struct request_queue *queue, struct request *request);
void request_queue_push_front(struct request_queue *queue, struct request *request);

/* The next request, the caller's; NULL if there is none. */
struct request *request_queue_pop(struct request_queue *queue);

/* Frees the requests of a module, but for WIRE_CLOSE. Returns how many questions they stood for. */
size_t request_queue_drop(struct request_queue *queue, const struct module_entry *entry);

#endif
