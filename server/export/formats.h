/* What the formats are made from, and the function of each. */
#ifndef RSPROF_EXPORT_FORMATS_H
#define RSPROF_EXPORT_FORMATS_H

#include "session/session.h"

#include <stdio.h>

/* Borrowed from a session; valid as long as `stacks` is. */
struct export_source {
    struct stack_view stacks;
    const struct session_module *modules; /* by number */
    size_t module_count;
    const struct session_status *status;
    uint64_t start_ns; /* since 1970 */
    uint64_t duration_ns;
};

/* −ENOMEM. */
int export_folded(const struct export_source *source, FILE *out);
int export_pprof(const struct export_source *source, FILE *out);
int export_firefox(const struct export_source *source, FILE *out);

#endif
