/* Attribute values of DIEs. A value is read raw, and made an address, a string or a reference of with its
 * unit's bases. */
#ifndef RSPROF_DWARF_ATTRIBUTE_H
#define RSPROF_DWARF_ATTRIBUTE_H

#include "dwarf/dwarf_file.h"

struct attribute {
    uint16_t name, form;
    uint64_t value;  /* number, index or offset; the length of a block */
    const char *str; /* DW_FORM_string only */
};

/* A DIE that an attribute refers to. */
struct die_ref {
    const struct dwarf_file *file; /* NULL: it refers to nothing we know */
    uint64_t offset;               /* in its .debug_info */
};

/* Reads the next value; false if it is damaged or its form unknown (nothing after it can be read then). */
bool attribute_read(struct reader *reader, const struct unit *unit, const struct abbrev_attribute *as,
                    struct attribute *ret_attribute);

/* Steps over the next value; false as above. */
bool attribute_skip(struct reader *reader, const struct unit *unit, const struct abbrev_attribute *as);

/* Steps over all attributes of a DIE. */
bool attributes_skip(struct reader *reader, const struct unit *unit, const struct abbrev *abbrev);

bool attribute_address(const struct unit *unit, const struct attribute *attribute, uint64_t *ret_address);
const char *attribute_string(const struct unit *unit,
                             const struct attribute *attribute); /* "" if it is none */
struct die_ref attribute_reference(const struct unit *unit, const struct attribute *attribute);

/* True for forms that hold a plain number. */
bool attribute_is_constant(const struct attribute *attribute);

/* Entry `index` of the unit's part of .debug_addr. */
bool unit_indexed_address(const struct unit *unit, uint64_t index, uint64_t *ret_address);

/* The sizes of forms in a unit. */
struct form_sizes unit_form_sizes(const struct unit *unit);

#endif
