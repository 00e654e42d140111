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

/* The place that a row stands for in a scope: its own, or that of the call through which its code came to be
 * inlined there. Line 0 if it is not in the scope. */
static struct place place_in_scope(const struct indexed_unit *unit, const struct line_row *row,
                                   uint32_t scope)
{
    uint32_t at = unit_index_find(&unit->index, row->address);
    if (at == scope)
        return (struct place){row->file, row->line};
    while (at != NO_SCOPE) {
        const struct scope *entry = &unit->index.scopes.items[at];
        if (entry->parent == scope)
            return (struct place){entry->call_file, entry->call_line};
        at = entry->parent;
    }
    return (struct place){NO_FILE, 0};
}

struct mending {
    const struct indexed_unit *unit;
    uint32_t scope;
    struct place place; /* the best so far */
};

/* True when nothing nearer can be better. */
static bool try_row(struct mending *mending, const struct line_row *row, uint32_t file)
{
    struct place place = place_in_scope(mending->unit, row, mending->scope);
    if (!place.line)
        return false;
    if (place.file == file || !mending->place.line)
        mending->place = place;
    return place.file == file;
}

struct place indexed_unit_mend(const struct indexed_unit *unit, uint64_t address, uint32_t scope,
                               struct place place)
{
    /* Far enough for any run of rows without a line, near enough to be bounded. */
    enum { NEIGHBOURS_MAX = 64 };
    struct mending mending = {.unit = unit, .scope = scope};
    const struct line_row *row = line_program_find(&unit->lines, address);
    if (!row)
        return place;
    const struct line_row *first = unit->lines.rows.items, *end = first + unit->lines.rows.len;
    const struct line_row *before = row, *after = row + 1;
    while (before > first && row - before < NEIGHBOURS_MAX)
        if (try_row(&mending, --before, place.file))
            return mending.place;
    for (; after < end && after - row < NEIGHBOURS_MAX; after++)
        if (try_row(&mending, after, place.file))
            return mending.place;
    return mending.place.line ? mending.place : place;
}
