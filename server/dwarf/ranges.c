#include "dwarf/ranges.h"

#include <dwarf.h>
#include <errno.h>

void pc_attributes_take(struct pc_attributes *pc, const struct attribute *attribute)
{
    if (attribute->name == DW_AT_low_pc)
        pc->low = *attribute;
    else if (attribute->name == DW_AT_high_pc)
        pc->high = *attribute;
    else if (attribute->name == DW_AT_ranges)
        pc->ranges = *attribute;
}

/* Linkers set the addresses of dropped code to 0, 1 or the highest ones ("tombstones"). */
static bool is_dropped(const struct unit *unit, uint64_t low)
{
    uint64_t highest = unit->address_size < 8 ? (1ull << (8 * unit->address_size)) - 1 : UINT64_MAX;
    return low >= highest - 1;
}

static int push(const struct unit *unit, struct range_list *list, uint64_t low, uint64_t high)
{
    if (low >= high || is_dropped(unit, low))
        return 0;
    struct range *range = vec_push(&list->items);
    if (!range)
        return -ENOMEM;
    *range = (struct range){low, high};
    return 0;
}

static int read_debug_ranges(const struct unit *unit, uint64_t offset, struct range_list *list)
{
    struct reader reader = reader_at(unit->file->sections.ranges, offset);
    uint64_t highest = unit->address_size < 8 ? (1ull << (8 * unit->address_size)) - 1 : UINT64_MAX;
    uint64_t base = unit->low_pc;
    for (;;) {
        uint64_t low = reader_uint(&reader, unit->address_size);
        uint64_t high = reader_uint(&reader, unit->address_size);
        if (reader.bad || (!low && !high))
            return 0;
        if (low == highest) {
            base = high;
            continue;
        }
        int r = is_dropped(unit, base) ? 0 : push(unit, list, base + low, base + high);
        if (r < 0)
            return r;
    }
}

/* One entry of .debug_rnglists; false at the end or where it is damaged. */
static bool read_rnglist_entry(const struct unit *unit, struct reader *reader, uint64_t *base,
                               struct range *ret_range)
{
    uint64_t low = 0, high = 0, index;
    switch (reader_u8(reader)) {
    case DW_RLE_base_addressx:
        return unit_indexed_address(unit, reader_uleb(reader), base) && !reader->bad;
    case DW_RLE_startx_endx:
        index = reader_uleb(reader);
        if (!unit_indexed_address(unit, index, &low) ||
            !unit_indexed_address(unit, reader_uleb(reader), &high))
            return false;
        break;
    case DW_RLE_startx_length:
        index = reader_uleb(reader);
        if (!unit_indexed_address(unit, index, &low))
            return false;
        high = low + reader_uleb(reader);
        break;
    case DW_RLE_offset_pair:
        low = *base + reader_uleb(reader);
        high = *base + reader_uleb(reader);
        if (is_dropped(unit, *base))
            low = high;
        break;
    case DW_RLE_base_address:
        *base = reader_uint(reader, unit->address_size);
        return !reader->bad;
    case DW_RLE_start_end:
        low = reader_uint(reader, unit->address_size);
        high = reader_uint(reader, unit->address_size);
        break;
    case DW_RLE_start_length:
        low = reader_uint(reader, unit->address_size);
        high = low + reader_uleb(reader);
        break;
    default: /* DW_RLE_end_of_list too */
        return false;
    }
    *ret_range = (struct range){low, high};
    return !reader->bad;
}

static int read_rnglist(const struct unit *unit, uint64_t offset, struct range_list *list)
{
    struct reader reader = reader_at(unit->file->sections.rnglists, offset);
    uint64_t base = unit->low_pc;
    for (;;) {
        struct range range = {0};
        if (!read_rnglist_entry(unit, &reader, &base, &range))
            return 0;
        int r = push(unit, list, range.low, range.high);
        if (r < 0)
            return r;
    }
}

static int read_list(const struct unit *unit, const struct attribute *attribute, struct range_list *list)
{
    if (unit->version < 5)
        return read_debug_ranges(unit, attribute->value + (unit->file->split ? unit->gnu_ranges_base : 0),
                                 list);
    if (attribute->form != DW_FORM_rnglistx)
        return read_rnglist(unit, attribute->value, list);
    if (attribute->value > UINT32_MAX)
        return 0;
    struct reader reader =
        reader_at(unit->file->sections.rnglists, unit->rnglists_base + attribute->value * unit->offset_size);
    uint64_t offset = reader_uint(&reader, unit->offset_size);
    return reader.bad ? 0 : read_rnglist(unit, unit->rnglists_base + offset, list);
}

int ranges_read(const struct unit *unit, const struct pc_attributes *pc, struct range_list *list)
{
    uint64_t low, high;
    if (pc->ranges.name)
        return read_list(unit, &pc->ranges, list);
    if (!pc->low.name || !pc->high.name || !attribute_address(unit, &pc->low, &low))
        return 0;
    if (!attribute_address(unit, &pc->high, &high)) {
        if (!attribute_is_constant(&pc->high))
            return 0;
        high = low + pc->high.value;
    }
    return push(unit, list, low, high);
}
