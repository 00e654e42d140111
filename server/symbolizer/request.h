/* What the symbolizer has been asked and has not answered: a queue of requests, tables before addresses. */
#ifndef RSPROF_SYMBOLIZER_REQUEST_H
#define RSPROF_SYMBOLIZER_REQUEST_H

#include "symbolizer/wire.h"

#include <stdbool.h>
#include <sys/types.h>

/* A module as its owner knows it; outlives all requests about it. */
struct module_entry {
    uint32_t number; /* the owner's */
    uint32_t handle; /* unique: what the child knows it by */
    int fd;          /* owned; for opening it again in a new child */
    char *path;
    pid_t pid;
    bool in_child;   /* the child that lives now has it open */
    bool given_up;   /* killed the child twice, or could not be opened */
    unsigned deaths; /* of children while working on it */
};

/* Takes `fd`, also on failure. −ENOMEM. */
int module_entry_new(uint32_t number, uint32_t handle, int fd, const char *path, pid_t pid,
                     struct module_entry **ret_entry);
void module_entry_free(struct module_entry *entry);

struct request {
    struct request *next;
    enum wire_type type; /* WIRE_OPEN, WIRE_CLOSE, WIRE_RESOLVE, WIRE_UNWIND or WIRE_SCAN */
    struct module_entry *entry;
    bool internal;            /* nobody waits for the answer */
    uint32_t count, answered; /* of addresses */
    uint64_t addresses[];
};

/* `addresses` NULL with a count of 0 for the other types. `*ret_request` is the caller's to free(). −ENOMEM.
 */
int request_new(enum wire_type type, struct module_entry *entry, const uint64_t *addresses, uint32_t count,
                struct request **ret_request);

/* How many questions of the owner it stands for that have no answer yet. */
size_t request_questions(const struct request *request);

/* Modules to open; tables; addresses, and modules to close after them: the first that is not empty goes
 * first. */
enum { REQUEST_QUEUES = 3 };

struct request_queue {
    struct request *first[REQUEST_QUEUES], *last[REQUEST_QUEUES];
};

void request_queue_release(struct request_queue *queue);
void request_queue_push(struct request_queue *queue, struct request *request);
void request_queue_push_front(struct request_queue *queue, struct request *request);

/* The next request, the caller's; NULL if there is none. */
struct request *request_queue_pop(struct request_queue *queue);

#endif
