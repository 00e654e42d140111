#include "rpc/rpc.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/vec.h"
#include "rpc/framing.h"
#include "rpc/message.h"
#include "rpc/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define READ_BYTES     65536u
#define FINISH_TIME_NS NS_PER_SEC

struct rpc_request {
    struct rpc *rpc;
    struct rpc_request *next;
    struct message message; /* owns the JSON that id, method and params point into */
    void (*stop)(void *userdata);
    void *stop_userdata;
};

struct call {
    uint64_t id;
    rpc_done_fn done;
    void *userdata;
};

struct rpc {
    struct loop *loop;
    const struct rpc_handler *handler;
    void *userdata;
    int in, out, out_flags;
    struct loop_io in_io, out_io;
    struct loop_event resume, deadline;
    struct framing framing;
    struct outbox outbox;
    struct rpc_request *open; /* requests not answered yet */
    size_t open_count;
    VEC(struct call) calls;
    uint64_t next_id;
    bool input_ended, finishing, finished;
};

static void on_readable(void *userdata, int events);
static void on_writable(void *userdata, int events);
static void pump(struct rpc *rpc);

/* Sending */

static void end_input(struct rpc *rpc, const char *problem)
{
    if (rpc->input_ended)
        return;
    rpc->input_ended = true;
    loop_io_stop(&rpc->in_io);
    loop_event_stop(&rpc->resume);
    rpc->handler->ended(rpc->userdata, problem);
}

static void finish_now(void *userdata)
{
    struct rpc *rpc = userdata;
    if (rpc->finished)
        return;
    rpc->finished = true;
    loop_io_stop(&rpc->out_io);
    loop_event_stop(&rpc->deadline);
    rpc->handler->finished(rpc->userdata);
}

static void on_resume(void *userdata)
{
    struct rpc *rpc = userdata;
    loop_event_stop(&rpc->resume);
    pump(rpc);
}

/* Input goes on from the loop, not from within whatever handler just wrote. */
static void resume_later(struct rpc *rpc)
{
    if (!rpc->input_ended && !rpc->finishing && !rpc->resume.watcher)
        loop_timer_start(rpc->loop, &rpc->resume, 0, 0, on_resume, rpc);
}

static void write_now(struct rpc *rpc)
{
    if (rpc->finished)
        return;
    bool was_full = outbox_is_full(&rpc->outbox);
    int r = outbox_write(&rpc->outbox, rpc->out);
    if (r < 0) {
        outbox_release(&rpc->outbox);
        loop_io_stop(&rpc->out_io);
        end_input(rpc, r == -EPIPE ? "the client closed its end" : "writing to the client failed");
    } else if (outbox_is_empty(&rpc->outbox)) {
        loop_io_stop(&rpc->out_io);
    } else if (!rpc->out_io.watcher) {
        loop_io_start(rpc->loop, &rpc->out_io, rpc->out, LOOP_WRITABLE, on_writable, rpc);
    }
    if (was_full && !outbox_is_full(&rpc->outbox))
        resume_later(rpc);
}

static void on_writable(void *userdata, int events)
{
    struct rpc *rpc = userdata;
    (void)events;
    write_now(rpc);
    if (rpc->finishing && outbox_is_empty(&rpc->outbox))
        finish_now(rpc);
}

enum send_kind { SEND_KEPT, SEND_STATE, SEND_OPTIONAL };

/* Takes `json`. */
static int send_json(struct rpc *rpc, cJSON *json, enum send_kind kind, const char *key)
{
    OWNED_MEM char *text = json ? json_print(json) : NULL;
    cJSON_Delete(json);
    if (!text)
        return -ENOMEM;
    int r;
    if (kind == SEND_KEPT)
        r = outbox_put(&rpc->outbox, text, strlen(text));
    else if (kind == SEND_STATE)
        r = outbox_put_replaceable(&rpc->outbox, key, text, strlen(text));
    else
        r = outbox_put_optional(&rpc->outbox, text, strlen(text));
    if (r >= 0)
        write_now(rpc);
    return r;
}

int rpc_notify(struct rpc *rpc, const char *method, cJSON *params)
{
    return params ? send_json(rpc, message_notification(method, params), SEND_KEPT, NULL) : -ENOMEM;
}

int rpc_notify_optional(struct rpc *rpc, const char *method, cJSON *params)
{
    return params ? send_json(rpc, message_notification(method, params), SEND_OPTIONAL, NULL) : -ENOMEM;
}

int rpc_notify_state(struct rpc *rpc, const char *method, const char *key, cJSON *params)
{
    OWNED_BUF struct buf whole_key = BUF_INIT;
    if (!params)
        return -ENOMEM;
    int r = buf_appendf(&whole_key, "%s %s", method, key);
    if (r < 0) {
        cJSON_Delete(params);
        return r;
    }
    return send_json(rpc, message_notification(method, params), SEND_STATE, whole_key.data);
}

