/* The abbreviations of a unit: what a DIE of each code looks like (DWARF 5 section 7.5.3). */
#ifndef RSPROF_DWARF_ABBREV_H
#define RSPROF_DWARF_ABBREV_H

#include "base/vec.h"
#include "dwarf/bytes.h"

struct abbrev_attribute {
    uint16_t name, form;
    int8_t size;      /* bytes of the value; −1 if that varies or the form is unknown */
    int64_t implicit; /* the value, for DW_FORM_implicit_const */
};

struct abbrev {
    uint64_t code;
    uint32_t first_attribute, attribute_count; /* in abbrev_table.attributes */
    int32_t fixed_size;                        /* bytes of all attributes; −1 if it varies */
    uint16_t tag;
    bool has_children;
};

struct abbrev_table {
    VEC(struct abbrev) abbrevs;
    VEC(struct abbrev_attribute) attributes;
    bool dense; /* codes are 1, 2, 3 … */
};

/* How the sizes of forms depend on the unit. */
struct form_sizes {
    uint8_t address, offset, ref_addr;
};

void abbrev_table_release(struct abbrev_table *table);

/* Reads the table at the start of `bytes`. −EBADMSG, −ENOMEM. `*ret_table` is the caller's to release. */
int abbrev_table_read(struct bytes bytes, struct form_sizes sizes, struct abbrev_table *ret_table);

/* NULL if there is no such code. */
const struct abbrev *abbrev_find(const struct abbrev_table *table, uint64_t code);

/* Its attributes, attribute_count of them; NULL if there are none. */
static inline const struct abbrev_attribute *abbrev_attributes(const struct abbrev_table *table,
                                                               const struct abbrev *abbrev)
{
    return abbrev->attribute_count ? table->attributes.items + abbrev->first_attribute : NULL;
}

/* Bytes a value of the form takes; −1 if that varies or the form is unknown. */
int form_fixed_size(uint16_t form, struct form_sizes sizes);

#endif
