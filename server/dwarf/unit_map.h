/* Which unit an address belongs to: from .debug_aranges, and for units that are missing there from their own
 * ranges. */
#ifndef RSPROF_DWARF_UNIT_MAP_H
#define RSPROF_DWARF_UNIT_MAP_H

#include "dwarf/dwarf_file.h"

struct unit_span {
    uint64_t low, high;
    uint32_t unit; /* index into dwarf_file.units */
};

/* Sorted, disjoint. Where units overlap, the first in the file has the address. */
struct unit_map {
    VEC(struct unit_span) spans;
};

void unit_map_release(struct unit_map *map);

/* Reads the root DIEs of units that .debug_aranges does not list. −ENOMEM. `*ret_map` is the caller's to
 * release. */
int unit_map_build(const struct dwarf_file *file, struct unit_map *ret_map);

/* The index of the unit that holds the address; −ENOENT if none does. */
int unit_map_find(const struct unit_map *map, uint64_t address, uint32_t *ret_unit);

#endif
