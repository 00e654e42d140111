#include "dwarf/dwarf_file.h"

#include "base/upper_bound.h"
#include "dwarf/attribute.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>

static struct bytes section_of(struct elf_image *image, const char *name, bool split)
{
    char full[40];
    snprintf(full, sizeof(full), "%s%s", name, split ? ".dwo" : "");
    return elf_image_section(image, full);
}

struct dwarf_sections dwarf_sections_of(struct elf_image *image, bool split)
{
    return (struct dwarf_sections){
        .info = section_of(image, ".debug_info", split),
        .abbrev = section_of(image, ".debug_abbrev", split),
        .str = section_of(image, ".debug_str", split),
        .line = section_of(image, ".debug_line", split),
        .line_str = section_of(image, ".debug_line_str", false),
        .ranges = section_of(image, ".debug_ranges", false),
        .rnglists = section_of(image, ".debug_rnglists", split),
        .addr = section_of(image, ".debug_addr", false),
        .str_offsets = section_of(image, ".debug_str_offsets", split),
        .aranges = section_of(image, ".debug_aranges", false),
    };
}

void dwarf_file_release(struct dwarf_file *file)
{
    for (size_t i = 0; i < file->units.len; i++)
        abbrev_table_release(&file->units.items[i].abbrevs);
    vec_release(&file->units);
}

static void read_header_tail(struct reader *reader, struct unit *unit)
{
    if (unit->version < 5) {
        unit->type = DW_UT_compile;
        unit->abbrev_offset = reader_uint(reader, unit->offset_size);
        unit->address_size = reader_u8(reader);
        return;
    }
    unit->type = reader_u8(reader);
    unit->address_size = reader_u8(reader);
    unit->abbrev_offset = reader_uint(reader, unit->offset_size);
    if (unit->type == DW_UT_skeleton || unit->type == DW_UT_split_compile)
        unit->dwo_id = reader_u64(reader);
    if (unit->type == DW_UT_type || unit->type == DW_UT_split_type)
        reader_skip(reader, 8u + unit->offset_size);
}

/* Where the unit's entries begin in a table that starts with a header, if the unit does not say: a split
 * unit's tables are its own (DWARF 5 sections 7.26 and 7.28). */
static void set_default_bases(struct unit *unit)
{
    bool headed = unit->version >= 5;
    bool wide = unit->offset_size == 8;
    unit->str_offsets_base = headed ? (wide ? 16 : 8) : 0;
    unit->rnglists_base = headed ? (wide ? 20 : 12) : 0;
    unit->addr_base = headed ? (wide ? 16 : 8) : 0;
}

static bool read_header(struct dwarf_file *file, uint64_t offset, struct unit *unit)
{
    struct reader reader = reader_at(file->sections.info, offset);
    uint64_t length = reader_unit_length(&reader, &unit->offset_size);
    if (reader.bad || length > reader_left(&reader))
        return false;
    unit->file = file;
    unit->offset = offset;
    unit->end = (uint64_t)(reader.pos - file->sections.info.data) + length;
    unit->version = (uint8_t)reader_u16(&reader);
    unit->name = unit->comp_dir = unit->dwo_name = "";
    unit->line_offset = NO_OFFSET;
    if (unit->version >= 2 && unit->version <= 5)
        read_header_tail(&reader, unit);
    unit->first_die = (uint64_t)(reader.pos - file->sections.info.data);
    if (reader.bad || unit->first_die > unit->end || unit->address_size > 8 || !unit->address_size)
        unit->first_die = unit->end; /* a unit of a kind we cannot read is an empty one */
    set_default_bases(unit);
    return true;
}

int dwarf_file_read_units(struct dwarf_file *file)
{
    for (uint64_t offset = 0; offset < file->sections.info.len;) {
        struct unit unit = {0};
        if (!read_header(file, offset, &unit))
            return 0;
        struct unit *slot = vec_push(&file->units);
        if (!slot)
            return -ENOMEM;
        *slot = unit;
        offset = unit.end;
    }
    return 0;
}

struct unit *dwarf_file_unit_at(const struct dwarf_file *file, uint64_t offset)
{
    size_t after = upper_bound(file->units.items, file->units.len, offset, offset);
    struct unit *unit = after ? &file->units.items[after - 1] : NULL;
    return unit && offset < unit->end ? unit : NULL;
}

int unit_read_abbrevs(struct unit *unit)
{
    if (unit->abbrevs_read)
        return 0;
    int r = abbrev_table_read(bytes_from(unit->file->sections.abbrev, unit->abbrev_offset),
                              unit_form_sizes(unit), &unit->abbrevs);
    unit->abbrevs_read = r == 0;
    return r;
}

/* Bases come first, since strings and addresses before them in the DIE need them. */
static void take_base(struct unit *unit, const struct attribute *attribute)
{
    switch (attribute->name) {
    case DW_AT_str_offsets_base:
        unit->str_offsets_base = attribute->value;
        break;
    case DW_AT_addr_base:
    case DW_AT_GNU_addr_base:
        unit->addr_base = attribute->value;
        break;
    case DW_AT_rnglists_base:
        unit->rnglists_base = attribute->value;
        break;
    case DW_AT_GNU_ranges_base:
        unit->gnu_ranges_base = attribute->value;
        break;
    }
}

static void take_root_attribute(struct unit *unit, const struct attribute *attribute)
{
    switch (attribute->name) {
    case DW_AT_name:
        unit->name = attribute_string(unit, attribute);
        break;
    case DW_AT_comp_dir:
        unit->comp_dir = attribute_string(unit, attribute);
        break;
    case DW_AT_dwo_name:
    case DW_AT_GNU_dwo_name:
        unit->dwo_name = attribute_string(unit, attribute);
        break;
    case DW_AT_GNU_dwo_id:
        unit->dwo_id = attribute->value;
        break;
    case DW_AT_stmt_list:
        unit->line_offset = attribute->value;
        break;
    case DW_AT_language:
        unit->language = (uint16_t)attribute->value;
        break;
    case DW_AT_low_pc:
        unit->has_pc = attribute_address(unit, attribute, &unit->low_pc);
        break;
    case DW_AT_ranges:
        unit->has_pc = true;
        break;
    }
}

static int visit_root(struct unit *unit, void (*take)(struct unit *, const struct attribute *))
{
    struct reader reader = reader_at(bytes_slice(unit->file->sections.info, 0, unit->end), unit->first_die);
    const struct abbrev *abbrev = abbrev_find(&unit->abbrevs, reader_uleb(&reader));
    if (reader.bad || !abbrev)
        return -EBADMSG;
    unit->tag = abbrev->tag;
    const struct abbrev_attribute *as = abbrev_attributes(&unit->abbrevs, abbrev);
    for (uint32_t i = 0; i < abbrev->attribute_count; i++) {
        struct attribute attribute;
        if (!attribute_read(&reader, unit, &as[i], &attribute))
            return -EBADMSG;
        take(unit, &attribute);
    }
    return 0;
}

int unit_read_root(struct unit *unit)
{
    if (unit->root_read)
        return 0;
    int r = unit_read_abbrevs(unit);
    if (r == 0)
        r = visit_root(unit, take_base);
    if (r == 0)
        r = visit_root(unit, take_root_attribute);
    unit->root_read = r == 0;
    return r;
}
