/* A stack as people read it: the calls from its root to its leaf, each with a name. */
#ifndef RSPROF_EXPORT_CALLS_H
#define RSPROF_EXPORT_CALLS_H

#include "export/formats.h"

#define CALL_KERNEL     "[kernel]"     /* the leaf of time in the kernel */
#define CALL_INCOMPLETE "[incomplete]" /* the root of a stack that was not walked to its end */

enum call_kind { CALL_OTHER = 0, CALL_YOURS, CALL_IN_KERNEL };

/* Its strings are valid during the visit. */
struct call {
    const char *name; /* never empty */
    const char *file; /* "": unknown */
    uint32_t line;    /* 0: unknown */
    enum call_kind kind;
};

extern const struct call call_in_kernel, call_incomplete;

/* The calls of a physical frame, and of a whole stack without `call_in_kernel`: from the root to the leaf,
 * one at least. Stops at the first error of `visit`, and returns it. */
int calls_visit_frame(const struct export_source *source, uint32_t number,
                      int (*visit)(void *userdata, const struct call *call), void *userdata);
int calls_visit(const struct export_source *source, const struct viewed_stack *stack,
                int (*visit)(void *userdata, const struct call *call), void *userdata);

#endif
