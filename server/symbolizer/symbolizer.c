#include "symbolizer/symbolizer.h"

#include "base/clock.h"
#include "base/cleanup.h"
#include "symbolizer/child.h"
#include "symbolizer/symbolizer_internal.h"

#include <poll.h>
#include <string.h>

#define ANSWER_LIMIT_NS (20 * NS_PER_SEC)
#define DEATHS_MAX      2u /* of children, then a module is given up */
#define FRUITLESS_MAX   3  /* children that die without an answer, then all is given up */
#define MESSAGES_A_WAKE 32 /* so that a talkative child does not hold the loop */

static void on_kick(void *userdata);
static void on_limit(void *userdata);
static void on_readable(void *userdata, int events);

static int kick(struct symbolizer *symbolizer)
{
    if (symbolizer->current || symbolizer->kick.watcher)
        return 0;
    return loop_timer_start(symbolizer->loop, &symbolizer->kick, 0, 0, on_kick, symbolizer);
}

static int start_child(struct symbolizer *symbolizer)
{
    int r = child_start(&symbolizer->child, &symbolizer->socket);
    if (r < 0)
        return r;
    r = loop_io_start(symbolizer->loop, &symbolizer->io, symbolizer->socket, LOOP_READABLE, on_readable,
                      symbolizer);
    if (r == 0)
        return 0;
    child_stop(symbolizer->child);
    symbolizer->child = 0;
    cleanup_fd(&symbolizer->socket);
    symbolizer->socket = -1;
    return r;
}

static void stop_child(struct symbolizer *symbolizer)
{
    struct module_entry *entry;
    uint64_t number, value;
    loop_io_stop(&symbolizer->io);
    loop_event_stop(&symbolizer->limit);
    if (symbolizer->child)
        child_stop(symbolizer->child);
    symbolizer->child = 0;
    cleanup_fd(&symbolizer->socket);
    symbolizer->socket = -1;
    for (size_t cursor = 0; map_next(&symbolizer->entries, &cursor, &number, &value);) {
        entry = (struct module_entry *)(uintptr_t)value;
        entry->in_child = false;
    }
}

int symbolizer_new(struct loop *loop, const struct symbolizer_observer *observer, void *userdata,
                   struct symbolizer **ret_symbolizer)
{
    struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
    if (!symbolizer)
        return -ENOMEM;
    symbolizer->loop = loop;
    symbolizer->observer = *observer;
    symbolizer->userdata = userdata;
    symbolizer->socket = -1;
    symbolizer->answer_limit_ns = ANSWER_LIMIT_NS;
    int r = start_child(symbolizer);
    if (r < 0) {
        symbolizer_free(symbolizer);
        return r;
    }
    *ret_symbolizer = symbolizer;
    return 0;
}

void symbolizer_free(struct symbolizer *symbolizer)
{
    uint64_t number, value;
    if (!symbolizer)
        return;
    stop_child(symbolizer);
    loop_event_stop(&symbolizer->kick);
    free(symbolizer->current);
    request_queue_release(&symbolizer->queue);
    for (size_t cursor = 0; map_next(&symbolizer->entries, &cursor, &number, &value);)
        module_entry_free((struct module_entry *)(uintptr_t)value);
    map_release(&symbolizer->entries);
    buf_release(&symbolizer->message);
    free(symbolizer);
}

size_t symbolizer_pending(const struct symbolizer *symbolizer)
{
    return symbolizer->pending;
}

uint64_t symbolizer_frames_left_out(const struct symbolizer *symbolizer)
{
    return symbolizer->frames_left_out;
}

pid_t symbolizer_pid(const struct symbolizer *symbolizer)
{
    return symbolizer->child;
}

/* --- what the owner asks --- */

static struct module_entry *find_entry(const struct symbolizer *symbolizer, uint32_t number)
{
    uint64_t value;
    return map_get(&symbolizer->entries, number, &value) == 0 ? (struct module_entry *)(uintptr_t)value
                                                              : NULL;
}

