#include "dwarf/line_header.h"

#include "dwarf/attribute.h"

#include <dwarf.h>
#include <errno.h>

static int add_directory(struct line_program *table, const char *name)
{
    const char **slot = vec_push(&table->directories);
    if (!slot)
        return -ENOMEM;
    *slot = name;
    return 0;
}

static int add_file(struct line_program *table, const char *name, uint64_t directory, const uint8_t *md5)
{
    struct line_file *file = vec_push(&table->files);
    if (!file)
        return -ENOMEM;
    file->name = name;
    file->md5 = md5;
    file->directory = directory > UINT32_MAX ? UINT32_MAX : (uint32_t)directory;
    return 0;
}

/* Before DWARF 5: NUL-terminated lists; directory 0 is the unit's own. */
static int read_old_names(struct reader *reader, struct line_program *table)
{
    int r = add_directory(table, "");
    while (r == 0) {
        const char *name = reader_str(reader);
        if (reader->bad || !*name)
            break;
        r = add_directory(table, name);
    }
    while (r == 0) {
        const char *name = reader_str(reader);
        if (reader->bad || !*name)
            break;
        uint64_t directory = reader_uleb(reader);
        reader_uleb(reader); /* time */
        reader_uleb(reader); /* size */
        r = add_file(table, name, directory, NULL);
    }
    return r;
}

/* One entry of a directory or file list of DWARF 5. */
struct entry {
    const char *name;
    uint64_t directory;
    const uint8_t *md5;
};

static bool read_entry(struct reader *reader, const struct unit *unit, struct reader format,
                       uint8_t format_count, struct entry *entry)
{
    for (uint8_t i = 0; i < format_count; i++) {
        uint64_t content = reader_uleb(&format), form = reader_uleb(&format);
        struct attribute value;
        struct abbrev_attribute as = {.form = form > UINT16_MAX ? 0 : (uint16_t)form};
        as.size = (int8_t)form_fixed_size(as.form, unit_form_sizes(unit));
        const uint8_t *start = reader->pos;
        if (!attribute_read(reader, unit, &as, &value))
            return false;
        if (content == DW_LNCT_path)
            entry->name = attribute_string(unit, &value);
        else if (content == DW_LNCT_directory_index)
            entry->directory = value.value;
        else if (content == DW_LNCT_MD5 && form == DW_FORM_data16)
            entry->md5 = start;
    }
    return true;
}

static int read_list(struct reader *reader, const struct unit *unit, struct line_program *table, bool files)
{
    uint8_t format_count = reader_u8(reader);
    struct reader format = *reader;
    for (uint8_t i = 0; i < format_count; i++) {
        reader_uleb(reader);
        reader_uleb(reader);
    }
    uint64_t count = reader_uleb(reader);
    if (!format_count || count > reader_left(reader))
        count = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct entry entry = {.name = ""};
        if (!read_entry(reader, unit, format, format_count, &entry))
            return -EBADMSG;
        int r = files ? add_file(table, entry.name, entry.directory, entry.md5)
                      : add_directory(table, entry.name);
        if (r < 0)
            return r;
    }
    return reader->bad ? -EBADMSG : 0;
}

static int read_names(struct reader *reader, const struct unit *unit, struct line_program *table)
{
    if (table->version < 5)
        return read_old_names(reader, table);
    int r = read_list(reader, unit, table, false);
    return r < 0 ? r : read_list(reader, unit, table, true);
}

static bool read_fields(struct reader *reader, const struct line_program *table, struct line_header *header)
{
    header->min_instruction_length = reader_u8(reader);
    if (table->version >= 4)
        reader_u8(reader); /* operations per instruction: 1 on machines without VLIW */
    reader_u8(reader);     /* default of is_stmt */
    header->line_base = (int8_t)reader_u8(reader);
    header->line_range = reader_u8(reader);
    header->opcode_base = reader_u8(reader);
    header->opcode_lengths = reader->pos;
    if (header->opcode_base)
        reader_skip(reader, header->opcode_base - 1u);
    return !reader->bad && header->opcode_base;
}

int line_header_read(const struct unit *unit, uint64_t offset, struct line_program *table,
                     struct line_header *ret_header)
{
    struct line_header header = {.address_size = unit->address_size};
    struct reader reader = reader_at(unit->file->sections.line, offset);
    uint64_t length = reader_unit_length(&reader, &header.offset_size);
    if (reader.bad || length > reader_left(&reader))
        return -EBADMSG;
    reader.end = reader.pos + length;
    table->version = reader_u16(&reader);
    if (table->version < 2 || table->version > 5)
        return -EBADMSG;
    if (table->version == 5) {
        header.address_size = reader_u8(&reader);
        reader_u8(&reader); /* size of segment selectors */
    }
    uint64_t header_length = reader_uint(&reader, header.offset_size);
    if (reader.bad || header_length > reader_left(&reader) || header.address_size > 8)
        return -EBADMSG;
    header.program = (struct bytes){reader.pos + header_length, reader_left(&reader) - (size_t)header_length};
    reader.end = header.program.data;
    if (!read_fields(&reader, table, &header))
        return -EBADMSG;
    /* The forms in the lists have the sizes of the line table, which may be another's than the unit's. */
    struct unit sized = *unit;
    sized.offset_size = header.offset_size;
    int r = read_names(&reader, &sized, table);
    if (r < 0)
        return r;
    *ret_header = header;
    return 0;
}
