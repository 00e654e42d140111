#include "dwarf/package_index.h"

#include <errno.h>

struct index {
    uint32_t version, section_count, unit_count, slot_count;
    struct bytes signatures, rows; /* hash table: unit id, and its row from 1 on */
    struct bytes offsets,
        sizes; /* tables of section_count columns; the first row of offsets names the columns */
};

/* Columns; the numbers of DW_SECT_* up to 6 are the same in both versions. */
enum {
    SECTION_INFO = 1,
    SECTION_ABBREV = 3,
    SECTION_LINE = 4,
    SECTION_STR_OFFSETS = 6,
    SECTION_RNGLISTS_V5 = 8
};

static int read_index(struct bytes bytes, struct index *ret_index)
{
    struct reader reader = reader_of(bytes);
    struct index index = {.version = reader_u32(&reader) & 0xffff}; /* 5: two bytes and padding */
    index.section_count = reader_u32(&reader);
    index.unit_count = reader_u32(&reader);
    index.slot_count = reader_u32(&reader);
    if (reader.bad || (index.version != 2 && index.version != 5) || index.section_count > 16 ||
        index.unit_count > index.slot_count || (index.slot_count & (index.slot_count - 1)) ||
        !index.slot_count)
        return -EBADMSG;
    uint64_t row_size = 4ull * index.section_count, at = 16;
    index.signatures = bytes_slice(bytes, at, 8ull * index.slot_count);
    at += 8ull * index.slot_count;
    index.rows = bytes_slice(bytes, at, 4ull * index.slot_count);
    at += 4ull * index.slot_count;
    index.offsets = bytes_slice(bytes, at, row_size * (index.unit_count + 1ull));
    at += row_size * (index.unit_count + 1ull);
    index.sizes = bytes_slice(bytes, at, row_size * index.unit_count);
    if (!index.signatures.len || !index.rows.len || !index.offsets.len || !index.sizes.len)
        return -EBADMSG;
    *ret_index = index;
    return 0;
}

static uint32_t word(struct bytes table, uint64_t position)
{
    struct reader reader = reader_at(table, position * 4);
    return reader_u32(&reader);
}

/* The unit's row, from 1 on; 0 if it has none. */
static uint32_t find_row(const struct index *index, uint64_t dwo_id)
{
    uint32_t mask = index->slot_count - 1;
    uint32_t slot = (uint32_t)dwo_id & mask, step = ((uint32_t)(dwo_id >> 32) & mask) | 1;
    for (uint32_t i = 0; i < index->slot_count; i++, slot = (slot + step) & mask) {
        struct reader reader = reader_at(index->signatures, 8ull * slot);
        uint32_t row = word(index->rows, slot);
        if (!row)
            return 0;
        if (reader_u64(&reader) == dwo_id)
            return row <= index->unit_count ? row : 0;
    }
    return 0;
}

static void narrow(struct bytes *section, uint64_t offset, uint64_t size)
{
    *section = bytes_slice(*section, offset, size);
}

static void narrow_column(const struct index *index, uint32_t id, uint64_t offset, uint64_t size,
                          struct dwarf_sections *sections)
{
    if (id == SECTION_INFO)
        narrow(&sections->info, offset, size);
    else if (id == SECTION_ABBREV)
        narrow(&sections->abbrev, offset, size);
    else if (id == SECTION_LINE)
        narrow(&sections->line, offset, size);
    else if (id == SECTION_STR_OFFSETS)
        narrow(&sections->str_offsets, offset, size);
    else if (id == SECTION_RNGLISTS_V5 && index->version == 5)
        narrow(&sections->rnglists, offset, size);
}

int package_index_narrow(struct bytes bytes, uint64_t dwo_id, struct dwarf_sections *sections)
{
    struct index index;
    if (read_index(bytes, &index) < 0)
        return -ENOENT;
    uint64_t row = find_row(&index, dwo_id);
    if (!row)
        return -ENOENT;
    for (uint32_t column = 0; column < index.section_count; column++)
        narrow_column(&index, word(index.offsets, column),
                      word(index.offsets, row * index.section_count + column),
                      word(index.sizes, (row - 1) * index.section_count + column), sections);
    return 0;
}
