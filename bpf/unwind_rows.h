/* SPDX-License-Identifier: MIT
 *
 * The look-up in a module's unwind table (events.h): which rule is in force at an address. The includer
 * defines, before the include:
 *
 *     static union unwind_element *unwind_line(void *table, __u32 index);  its UNWIND_LINE_ELEMENTS, or NULL
 */
#ifndef RSPROF_UNWIND_ROWS_H
#define RSPROF_UNWIND_ROWS_H

#include "events.h"

/* The rule in force at a link-time address of the mapping's module, whose table it is: the last row of its
 * page that starts at or before it. */
static __always_inline struct unwind_row unwind_find_row(const struct mapping *mapping, void *table,
                                                         __u64 address)
{
    struct unwind_row row = {.kind = UNWIND_NONE};
    __u64 page = (address - mapping->table_start) >> UNWIND_PAGE_SHIFT;
    __u32 offset = address & ((1u << UNWIND_PAGE_SHIFT) - 1);
    if (!table || address < mapping->table_start || page >= mapping->page_count)
        return row;
    union unwind_element *line = unwind_line(table, page / UNWIND_LINE_ELEMENTS);
    if (!line)
        return row;
    union unwind_element entry = line[page % UNWIND_LINE_ELEMENTS];
    if (entry.row.kind != UNWIND_ROWS)
        return entry.row;
    for (__u32 i = 0; i < UNWIND_PAGE_LINES_MAX && i < entry.page.line_count; i++) {
        line = unwind_line(table, entry.page.first_line + i);
        if (!line)
            return row;
        for (int j = 0; j < UNWIND_LINE_ELEMENTS; j++) {
            if (line[j].row.pc > offset)
                return row;
            row = line[j].row;
        }
    }
    return row;
}

#endif
