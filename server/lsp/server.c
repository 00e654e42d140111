#include "lsp/server.h"

#include "base/cleanup.h"
#include "lsp/methods.h"
#include "lsp/parent.h"
#include "lsp/protocol.h"
#include "lsp/server_state.h"
#include "rpc/params.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Messages */

void server_show_message(struct lsp_server *server, enum message_type type, const char *text)
{
    cJSON *params = cJSON_CreateObject();
    params = json_finish(params,
                         json_put_number(params, "type", type) && json_put_string(params, "message", text));
    if (params)
        rpc_notify_optional(server->rpc, "window/showMessage", params);
}

static void trace(struct lsp_server *server, const char *kind, const char *method, const cJSON *params)
{
    if (server->client.trace == TRACE_OFF || server->phase != PHASE_INITIALIZED)
        return;
    char text[256];
    snprintf(text, sizeof(text), "received %s '%s'", kind, method);
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_string(json, "message", text);
    OWNED_MEM char *printed = NULL;
    if (server->client.trace == TRACE_VERBOSE && params && (printed = json_print(params)))
        ok = ok && json_put_string(json, "verbose", printed);
    json = json_finish(json, ok);
    if (json)
        rpc_notify_optional(server->rpc, "$/logTrace", json);
}

/* Says once how many messages were dropped, as soon as the client reads again. */
static void tell_drops(struct lsp_server *server)
{
    uint64_t dropped = rpc_dropped(server->rpc);
    if (dropped == server->drops_told)
        return;
    char text[128];
    snprintf(text, sizeof(text),
             "rsprof: %llu messages were dropped, since the editor did not read them in time",
             (unsigned long long)(dropped - server->drops_told));
    cJSON *params = cJSON_CreateObject();
    params = json_finish(params, json_put_number(params, "type", MESSAGE_WARNING) &&
                                     json_put_string(params, "message", text));
    if (params && rpc_notify_optional(server->rpc, "window/logMessage", params) == 0)
        server->drops_told = dropped;
}

/* Dispatch */

static void method_shutdown(struct lsp_server *server, struct rpc_request *request)
{
    server->phase = PHASE_SHUT_DOWN;
    attach_detach(server);
    rpc_answer(request, cJSON_CreateNull());
}

static void notify_initialized(struct lsp_server *server, const cJSON *params)
{
    (void)params;
    attach_by_itself(server);
}

static const struct {
    const char *name;
    void (*handle)(struct lsp_server *server, struct rpc_request *request);
} methods[] = {
    {METHOD_LIST_PROCESSES, method_list_processes},
    {METHOD_ATTACH, method_attach},
    {METHOD_DETACH, method_detach},
    {METHOD_RESET, method_reset},
    {METHOD_SET_VIEW, method_set_view},
    {METHOD_HOT_LINES, method_hot_lines},
    {METHOD_LINE_DETAILS, method_line_details},
    {METHOD_SNAPSHOT, method_snapshot},
    {"textDocument/inlayHint", method_inlay_hint},
    {"textDocument/hover", method_hover},
    {"textDocument/codeLens", method_code_lens},
    {"workspace/executeCommand", method_execute_command},
    {"shutdown", method_shutdown},
};

static const struct {
    const char *name;
    void (*handle)(struct lsp_server *server, const cJSON *params);
} notifications[] = {
    {"initialized", notify_initialized},
    {"textDocument/didOpen", notify_did_open},
    {"textDocument/didChange", notify_did_change},
    {"textDocument/didSave", notify_did_save},
    {"textDocument/didClose", notify_did_close},
    {"workspace/didChangeConfiguration", notify_configuration},
    {"workspace/didChangeWorkspaceFolders", notify_workspace_folders},
    {"$/setTrace", notify_set_trace},
};

static void dispatch(struct lsp_server *server, struct rpc_request *request)
{
    const char *name = rpc_request_method(request);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (!strcmp(methods[i].name, name)) {
            methods[i].handle(server, request);
            return;
        }
    char message[128];
    snprintf(message, sizeof(message), "there is no method '%.64s'", name);
    rpc_answer_error(request, RPC_METHOD_NOT_FOUND, message,
                     "Use one of the methods that server/PROTOCOL.md and the server's capabilities name.");
}

