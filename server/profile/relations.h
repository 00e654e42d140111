/* Who calls a line, and whom it calls, from the stacks that have it. */
#ifndef RSPROF_PROFILE_RELATIONS_H
#define RSPROF_PROFILE_RELATIONS_H

#include "profile/profile.h"
#include "profile/stack_table.h"

/* The neighbours of `line`, one step towards the root (callers) or the leaf, by their share of the line's
 * samples in the window. Returns how many were written; none when out of memory. */
size_t relations_collect(const struct stack_table *stacks, const struct line_table *lines, uint32_t line,
                         bool callers, struct profile_relation *relations, size_t max);

#endif
