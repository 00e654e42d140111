#include "dwarf/attribute.h"

#include <dwarf.h>

struct form_sizes unit_form_sizes(const struct unit *unit)
{
    return (struct form_sizes){
        .address = unit->address_size,
        .offset = unit->offset_size,
        .ref_addr = unit->version <= 2 ? unit->address_size : unit->offset_size,
    };
}

/* Forms whose size varies. False: unknown. */
static bool read_variable(struct reader *reader, struct attribute *attribute)
{
    switch (attribute->form) {
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_rnglistx:
    case DW_FORM_loclistx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index:
        attribute->value = reader_uleb(reader);
        return true;
    case DW_FORM_sdata:
        attribute->value = (uint64_t)reader_sleb(reader);
        return true;
    case DW_FORM_string:
        attribute->str = reader_str(reader);
        return true;
    case DW_FORM_block1:
        attribute->value = reader_u8(reader);
        break;
    case DW_FORM_block2:
        attribute->value = reader_u16(reader);
        break;
    case DW_FORM_block4:
        attribute->value = reader_u32(reader);
        break;
    case DW_FORM_block:
    case DW_FORM_exprloc:
        attribute->value = reader_uleb(reader);
        break;
    default:
        return false;
    }
    reader_skip(reader, attribute->value);
    return true;
}

bool attribute_read(struct reader *reader, const struct unit *unit, const struct abbrev_attribute *as,
                    struct attribute *ret_attribute)
{
    struct attribute attribute = {.name = as->name, .form = as->form};
    int8_t size = as->size;
    if (attribute.form == DW_FORM_indirect) {
        uint64_t form = reader_uleb(reader);
        attribute.form = form > UINT16_MAX || form == DW_FORM_indirect ? 0 : (uint16_t)form;
        size = (int8_t)form_fixed_size(attribute.form, unit_form_sizes(unit));
    }
    if (attribute.form == DW_FORM_implicit_const)
        attribute.value = (uint64_t)as->implicit;
    else if (attribute.form == DW_FORM_flag_present)
        attribute.value = 1;
    else if (size > 8)
        reader_skip(reader, (uint64_t)size);
    else if (size >= 0)
        attribute.value = reader_uint(reader, (unsigned)size);
    else if (!read_variable(reader, &attribute))
        return reader_fail(reader);
    *ret_attribute = attribute;
    return !reader->bad;
}

bool attribute_skip(struct reader *reader, const struct unit *unit, const struct abbrev_attribute *as)
{
    struct attribute ignored;
    if (as->size < 0)
        return attribute_read(reader, unit, as, &ignored);
    reader_skip(reader, (uint64_t)as->size);
    return !reader->bad;
}

bool attributes_skip(struct reader *reader, const struct unit *unit, const struct abbrev *abbrev)
{
    if (abbrev->fixed_size >= 0) {
        reader_skip(reader, (uint64_t)abbrev->fixed_size);
        return !reader->bad;
    }
    const struct abbrev_attribute *as = abbrev_attributes(&unit->abbrevs, abbrev);
    for (uint32_t i = 0; i < abbrev->attribute_count; i++)
        if (!attribute_skip(reader, unit, &as[i]))
            return false;
    return true;
}

bool unit_indexed_address(const struct unit *unit, uint64_t index, uint64_t *ret_address)
{
    if (index > UINT32_MAX || unit->addr_base == NO_OFFSET)
        return false;
    struct reader reader = reader_at(unit->file->sections.addr, unit->addr_base + index * unit->address_size);
    uint64_t address = reader_uint(&reader, unit->address_size);
    if (reader.bad)
        return false;
    *ret_address = address;
    return true;
}

bool attribute_address(const struct unit *unit, const struct attribute *attribute, uint64_t *ret_address)
{
    switch (attribute->form) {
    case DW_FORM_addr:
        *ret_address = attribute->value;
        return true;
    case DW_FORM_addrx:
    case DW_FORM_addrx1:
    case DW_FORM_addrx2:
    case DW_FORM_addrx3:
    case DW_FORM_addrx4:
    case DW_FORM_GNU_addr_index:
        return unit_indexed_address(unit, attribute->value, ret_address);
    default:
        return false;
    }
}

static const char *indexed_string(const struct unit *unit, uint64_t index)
{
    if (index > UINT32_MAX)
        return "";
    struct reader reader =
        reader_at(unit->file->sections.str_offsets, unit->str_offsets_base + index * unit->offset_size);
    uint64_t offset = reader_uint(&reader, unit->offset_size);
    return reader.bad ? "" : bytes_str(unit->file->sections.str, offset);
}

const char *attribute_string(const struct unit *unit, const struct attribute *attribute)
{
    switch (attribute->form) {
    case DW_FORM_string:
        return attribute->str;
    case DW_FORM_strp:
        return bytes_str(unit->file->sections.str, attribute->value);
    case DW_FORM_line_strp:
        return bytes_str(unit->file->sections.line_str, attribute->value);
    case DW_FORM_strp_sup:
    case DW_FORM_GNU_strp_alt:
        return unit->file->supplement ? bytes_str(unit->file->supplement->sections.str, attribute->value)
                                      : "";
    case DW_FORM_strx:
    case DW_FORM_strx1:
    case DW_FORM_strx2:
    case DW_FORM_strx3:
    case DW_FORM_strx4:
    case DW_FORM_GNU_str_index:
        return indexed_string(unit, attribute->value);
    default:
        return "";
    }
}

struct die_ref attribute_reference(const struct unit *unit, const struct attribute *attribute)
{
    switch (attribute->form) {
    case DW_FORM_ref1:
    case DW_FORM_ref2:
    case DW_FORM_ref4:
    case DW_FORM_ref8:
    case DW_FORM_ref_udata:
        return (struct die_ref){unit->file, unit->offset + attribute->value};
    case DW_FORM_ref_addr:
        return (struct die_ref){unit->file, attribute->value};
    case DW_FORM_ref_sup4:
    case DW_FORM_ref_sup8:
    case DW_FORM_GNU_ref_alt:
        return (struct die_ref){unit->file->supplement, attribute->value};
    default:
        return (struct die_ref){0};
    }
}

bool attribute_is_constant(const struct attribute *attribute)
{
    switch (attribute->form) {
    case DW_FORM_data1:
    case DW_FORM_data2:
    case DW_FORM_data4:
    case DW_FORM_data8:
    case DW_FORM_udata:
    case DW_FORM_sdata:
    case DW_FORM_implicit_const:
        return true;
    default:
        return false;
    }
}
