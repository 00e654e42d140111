/* What the client said of itself in `initialize`. */
#ifndef RSPROF_LSP_CLIENT_H
#define RSPROF_LSP_CLIENT_H

#include "lsp/text.h"
#include "rpc/json.h"

enum trace_level { TRACE_OFF = 0, TRACE_MESSAGES, TRACE_VERBOSE };

struct client {
    bool annotations;        /* draws them itself: experimental.rsprof.annotations */
    bool progress;           /* window.workDoneProgress */
    bool inlay_hint_refresh; /* workspace.inlayHint.refreshSupport */
    bool code_lens_refresh;  /* workspace.codeLens.refreshSupport */
    bool markdown;           /* textDocument.hover.contentFormat names it */
    enum position_encoding encoding;
    enum trace_level trace;
};

/* Reads the params of `initialize`. What is absent or of another type counts as not supported. */
struct client client_parse(const cJSON *params);

/* "utf-16", "utf-8", "utf-32". */
const char *position_encoding_name(enum position_encoding encoding);

enum trace_level trace_level_parse(const cJSON *value);

#endif
