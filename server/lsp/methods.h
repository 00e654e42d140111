/* The handlers of requests and notifications, each by its method. A request handler answers its request, now
 * or later. */
#ifndef RSPROF_LSP_METHODS_H
#define RSPROF_LSP_METHODS_H

#include "rpc/rpc.h"

struct lsp_server;

/* rsprof/…: methods_rsprof.c */
void method_list_processes(struct lsp_server *server, struct rpc_request *request);
void method_attach(struct lsp_server *server, struct rpc_request *request);
void method_detach(struct lsp_server *server, struct rpc_request *request);
void method_reset(struct lsp_server *server, struct rpc_request *request);
void method_set_view(struct lsp_server *server, struct rpc_request *request);
void method_hot_lines(struct lsp_server *server, struct rpc_request *request);
void method_line_details(struct lsp_server *server, struct rpc_request *request);
void method_snapshot(struct lsp_server *server, struct rpc_request *request);

/* What any LSP client can show: methods_text.c */
void method_inlay_hint(struct lsp_server *server, struct rpc_request *request);
void method_hover(struct lsp_server *server, struct rpc_request *request);
void method_code_lens(struct lsp_server *server, struct rpc_request *request);

/* workspace/executeCommand: methods_command.c */
void method_execute_command(struct lsp_server *server, struct rpc_request *request);

/* initialize: initialize.c */
void method_initialize(struct lsp_server *server, struct rpc_request *request);

/* Documents and settings: methods_sync.c */
void notify_did_open(struct lsp_server *server, const cJSON *params);
void notify_did_change(struct lsp_server *server, const cJSON *params);
void notify_did_save(struct lsp_server *server, const cJSON *params);
void notify_did_close(struct lsp_server *server, const cJSON *params);
void notify_configuration(struct lsp_server *server, const cJSON *params);
void notify_workspace_folders(struct lsp_server *server, const cJSON *params);
void notify_set_trace(struct lsp_server *server, const cJSON *params);

/* Answers that a parameter is wrong, and which. */
void answer_invalid_params(struct rpc_request *request, const char *message);

/* Answers NotAttached and returns false if nothing is attached. */
bool require_attached(struct lsp_server *server, struct rpc_request *request);

#endif