int rpc_call(struct rpc *rpc, const char *method, cJSON *params, rpc_done_fn done, void *userdata)
{
    struct call *call = rpc->calls.len < RPC_OPEN_MAX ? vec_push(&rpc->calls) : NULL;
    if (!call) {
        cJSON_Delete(params);
        return -EAGAIN;
    }
    *call = (struct call){.id = ++rpc->next_id, .done = done, .userdata = userdata};
    int r = send_json(rpc, message_request(call->id, method, params), SEND_KEPT, NULL);
    if (r < 0)
        rpc->calls.len--;
    return r;
}

uint64_t rpc_dropped(const struct rpc *rpc)
{
    return rpc->outbox.dropped;
}

/* Requests of the client */

static void request_free(struct rpc_request *request)
{
    message_release(&request->message);
    free(request);
}

/* Unlinks and frees a request that has its answer. */
static void close_request(struct rpc_request *request)
{
    struct rpc *rpc = request->rpc;
    for (struct rpc_request **link = &rpc->open; *link; link = &(*link)->next)
        if (*link == request) {
            *link = request->next;
            rpc->open_count--;
            break;
        }
    if (rpc->open_count == RPC_OPEN_MAX - 1)
        resume_later(rpc);
    request_free(request);
}

const char *rpc_request_method(const struct rpc_request *request)
{
    return request->message.method;
}

const cJSON *rpc_request_params(const struct rpc_request *request)
{
    return request->message.params;
}

const cJSON *rpc_request_id(const struct rpc_request *request)
{
    return request->message.id;
}

void rpc_request_on_cancel(struct rpc_request *request, void (*stop)(void *userdata), void *userdata)
{
    request->stop = stop;
    request->stop_userdata = userdata;
}

/* `id` NULL: of a message whose id could not be read. */
static void send_error(struct rpc *rpc, const cJSON *id, int code, const char *message, const char *hint)
{
    send_json(rpc, message_error(id, code, message, hint), SEND_KEPT, NULL);
}

void rpc_answer(struct rpc_request *request, cJSON *result)
{
    struct rpc *rpc = request->rpc;
    if (!result || send_json(rpc, message_result(request->message.id, result), SEND_KEPT, NULL) < 0)
        send_error(rpc, request->message.id, RPC_INTERNAL_ERROR, "out of memory",
                   "Close other programs, or ask for less at a time.");
    close_request(request);
}

void rpc_answer_error(struct rpc_request *request, int code, const char *message, const char *hint)
{
    send_error(request->rpc, request->message.id, code, message, hint);
    close_request(request);
}

static struct rpc_request *find_open(struct rpc *rpc, const cJSON *id)
{
    for (struct rpc_request *request = rpc->open; request; request = request->next)
        if (message_same_id(request->message.id, id))
            return request;
    return NULL;
}

static void cancel(struct rpc *rpc, const cJSON *params)
{
    struct rpc_request *request = find_open(rpc, json_get(params, "id"));
    if (!request || !request->stop)
        return;
    request->stop(request->stop_userdata);
    rpc_answer_error(request, RPC_REQUEST_CANCELLED, "the request was cancelled",
                     "Ask again if you need the answer.");
}

/* Receiving. Each takes the message over. */

static void take_request(struct rpc *rpc, struct message *message)
{
    struct rpc_request *request = NULL;
    if (find_open(rpc, message->id))
        send_error(rpc, message->id, RPC_INVALID_REQUEST, "a request with this id is still open",
                   "Give every request an id of its own.");
    else if (!(request = calloc(1, sizeof(*request))))
        send_error(rpc, message->id, RPC_INTERNAL_ERROR, "out of memory", "Close other programs.");
    if (!request) {
        message_release(message);
        return;
    }
    *request = (struct rpc_request){.rpc = rpc, .next = rpc->open, .message = *message};
    rpc->open = request;
    rpc->open_count++;
    rpc->handler->request(rpc->userdata, request);
}

static void take_notification(struct rpc *rpc, struct message *message)
{
    if (!strcmp(message->method, "$/cancelRequest"))
        cancel(rpc, message->params);
    else
        rpc->handler->notification(rpc->userdata, message->method, message->params);
    message_release(message);
}

static void take_response(struct rpc *rpc, struct message *message)
{
    for (size_t i = 0; i < rpc->calls.len; i++) {
        struct call call = rpc->calls.items[i];
        if (!cJSON_IsNumber(message->id) || message->id->valuedouble != (double)call.id)
            continue;
        rpc->calls.items[i] = rpc->calls.items[--rpc->calls.len];
        if (call.done)
            call.done(call.userdata, message->error ? NULL : message->result, message->error);
        break;
    }
    message_release(message);
}

