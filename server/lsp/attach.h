/* Attaching: from a request (or by itself) to an answer, which may have to wait until sampling runs. */
#ifndef RSPROF_LSP_ATTACH_H
#define RSPROF_LSP_ATTACH_H

#include "rpc/rpc.h"
#include "session/session.h"

struct lsp_server;

struct attachment {
    struct rpc_request *waiting; /* answered when sampling runs; NULL: nobody waits */
    bool under_way;              /* from attach_start() until the session runs or failed */
    bool was_attached;           /* annotations may be on screens */
    struct loop_event retry;     /* looks again for a process to attach to by itself */
};

/* Attaches. `request` is answered when it is done; NULL: nobody asked, and the person is told by
 * window/showMessage. */
void attach_start(struct lsp_server *server, pid_t pid, const struct session_options *options,
                  struct rpc_request *request);

void attach_detach(struct lsp_server *server);

/* Follows settings.attach_newest and settings.attach_pid, unless something is attached. */
void attach_by_itself(struct lsp_server *server);

/* The session's observer calls this. */
void attach_state_changed(struct lsp_server *server, enum session_state state);

void attach_release(struct lsp_server *server);

#endif
