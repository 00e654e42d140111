/* Everything known of one line, for a hover: its numbers, and who calls it and whom it calls. */
#ifndef RSPROF_LSP_LINE_DETAILS_H
#define RSPROF_LSP_LINE_DETAILS_H

#include "rpc/json.h"
#include "session/session.h"

#define DETAILS_RELATIONS_MAX 8

struct lsp_server;

/* Strings are the session's: valid until its next tick or call. */
struct line_details {
    const char *uri; /* as the client gave it */
    uint32_t line;   /* of the document now, 0-based */
    const struct snapshot_line *source;
    double heat;
    double process_cores;
    struct session_relation callers[DETAILS_RELATIONS_MAX], callees[DETAILS_RELATIONS_MAX];
    size_t caller_count, callee_count;
};

/* False where the line has nothing. */
bool line_details_find(struct lsp_server *server, const char *uri, uint32_t line,
                       struct line_details *ret_details);

/* The result of rsprof/lineDetails. */
cJSON *line_details_to_json(struct lsp_server *server, const struct line_details *details);

/* Which part of the line's CPU time was spent in the kernel. The snapshot has it as a share of the whole
 * process. */
double line_details_kernel_share(const struct line_cpu *cpu);

#endif
