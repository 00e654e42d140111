/* Hot lines as diagnostics of severity hint, for clients that draw nothing else (opt-in:
 * settings.diagnostics_min_share). */
#ifndef RSPROF_LSP_DIAGNOSTICS_H
#define RSPROF_LSP_DIAGNOSTICS_H

#include "lsp/annotations.h"

struct lsp_server;

/* Sends textDocument/publishDiagnostics, if they are wanted. */
void diagnostics_publish(struct lsp_server *server, const struct document *document,
                         const struct annotations *annotations);

/* Takes the diagnostics of a document away. */
void diagnostics_clear(struct lsp_server *server, const struct document *document);

#endif
