#include "symbolizer/request.h"

#include "base/cleanup.h"

#include <string.h>

int module_entry_new(uint32_t number, uint32_t handle, int fd, const char *path, pid_t pid,
                     struct module_entry **ret_entry)
{
    OWNED_FD int owned = fd;
    struct module_entry *entry = calloc(1, sizeof(*entry));
    char *copy = strdup(path);
    if (!entry || !copy) {
        free(entry);
        free(copy);
        return -ENOMEM;
    }
    *entry = (struct module_entry){
        .number = number, .handle = handle, .fd = take_fd(&owned), .path = copy, .pid = pid};
    *ret_entry = entry;
    return 0;
}

void module_entry_free(struct module_entry *entry)
{
    cleanup_fd(&entry->fd);
    free(entry->path);
    free(entry);
}

int request_new(enum wire_type type, struct module_entry *entry, const uint64_t *addresses, uint32_t count,
                struct request **ret_request)
{
    struct request *request = calloc(1, sizeof(*request) + count * sizeof(*addresses));
    if (!request)
        return -ENOMEM;
    request->type = type;
    request->entry = entry;
    request->count = count;
    if (count)
        memcpy(request->addresses, addresses, count * sizeof(*addresses));
    *ret_request = request;
    return 0;
}

size_t request_questions(const struct request *request)
{
    if (request->internal)
        return 0;
    return request->type == WIRE_RESOLVE ? request->count - request->answered : 1;
}

static unsigned queue_of(const struct request *request)
{
    if (request->type == WIRE_RESOLVE || request->type == WIRE_CLOSE)
        return 2;
    return request->type == WIRE_OPEN ? 0 : 1;
}

void request_queue_release(struct request_queue *queue)
{
    struct request *request;
    while ((request = request_queue_pop(queue)))
        free(request);
}

void request_queue_push(struct request_queue *queue, struct request *request)
{
    unsigned i = queue_of(request);
    request->next = NULL;
    if (queue->last[i])
        queue->last[i]->next = request;
    else
        queue->first[i] = request;
    queue->last[i] = request;
}

void request_queue_push_front(struct request_queue *queue, struct request *request)
{
    unsigned i = queue_of(request);
    request->next = queue->first[i];
    queue->first[i] = request;
    if (!queue->last[i])
        queue->last[i] = request;
}

struct request *request_queue_pop(struct request_queue *queue)
{
    for (unsigned i = 0; i < REQUEST_QUEUES; i++) {
        struct request *request = queue->first[i];
        if (!request)
            continue;
        queue->first[i] = request->next;
        if (!request->next)
            queue->last[i] = NULL;
        return request;
    }
    return NULL;
}
