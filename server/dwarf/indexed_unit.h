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

/* A place in a source file: a file of the unit's line program, and a line. */
struct place {
    uint32_t file, line;
};

/* For a place without a line (0): that of the nearest code in the same scope, in the same file if there is
 * any. Returns `place` as it is if there is no such code. */
struct place indexed_unit_mend(const struct indexed_unit *unit, uint64_t address, uint32_t scope,
                               struct place place);

#endif
