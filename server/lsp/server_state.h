/* The inside of the language server, shared by the files that handle its methods. Not for other folders. */
#ifndef RSPROF_LSP_SERVER_STATE_H
#define RSPROF_LSP_SERVER_STATE_H

#include "lsp/attach.h"
#include "lsp/client.h"
#include "lsp/documents.h"
#include "lsp/process_query.h"
#include "lsp/progress.h"
#include "lsp/publish.h"
#include "lsp/server.h"
#include "rpc/rpc.h"

enum server_phase { PHASE_NEW = 0, PHASE_INITIALIZED, PHASE_SHUT_DOWN };

struct lsp_server {
    struct loop *loop;
    struct rpc *rpc;
    struct session *session;
    struct lsp_server_options options;
    enum server_phase phase;
    struct client client;
    struct settings settings;
    VEC(char *) folders; /* workspace folders: paths without a trailing slash */
    struct documents documents;
    struct publisher publisher;
    struct progress progress;
    struct attachment attachment;
    struct process_query *queries;
    struct loop_io parent_watch;
    int parent_fd;       /* pidfd of the client, or −1 */
    uint64_t drops_told; /* optional messages whose loss the client was told of */
    int exit_code;
};

enum message_type { MESSAGE_ERROR = 1, MESSAGE_WARNING = 2, MESSAGE_INFO = 3 };

/* Shows a message to the person: window/showMessage. */
void server_show_message(struct lsp_server *server, enum message_type type, const char *text);

#endif