static int ask(struct symbolizer *symbolizer, enum wire_type type, struct module_entry *entry,
               const uint64_t *addresses, uint32_t count)
{
    struct request *request;
    int r = request_new(type, entry, addresses, count, &request);
    if (r < 0)
        return r;
    request->internal = type == WIRE_CLOSE;
    symbolizer->pending += request_questions(request);
    request_queue_push(&symbolizer->queue, request);
    return kick(symbolizer);
}

int symbolizer_open_module(struct symbolizer *symbolizer, uint32_t module, int fd, const char *path,
                           pid_t pid)
{
    OWNED_FD int owned = fd;
    struct module_entry *entry;
    if (find_entry(symbolizer, module))
        return -EEXIST;
    int r = module_entry_new(module, ++symbolizer->last_handle, take_fd(&owned), path, pid, &entry);
    if (r < 0)
        return r;
    r = map_put(&symbolizer->entries, module, (uintptr_t)entry);
    if (r < 0) {
        module_entry_free(entry);
        return r;
    }
    return ask(symbolizer, WIRE_OPEN, entry, NULL, 0);
}

int symbolizer_rest_module(struct symbolizer *symbolizer, uint32_t module)
{
    struct module_entry *entry = find_entry(symbolizer, module);
    return entry ? ask(symbolizer, WIRE_CLOSE, entry, NULL, 0) : -ENOENT;
}

int symbolizer_resolve(struct symbolizer *symbolizer, uint32_t module, const uint64_t *addresses,
                       size_t count)
{
    struct module_entry *entry = find_entry(symbolizer, module);
    if (!entry)
        return -ENOENT;
    for (size_t done = 0; done < count;) {
        uint32_t part = count - done < WIRE_ADDRESSES_MAX ? (uint32_t)(count - done) : WIRE_ADDRESSES_MAX;
        int r = ask(symbolizer, WIRE_RESOLVE, entry, addresses + done, part);
        if (r < 0)
            return r;
        done += part;
    }
    return 0;
}

int symbolizer_compile_unwind_table(struct symbolizer *symbolizer, uint32_t module)
{
    struct module_entry *entry = find_entry(symbolizer, module);
    return entry ? ask(symbolizer, WIRE_UNWIND, entry, NULL, 0) : -ENOENT;
}

int symbolizer_scan_slots(struct symbolizer *symbolizer, uint32_t module)
{
    struct module_entry *entry = find_entry(symbolizer, module);
    return entry ? ask(symbolizer, WIRE_SCAN, entry, NULL, 0) : -ENOENT;
}

/* --- talking to the child --- */

int symbolizer_expect_answer(struct symbolizer *symbolizer)
{
    return loop_timer_start(symbolizer->loop, &symbolizer->limit, symbolizer->answer_limit_ns, 0, on_limit,
                            symbolizer);
}

static int send_request(struct symbolizer *symbolizer, enum wire_type type, const struct request *request)
{
    int r = wire_begin(&symbolizer->message, type, request->entry->handle);
    if (r == 0 && type == WIRE_RESOLVE)
        r = buf_append(&symbolizer->message, request->addresses + request->answered,
                       (request->count - request->answered) * sizeof(*request->addresses));
    if (r == 0)
        r = wire_send(symbolizer->socket, &symbolizer->message,
                      type == WIRE_OPEN || type == WIRE_SCAN ? request->entry->fd : -1);
    return r;
}

/* A module that this child does not know yet is opened before anything else is asked of it. */
static int open_first(struct symbolizer *symbolizer, struct request *request, struct request **ret_request)
{
    struct request *open;
    int r = request_new(WIRE_OPEN, request->entry, NULL, 0, &open);
    if (r < 0)
        return r;
    open->internal = true;
    request_queue_push_front(&symbolizer->queue, request);
    *ret_request = open;
    return 0;
}

static void child_died(struct symbolizer *symbolizer);

static bool needs_no_child(const struct symbolizer *symbolizer, const struct request *request)
{
    if (request->type == WIRE_CLOSE)
        return !request->entry->in_child;
    return symbolizer->dead || request->entry->given_up;
}

