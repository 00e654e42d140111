/* The address ranges of a DIE: DW_AT_low_pc/high_pc or DW_AT_ranges (.debug_ranges, .debug_rnglists; DWARF 5
 * section 2.17). */
#ifndef RSPROF_DWARF_RANGES_H
#define RSPROF_DWARF_RANGES_H

#include "dwarf/attribute.h"

struct range {
    uint64_t low, high; /* [low, high), never empty */
};

struct range_list {
    VEC(struct range) items;
};

/* What a DIE says of its addresses, collected attribute by attribute. */
struct pc_attributes {
    struct attribute low, high, ranges; /* name 0: absent */
};

void pc_attributes_take(struct pc_attributes *pc, const struct attribute *attribute);

/* Appends the ranges; damaged ones end the list. −ENOMEM. */
int ranges_read(const struct unit *unit, const struct pc_attributes *pc, struct range_list *list);

#endif
