/* The details of a line as a text for people: Markdown, or plain text for clients without. */
#ifndef RSPROF_LSP_LINE_HOVER_H
#define RSPROF_LSP_LINE_HOVER_H

#include "lsp/line_details.h"

/* The result of textDocument/hover, or NULL when out of memory. */
cJSON *line_hover_to_json(struct lsp_server *server, const struct line_details *details);

#endif
