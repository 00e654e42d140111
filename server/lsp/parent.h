/* Ends the server when the client's process dies: nobody else would, if it died without closing the pipe. */
#ifndef RSPROF_LSP_PARENT_H
#define RSPROF_LSP_PARENT_H

struct lsp_server;

/* Watches the process that `initialize` named; ends the server at once if there is none. Where the kernel
 * cannot watch, the end of the input has to do. */
void parent_watch(struct lsp_server *server, double pid);
void parent_release(struct lsp_server *server);

#endif
