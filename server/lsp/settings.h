/* What a user can set: through flags of `rsprof serve`, `initializationOptions`, and
 * `workspace/didChangeConfiguration`. */
#ifndef RSPROF_LSP_SETTINGS_H
#define RSPROF_LSP_SETTINGS_H

#include "lsp/view.h"
#include "session/session.h"

struct settings {
    struct session_options session; /* defaults of an attach */
    struct view view;
    bool code_lens;               /* a lens on each function with numbers */
    double diagnostics_min_share; /* a diagnostic of severity hint on lines of at least this share; 0: none */
    bool attach_newest;           /* attach by itself to the newest process built from the workspace */
    pid_t attach_pid;             /* attach by itself to this process; 0: none */
};

#define SETTINGS_DEFAULT ((struct settings){.session = SESSION_OPTIONS_DEFAULT, .view = VIEW_DEFAULT})

/* Changes the members that `json` has. On −EINVAL nothing is changed, and the error names the member. */
int settings_parse(const cJSON *json, struct settings *settings, struct param_error *ret_error);

/* The part of it that rsprof/attach takes, too: cpuFreqHz, heap, heapIntervalBytes, windowSec. */
int settings_parse_session(const cJSON *json, struct session_options *options, struct param_error *ret_error);

#endif