static void on_request(void *userdata, struct rpc_request *request)
{
    struct lsp_server *server = userdata;
    bool initialize = !strcmp(rpc_request_method(request), "initialize");
    trace(server, "request", rpc_request_method(request), rpc_request_params(request));
    if (server->phase == PHASE_SHUT_DOWN)
        rpc_answer_error(request, RPC_INVALID_REQUEST, "the server is shutting down", "Start a new server.");
    else if (server->phase == PHASE_INITIALIZED && initialize)
        rpc_answer_error(request, RPC_INVALID_REQUEST, "the server is initialized already",
                         "Send 'initialize' once for each server.");
    else if (initialize)
        method_initialize(server, request);
    else if (server->phase == PHASE_NEW)
        rpc_answer_error(request, RPC_SERVER_NOT_INITIALIZED, "the server is not initialized",
                         "Send 'initialize' first.");
    else
        dispatch(server, request);
}

static void on_notification(void *userdata, const char *method, const cJSON *params)
{
    struct lsp_server *server = userdata;
    if (!strcmp(method, "exit")) {
        server->exit_code = server->phase == PHASE_SHUT_DOWN ? 0 : 1;
        rpc_finish(server->rpc);
        return;
    }
    if (server->phase != PHASE_INITIALIZED)
        return;
    trace(server, "notification", method, params);
    for (size_t i = 0; i < ARRAY_LEN(notifications); i++)
        if (!strcmp(notifications[i].name, method))
            notifications[i].handle(server, params);
}

/* Ends */

static void on_ended(void *userdata, const char *problem)
{
    struct lsp_server *server = userdata;
    if (problem)
        fprintf(stderr, "rsprof: the connection to the editor is broken: %s\n", problem);
    server->exit_code = !problem && server->phase == PHASE_SHUT_DOWN ? 0 : 1;
    rpc_finish(server->rpc);
}

static void on_finished(void *userdata)
{
    struct lsp_server *server = userdata;
    server->options.ended(server->options.userdata, server->exit_code);
}

void lsp_server_stop(struct lsp_server *server)
{
    server->exit_code = 1;
    attach_detach(server);
    rpc_finish(server->rpc);
}

/* The session */

static void on_state_changed(void *userdata, enum session_state state)
{
    struct lsp_server *server = userdata;
    attach_state_changed(server, state);
    progress_update(server);
    publish_status(server, true);
}

static void on_ticked(void *userdata)
{
    struct lsp_server *server = userdata;
    publish_all(server, PUBLISH_CHANGED);
    publish_status(server, false);
    progress_update(server);
    tell_drops(server);
}

static const struct session_observer session_observer = {.state_changed = on_state_changed,
                                                         .ticked = on_ticked};
static const struct rpc_handler rpc_handler = {
    .request = on_request, .notification = on_notification, .ended = on_ended, .finished = on_finished};

static void free_view_state(void *view_state)
{
    annotations_free(view_state);
}

static int start(struct lsp_server *server)
{
    int r = session_new(server->loop, &session_observer, server, &server->session);
    if (r < 0)
        return r;
    return rpc_new(server->loop, server->options.in, server->options.out, &rpc_handler, server, &server->rpc);
}

int lsp_server_new(struct loop *loop, const struct lsp_server_options *options,
                   struct lsp_server **ret_server)
{
    struct lsp_server *server = calloc(1, sizeof(*server));
    if (!server)
        return -ENOMEM;
    server->loop = loop;
    server->options = *options;
    server->settings = options->settings;
    server->parent_fd = -1;
    documents_init(&server->documents, free_view_state);
    int r = start(server);
    if (r < 0) {
        lsp_server_free(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

void lsp_server_free(struct lsp_server *server)
{
    if (!server)
        return;
    attach_release(server);
    publish_release(server);
    parent_release(server);
    process_query_release_all(server);
    rpc_free(server->rpc);
    session_free(server->session);
    documents_release(&server->documents);
    for (size_t i = 0; i < server->folders.len; i++)
        free(server->folders.items[i]);
    vec_release(&server->folders);
    free(server);
}