static void take_body(struct rpc *rpc, char *body, size_t len)
{
    struct message message;
    switch (message_parse(body, len, &message)) {
    case MESSAGE_REQUEST:
        take_request(rpc, &message);
        break;
    case MESSAGE_NOTIFICATION:
        take_notification(rpc, &message);
        break;
    case MESSAGE_RESPONSE:
        take_response(rpc, &message);
        break;
    case MESSAGE_NOT_JSON:
        send_error(rpc, NULL, RPC_PARSE_ERROR, "the message is not JSON in UTF-8",
                   "Send one JSON object as the body of each message.");
        break;
    case MESSAGE_INVALID:
        send_error(rpc, message.id, RPC_INVALID_REQUEST, message.problem,
                   "Send JSON-RPC 2.0 requests, one for each message.");
        message_release(&message);
        break;
    }
}

/* Handles what is complete, as long as the answers find room. */
static void pump(struct rpc *rpc)
{
    char *body;
    size_t len;
    int r = 0;
    while (!rpc->input_ended && !rpc->finishing && !outbox_is_full(&rpc->outbox) &&
           rpc->open_count < RPC_OPEN_MAX && (r = framing_next(&rpc->framing, &body, &len)) > 0)
        take_body(rpc, body, len);
    if (r < 0) {
        end_input(rpc, rpc->framing.problem);
        return;
    }
    if (rpc->input_ended || rpc->finishing)
        return;
    if (outbox_is_full(&rpc->outbox) || rpc->open_count >= RPC_OPEN_MAX)
        loop_io_stop(&rpc->in_io);
    else if (!rpc->in_io.watcher)
        loop_io_start(rpc->loop, &rpc->in_io, rpc->in, LOOP_READABLE, on_readable, rpc);
}

static void on_readable(void *userdata, int events)
{
    struct rpc *rpc = userdata;
    char bytes[READ_BYTES];
    (void)events;
    ssize_t n = read(rpc->in, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n < 0) {
        end_input(rpc, strerror(errno));
        return;
    }
    if (n == 0) {
        end_input(rpc,
                  framing_is_partial(&rpc->framing) ? "the input ended in the middle of a message" : NULL);
        return;
    }
    if (framing_feed(&rpc->framing, bytes, (size_t)n) < 0) {
        end_input(rpc, "out of memory");
        return;
    }
    pump(rpc);
}

/* Life */

void rpc_finish(struct rpc *rpc)
{
    if (rpc->finishing)
        return;
    rpc->finishing = true;
    loop_io_stop(&rpc->in_io);
    loop_event_stop(&rpc->resume);
    /* Also when nothing waits: `finished` comes from the loop, never from within the caller. */
    uint64_t wait_ns = outbox_is_empty(&rpc->outbox) ? 0 : FINISH_TIME_NS;
    if (loop_timer_start(rpc->loop, &rpc->deadline, wait_ns, 0, finish_now, rpc) < 0)
        finish_now(rpc);
}

int rpc_new(struct loop *loop, int in, int out, const struct rpc_handler *handler, void *userdata,
            struct rpc **ret_rpc)
{
    int flags = fcntl(out, F_GETFL);
    if (flags < 0 || fcntl(out, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    struct rpc *rpc = calloc(1, sizeof(*rpc));
    if (!rpc) {
        fcntl(out, F_SETFL, flags);
        return -ENOMEM;
    }
    *rpc = (struct rpc){
        .loop = loop, .handler = handler, .userdata = userdata, .in = in, .out = out, .out_flags = flags};
    framing_init(&rpc->framing);
    outbox_init(&rpc->outbox);
    int r = loop_io_start(loop, &rpc->in_io, in, LOOP_READABLE, on_readable, rpc);
    if (r < 0) {
        rpc_free(rpc);
        return r;
    }
    *ret_rpc = rpc;
    return 0;
}

static void free_requests(struct rpc *rpc)
{
    for (struct rpc_request *request = rpc->open, *next; request; request = next) {
        next = request->next;
        request_free(request);
    }
}

void rpc_free(struct rpc *rpc)
{
    if (!rpc)
        return;
    loop_io_stop(&rpc->in_io);
    loop_io_stop(&rpc->out_io);
    loop_event_stop(&rpc->resume);
    loop_event_stop(&rpc->deadline);
    for (size_t i = 0; i < rpc->calls.len; i++)
        if (rpc->calls.items[i].done)
            rpc->calls.items[i].done(rpc->calls.items[i].userdata, NULL, NULL);
    vec_release(&rpc->calls);
    free_requests(rpc);
    framing_release(&rpc->framing);
    outbox_release(&rpc->outbox);
    fcntl(rpc->out, F_SETFL, rpc->out_flags);
    free(rpc);
}
