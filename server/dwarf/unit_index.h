/* Which function, and which inlined calls in it, each address of a unit belongs to: built by one walk over
 * the unit's DIEs, answered by bisection.
 *
 * A scope is a DW_TAG_subprogram or DW_TAG_inlined_subroutine. Segments are disjoint and sorted; each names
 * the innermost scope from its start to the start of the next. */
#ifndef RSPROF_DWARF_UNIT_INDEX_H
#define RSPROF_DWARF_UNIT_INDEX_H

#include "dwarf/dwarf_file.h"

#define NO_SCOPE UINT32_MAX

struct scope {
    uint32_t parent;               /* the scope this one was inlined into; NO_SCOPE for a function itself */
    uint32_t die;                  /* offset from the unit's start */
    uint32_t call_file, call_line; /* where it was inlined */
};

struct segment {
    uint64_t start;
    uint32_t scope; /* NO_SCOPE: a gap */
};

struct unit_index {
    VEC(struct scope) scopes;
    VEC(struct segment) segments;
};

void unit_index_release(struct unit_index *index);

/* Walks the unit; its root must have been read. Damage ends the walk and keeps what was found. −ENOMEM.
 * `*ret_index` is the caller's to release. */
int unit_index_build(const struct unit *unit, struct unit_index *ret_index);

/* The innermost scope of an address, or NO_SCOPE. */
uint32_t unit_index_find(const struct unit_index *index, uint64_t address);

#endif
