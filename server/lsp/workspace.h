/* Where the person's sources are: the folders of the workspace, and the map from the build's paths to this
 * machine's. */
#ifndef RSPROF_LSP_WORKSPACE_H
#define RSPROF_LSP_WORKSPACE_H

#include "rpc/params.h"

struct lsp_server;

/* Adds a folder, unless it is there already, or takes it away; what is no file URI is ignored. −ENOMEM. */
int workspace_add_folder(struct lsp_server *server, const char *uri);
int workspace_remove_folder(struct lsp_server *server, const char *uri);
/* Tells the session of the folders. −ENOMEM. */
int workspace_apply(struct lsp_server *server);

/* Gives the session the server's own source map and, after it, `sourceMap` of the settings. −EINVAL, and
 * nothing is changed, where that is no list of rules: the error says so. −ENOMEM. */
int workspace_map_sources(struct lsp_server *server, const cJSON *settings, struct param_error *ret_error);

#endif
