#include "dwarf/indexed_unit.h"

#include <errno.h>

void indexed_unit_release(struct indexed_unit *unit)
{
    line_program_release(&unit->lines);
    unit_index_release(&unit->index);
    unit->ready = false;
}

int indexed_unit_prepare(struct indexed_unit *unit)
{
    if (unit->ready)
        return 0;
    int r = line_program_read(unit->unit, &unit->lines);
    if (r == 0)
        r = unit_index_build(unit->scopes_unit, &unit->index);
    if (r < 0) {
        indexed_unit_release(unit);
        return r;
    }
    unit->ready = true;
    return 0;
}

static bool mends(const struct indexed_unit *unit, const struct line_row *row, uint32_t scope)
{
    return row->line && unit_index_find(&unit->index, row->address) == scope;
}

uint32_t indexed_unit_mend_line(const struct indexed_unit *unit, const struct line_row *row, uint32_t scope)
{
    /* Far enough for any run of rows without a line, near enough to be bounded. */
    enum { NEIGHBOURS_MAX = 64 };
    const struct line_row *first = unit->lines.rows.items, *end = first + unit->lines.rows.len;
    for (const struct line_row *before = row; before > first && row - before < NEIGHBOURS_MAX;)
        if (mends(unit, --before, scope))
            return before->line;
    for (const struct line_row *after = row + 1; after < end && after - row < NEIGHBOURS_MAX; after++)
        if (mends(unit, after, scope))
            return after->line;
    return 0;
}
