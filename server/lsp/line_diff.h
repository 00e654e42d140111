/* Which lines of one text live on in another: the shortest edit script over whole lines, then, within what it
 * replaced, lines that were merely changed.
 *
 * Lines are equal when they are the same up to blanks at both ends, so re-indented code keeps its identity. A
 * changed line is taken for the same line when half of the shorter of the two stands, as beginning or end, in
 * the other. Costs time and memory in proportion to the size of the difference, bounded: past
 * LINE_DIFF_EDITS_MAX edits, only the common beginning and end are matched. Source: Myers, "An O(ND)
 * Difference Algorithm and Its Variations", 1986. */
#ifndef RSPROF_LSP_LINE_DIFF_H
#define RSPROF_LSP_LINE_DIFF_H

#include "lsp/text.h"

#define LINE_DIFF_EDITS_MAX 1000
#define LINE_DIFF_REACH     200 /* new lines looked through for one that changed */
#define LINE_DIFF_NONE      UINT32_MAX

/* A run of lines: [first, first + count) of a text. */
struct line_range {
    const struct text *text;
    size_t first, count;
};

/* Writes for every line of `to`, counted from its first, the line of `from` that it continues, or
 * LINE_DIFF_NONE. Ascending. −ENOMEM. */
int line_diff(struct line_range from, struct line_range to, uint32_t *ret_origins);

/* The hash by which lines are compared. */
uint64_t line_hash(struct text_slice line);

#endif
