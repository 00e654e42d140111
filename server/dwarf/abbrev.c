#include "dwarf/abbrev.h"

#include <dwarf.h>
#include <errno.h>

void abbrev_table_release(struct abbrev_table *table)
{
    vec_release(&table->abbrevs);
    vec_release(&table->attributes);
}

int form_fixed_size(uint16_t form, struct form_sizes sizes)
{
    switch (form) {
    case DW_FORM_flag_present:
    case DW_FORM_implicit_const:
        return 0;
    case DW_FORM_data1:
    case DW_FORM_ref1:
    case DW_FORM_flag:
    case DW_FORM_strx1:
    case DW_FORM_addrx1:
        return 1;
    case DW_FORM_data2:
    case DW_FORM_ref2:
    case DW_FORM_strx2:
    case DW_FORM_addrx2:
        return 2;
    case DW_FORM_strx3:
    case DW_FORM_addrx3:
        return 3;
    case DW_FORM_data4:
    case DW_FORM_ref4:
    case DW_FORM_ref_sup4:
    case DW_FORM_strx4:
    case DW_FORM_addrx4:
        return 4;
    case DW_FORM_data8:
    case DW_FORM_ref8:
    case DW_FORM_ref_sig8:
    case DW_FORM_ref_sup8:
        return 8;
    case DW_FORM_data16:
        return 16;
    case DW_FORM_addr:
        return sizes.address;
    case DW_FORM_ref_addr:
        return sizes.ref_addr;
    case DW_FORM_sec_offset:
    case DW_FORM_strp:
    case DW_FORM_line_strp:
    case DW_FORM_strp_sup:
    case DW_FORM_GNU_strp_alt:
    case DW_FORM_GNU_ref_alt:
        return sizes.offset;
    default:
        return -1;
    }
}

static int read_attributes(struct reader *reader, struct form_sizes sizes, struct abbrev_table *table,
                           struct abbrev *abbrev)
{
    int64_t size = 0;
    abbrev->first_attribute = (uint32_t)table->attributes.len;
    for (;;) {
        uint64_t name = reader_uleb(reader), form = reader_uleb(reader);
        int64_t implicit = form == DW_FORM_implicit_const ? reader_sleb(reader) : 0;
        if (reader->bad || name > UINT16_MAX || form > UINT16_MAX)
            return -EBADMSG;
        if (!name && !form)
            break;
        struct abbrev_attribute *attribute = vec_push(&table->attributes);
        if (!attribute)
            return -ENOMEM;
        *attribute = (struct abbrev_attribute){
            .name = (uint16_t)name,
            .form = (uint16_t)form,
            .size = (int8_t)form_fixed_size((uint16_t)form, sizes),
            .implicit = implicit,
        };
        size = size < 0 || attribute->size < 0 ? -1 : size + attribute->size;
    }
    abbrev->attribute_count = (uint32_t)(table->attributes.len - abbrev->first_attribute);
    abbrev->fixed_size = size > INT32_MAX ? -1 : (int32_t)size;
    return 0;
}

static int read_table(struct reader *reader, struct form_sizes sizes, struct abbrev_table *table)
{
    table->dense = true;
    for (;;) {
        uint64_t code = reader_uleb(reader);
        if (reader->bad || !code)
            return 0; /* a table that ends with its section is accepted */
        struct abbrev abbrev = {.code = code};
        uint64_t tag = reader_uleb(reader);
        abbrev.has_children = reader_u8(reader);
        abbrev.tag = tag > UINT16_MAX ? 0 : (uint16_t)tag;
        if (code != table->abbrevs.len + 1)
            table->dense = false;
        int r = read_attributes(reader, sizes, table, &abbrev);
        if (r < 0)
            return r;
        struct abbrev *slot = vec_push(&table->abbrevs);
        if (!slot)
            return -ENOMEM;
        *slot = abbrev;
    }
}

int abbrev_table_read(struct bytes bytes, struct form_sizes sizes, struct abbrev_table *ret_table)
{
    struct abbrev_table table = {0};
    struct reader reader = reader_of(bytes);
    int r = read_table(&reader, sizes, &table);
    if (r < 0) {
        abbrev_table_release(&table);
        return r;
    }
    *ret_table = table;
    return 0;
}

const struct abbrev *abbrev_find(const struct abbrev_table *table, uint64_t code)
{
    if (code - 1 < table->abbrevs.len && table->abbrevs.items[code - 1].code == code)
        return &table->abbrevs.items[code - 1];
    if (table->dense)
        return NULL;
    for (size_t i = 0; i < table->abbrevs.len; i++)
        if (table->abbrevs.items[i].code == code)
            return &table->abbrevs.items[i];
    return NULL;
}
