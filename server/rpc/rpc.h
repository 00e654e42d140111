/* JSON-RPC 2.0 over two descriptors: the connection with one client.
 *
 * Takes messages apart and hands them to its owner through `struct rpc_handler`, matches answers to our own
 * requests, and queues what goes out in an outbox that never blocks. While the outbox is full it takes no
 * further input, so a client that sends and never reads stops itself.
 *
 * Every `struct rpc_request` handed out is answered exactly once, by rpc_answer() or rpc_answer_error(), at
 * once or later; it is gone after that. Requests still open when the connection ends are freed by rpc_free().
 * The method and params given to a handler are valid during the call; those of a request until it is
 * answered. What is malformed is answered here: ParseError, InvalidRequest. `$/cancelRequest` is handled
 * here: a request whose handler said how to stop it (rpc_request_on_cancel) is stopped, then answered with
 * RequestCancelled. Not thread-safe; lives on the loop's thread. */
#ifndef RSPROF_RPC_H
#define RSPROF_RPC_H

#include "base/loop.h"
#include "rpc/json.h"

struct rpc;
struct rpc_request;

/* Codes of JSON-RPC and LSP themselves. */
enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_SERVER_NOT_INITIALIZED = -32002,
    RPC_REQUEST_CANCELLED = -32800,
};

/* Requests of either side that may be open at a time. */
#define RPC_OPEN_MAX 256

struct rpc_handler {
    void (*request)(void *userdata, struct rpc_request *request);
    void (*notification)(void *userdata, const char *method, const cJSON *params);
    /* No more input will come. `problem` is NULL at an end of file between messages; otherwise it says what
     * broke the connection. Called once; the outbox may still be drained. */
    void (*ended)(void *userdata, const char *problem);
    /* Everything queued is written; called after rpc_finish() only, also when the client does not read in
     * time. */
    void (*finished)(void *userdata);
};

/* Starts reading `in` and writing `out` (neither is taken; `out` is made non-blocking until rpc_free). */
int rpc_new(struct loop *loop, int in, int out, const struct rpc_handler *handler, void *userdata,
            struct rpc **ret_rpc);
void rpc_free(struct rpc *rpc);

/* Stops reading, writes what is queued for at most a second, then calls `finished`. */
void rpc_finish(struct rpc *rpc);

const char *rpc_request_method(const struct rpc_request *request);
const cJSON *rpc_request_params(const struct rpc_request *request);
const cJSON *rpc_request_id(const struct rpc_request *request);

/* `stop` is called when the client cancels the request; rpc answers it then. Without it, cancelling has no
 * effect. */
void rpc_request_on_cancel(struct rpc_request *request, void (*stop)(void *userdata), void *userdata);

/* Takes `result`. NULL stands for out of memory: the client gets an InternalError. For null, give
 * cJSON_CreateNull(). */
void rpc_answer(struct rpc_request *request, cJSON *result);

/* `hint` says what to do about it, and becomes `data.hint`. */
void rpc_answer_error(struct rpc_request *request, int code, const char *message, const char *hint);

/* Each takes `params`; NULL stands for out of memory. `rpc_notify_state` replaces an unwritten one of the
 * same method and `key`; `rpc_notify_optional` may be dropped when the client does not read. */
int rpc_notify(struct rpc *rpc, const char *method, cJSON *params);
int rpc_notify_state(struct rpc *rpc, const char *method, const char *key, cJSON *params);
int rpc_notify_optional(struct rpc *rpc, const char *method, cJSON *params);

/* The answer to a request of ours: `result`, or NULL with `error`; both NULL when the connection ended
 * before. */
typedef void (*rpc_done_fn)(void *userdata, const cJSON *result, const cJSON *error);

/* Sends a request. `params` is taken and may be NULL: none. `done` may be NULL. −EAGAIN when RPC_OPEN_MAX are
 * open already. */
int rpc_call(struct rpc *rpc, const char *method, cJSON *params, rpc_done_fn done, void *userdata);

/* Optional notifications that were dropped so far. */
uint64_t rpc_dropped(const struct rpc *rpc);

#endif
