/* A unit with what is needed to answer for its addresses: line table and scopes, read when its first address
 * turns up. */
#ifndef RSPROF_DWARF_INDEXED_UNIT_H
#define RSPROF_DWARF_INDEXED_UNIT_H

#include "dwarf/line_program.h"
#include "dwarf/unit_index.h"

struct indexed_unit {
    struct unit *unit; /* the one in the main file: has the line table */
    struct unit
        *scopes_unit; /* the one whose DIEs were indexed: `unit`, or the split unit that it stands for */
    bool ready;
    struct line_program lines;
    struct unit_index index;
};

void indexed_unit_release(struct indexed_unit *unit);

/* Reads the line table of `unit` and indexes `scopes_unit`, once. −ENOMEM. */
int indexed_unit_prepare(struct indexed_unit *unit);

/* The line of the nearest row of the same scope that has one, for a row whose line is 0; 0 if there is none.
 */
uint32_t indexed_unit_mend_line(const struct indexed_unit *unit, const struct line_row *row, uint32_t scope);

#endif