/* Gives the child its next request; false when there is none, or the child is gone. */
static bool start_next(struct symbolizer *symbolizer)
{
    struct request *request = request_queue_pop(&symbolizer->queue);
    if (!request)
        return false;
    if (needs_no_child(symbolizer, request)) {
        symbolizer_answer_empty(symbolizer, request);
        return true;
    }
    if (request->type != WIRE_OPEN && !request->entry->in_child &&
        open_first(symbolizer, request, &request) < 0) {
        symbolizer_answer_empty(symbolizer, request);
        return true;
    }
    int r = send_request(symbolizer, request->type, request);
    if (request->type == WIRE_CLOSE) {
        request->entry->in_child = r < 0;
        free(request);
        return true;
    }
    symbolizer->current = request;
    symbolizer->files = 0;
    if (r == 0)
        r = symbolizer_expect_answer(symbolizer);
    if (r < 0)
        child_died(symbolizer);
    return false;
}

static void pump(struct symbolizer *symbolizer)
{
    size_t pending = symbolizer->pending;
    while (!symbolizer->current && start_next(symbolizer))
        ;
    if (pending && !symbolizer->pending && symbolizer->observer.idle)
        symbolizer->observer.idle(symbolizer->userdata);
}

static void on_kick(void *userdata)
{
    struct symbolizer *symbolizer = userdata;
    loop_event_stop(&symbolizer->kick);
    pump(symbolizer);
}

/* The current request is over: the loop goes on to the next. */
void symbolizer_finish(struct symbolizer *symbolizer)
{
    loop_event_stop(&symbolizer->limit);
    free(take_ptr(symbolizer->current));
    symbolizer->fruitless = 0;
}

/* What the child was doing when it died is asked again, unless it has killed too many. */
static void blame(struct symbolizer *symbolizer)
{
    struct request *request = take_ptr(symbolizer->current);
    if (!request)
        return;
    struct module_entry *entry = request->entry;
    if (++entry->deaths < DEATHS_MAX) {
        if (request->internal)
            free(request); /* made anew for the request it was made for */
        else
            request_queue_push_front(&symbolizer->queue, request);
        return;
    }
    bool opening = request->type == WIRE_OPEN && !request->internal;
    entry->given_up = true;
    if (!opening)
        symbolizer_report_nothing_known(symbolizer, entry);
    symbolizer_answer_empty(symbolizer, request);
}

static void child_died(struct symbolizer *symbolizer)
{
    stop_child(symbolizer);
    symbolizer->fruitless++;
    blame(symbolizer);
    if (symbolizer->fruitless >= FRUITLESS_MAX || start_child(symbolizer) < 0)
        symbolizer->dead = true;
    else
        symbolizer->restarts++;
    if (symbolizer->observer.died)
        symbolizer->observer.died(symbolizer->userdata, symbolizer->dead ? -1 : symbolizer->restarts);
    kick(symbolizer);
}

static void on_limit(void *userdata)
{
    child_died(userdata);
}

static void on_readable(void *userdata, int events)
{
    struct symbolizer *symbolizer = userdata;
    size_t pending = symbolizer->pending;
    (void)events;
    for (int i = 0; i < MESSAGES_A_WAKE && symbolizer->child; i++) {
        OWNED_FD int fd = -1;
        int r = wire_receive(symbolizer->socket, &symbolizer->message, &fd);
        if (r == -EAGAIN)
            break;
        if (r == 0)
            r = symbolizer_take_message(symbolizer, fd);
        if (r < 0) {
            child_died(symbolizer);
            return;
        }
        while (!symbolizer->current && start_next(symbolizer))
            ;
    }
    if (pending && !symbolizer->pending && symbolizer->observer.idle)
        symbolizer->observer.idle(symbolizer->userdata);
}

int symbolizer_wait(struct symbolizer *symbolizer, int timeout_ms)
{
    pump(symbolizer);
    struct pollfd readable = {.fd = symbolizer->socket, .events = POLLIN};
    if (!symbolizer->child || poll(&readable, 1, timeout_ms) <= 0)
        return 0;
    on_readable(symbolizer, LOOP_READABLE);
    return 1;
}
