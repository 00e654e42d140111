/* The language server: one client, one session. Wires rpc to session, and owns what lies between: documents,
 * view, settings.
 *
 * Life: created before `initialize` has come; runs from the loop; calls `ended` once when it is done: after
 * `exit`, when the stream ends or breaks, when the client's process dies, or after lsp_server_stop(). The
 * exit code is 0 after an orderly shutdown, else 1. Messages about the stream go to stderr, since the stream
 * cannot carry them. Not thread-safe. */
#ifndef RSPROF_LSP_SERVER_H
#define RSPROF_LSP_SERVER_H

#include "base/loop.h"
#include "lsp/settings.h"

struct lsp_server;

struct lsp_server_options {
    int in, out; /* stay the caller's */
    struct settings settings;
    const char *const *source_map; /* FROM=TO rules, which stay the caller's; they go before the client's */
    size_t source_map_len;
    void (*ended)(void *userdata, int exit_code);
    void *userdata;
};

int lsp_server_new(struct loop *loop, const struct lsp_server_options *options,
                   struct lsp_server **ret_server);

/* Detaches, and frees everything. */
void lsp_server_free(struct lsp_server *server);

/* Ends as if the client had gone: for signals. */
void lsp_server_stop(struct lsp_server *server);

#endif
