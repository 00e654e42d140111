#include "dwarf/unit_map.h"

#include "base/cleanup.h"
#include "base/upper_bound.h"
#include "dwarf/ranges.h"

#include <dwarf.h>
#include <errno.h>

struct building {
    const struct dwarf_file *file;
    VEC(struct unit_span) spans; /* any order, may overlap */
    bool *listed;                /* by unit: .debug_aranges has it */
};

void unit_map_release(struct unit_map *map)
{
    vec_release(&map->spans);
}

static int add_span(struct building *building, uint64_t low, uint64_t high, size_t unit)
{
    if (low >= high)
        return 0;
    struct unit_span *span = vec_push(&building->spans);
    if (!span)
        return -ENOMEM;
    *span = (struct unit_span){low, high, (uint32_t)unit};
    return 0;
}

/* One set of .debug_aranges (DWARF 5 section 6.1.2): a unit's offset, and pairs of address and length. */
static int read_arange_set(struct building *building, struct reader set, uint64_t set_start,
                           uint8_t offset_size)
{
    const uint8_t *section = building->file->sections.aranges.data;
    uint16_t version = reader_u16(&set);
    uint64_t offset = reader_uint(&set, offset_size);
    uint8_t address_size = reader_u8(&set), segment_size = reader_u8(&set);
    if (set.bad || version != 2 || address_size != 8 || segment_size)
        return 0;
    uint64_t read = (uint64_t)(set.pos - section) - set_start;
    reader_skip(&set, (16 - read % 16) % 16);
    const struct unit *unit = dwarf_file_unit_at(building->file, offset);
    if (!unit || unit->offset != offset)
        return 0;
    size_t index = (size_t)(unit - building->file->units.items);
    while (reader_left(&set) >= 16) {
        uint64_t low = reader_u64(&set), length = reader_u64(&set);
        if (!low && !length)
            break;
        int r = add_span(building, low, low + length, index);
        if (r < 0)
            return r;
        building->listed[index] = true;
    }
    return 0;
}

static int read_aranges(struct building *building)
{
    struct reader reader = reader_of(building->file->sections.aranges);
    while (reader_left(&reader)) {
        uint64_t start = (uint64_t)(reader.pos - building->file->sections.aranges.data);
        uint8_t offset_size;
        uint64_t length = reader_unit_length(&reader, &offset_size);
        if (reader.bad || length > reader_left(&reader))
            return 0;
        struct reader set = {reader.pos, reader.pos + length, false};
        int r = read_arange_set(building, set, start, offset_size);
        if (r < 0)
            return r;
        reader.pos += length;
    }
    return 0;
}

static int read_root_ranges(struct unit *unit, struct range_list *ranges)
{
    struct pc_attributes pc = {0};
    struct reader reader = reader_at(bytes_slice(unit->file->sections.info, 0, unit->end), unit->first_die);
    const struct abbrev *abbrev = abbrev_find(&unit->abbrevs, reader_uleb(&reader));
    if (!abbrev)
        return 0;
    const struct abbrev_attribute *as = abbrev_attributes(&unit->abbrevs, abbrev);
    for (uint32_t i = 0; i < abbrev->attribute_count; i++) {
        struct attribute attribute;
        if (!attribute_read(&reader, unit, &as[i], &attribute))
            return 0;
        pc_attributes_take(&pc, &attribute);
    }
    return ranges_read(unit, &pc, ranges);
}

static int add_unlisted(struct building *building, size_t index)
{
    struct unit *unit = &building->file->units.items[index];
    int r = unit_read_root(unit);
    if (r == -EBADMSG)
        return 0;
    struct range_list ranges = {0};
    if (r == 0)
        r = read_root_ranges(unit, &ranges);
    for (size_t i = 0; r == 0 && i < ranges.items.len; i++)
        r = add_span(building, ranges.items.items[i].low, ranges.items.items[i].high, index);
    vec_release(&ranges.items);
    return r;
}

static int compare_spans(const void *a, const void *b)
{
    const struct unit_span *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

/* Cuts off what earlier spans hold already. */
static int make_disjoint(struct building *building, struct unit_map *map)
{
    uint64_t covered = 0;
    if (building->spans.len)
        qsort(building->spans.items, building->spans.len, sizeof(*building->spans.items), compare_spans);
    for (size_t i = 0; i < building->spans.len; i++) {
        struct unit_span span = building->spans.items[i];
        if (span.low < covered)
            span.low = covered;
        if (span.low >= span.high)
            continue;
        struct unit_span *slot = vec_push(&map->spans);
        if (!slot)
            return -ENOMEM;
        *slot = span;
        covered = span.high;
    }
    return 0;
}

int unit_map_build(const struct dwarf_file *file, struct unit_map *ret_map)
{
    struct unit_map map = {0};
    struct building building = {.file = file};
    OWNED_MEM bool *listed = calloc(file->units.len + 1, sizeof(*listed));
    if (!listed)
        return -ENOMEM;
    building.listed = listed;
    int r = read_aranges(&building);
    for (size_t i = 0; r == 0 && i < file->units.len; i++)
        if (!listed[i])
            r = add_unlisted(&building, i);
    if (r == 0)
        r = make_disjoint(&building, &map);
    vec_release(&building.spans);
    if (r < 0) {
        unit_map_release(&map);
        return r;
    }
    *ret_map = map;
    return 0;
}

int unit_map_find(const struct unit_map *map, uint64_t address, uint32_t *ret_unit)
{
    size_t after = upper_bound(map->spans.items, map->spans.len, low, address);
    if (!after || address >= map->spans.items[after - 1].high)
        return -ENOENT;
    *ret_unit = map->spans.items[after - 1].unit;
    return 0;
}
