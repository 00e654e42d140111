/* The DWARF of one file: its sections, and its units in the order of .debug_info.
 *
 * The sections belong to an elf_image that must outlive the file. A unit's header is read at once, its root
 * DIE and its abbreviations on first need. Source: DWARF 5 section 7.5, DWARF 4, and GNU's split DWARF for
 * DWARF 4. */
#ifndef RSPROF_DWARF_FILE_H
#define RSPROF_DWARF_FILE_H

#include "dwarf/abbrev.h"
#include "dwarf/elf_image.h"

struct dwarf_sections {
    struct bytes info, abbrev, str, line, line_str, ranges, rnglists, addr, str_offsets, aranges;
};

#define NO_OFFSET UINT64_MAX

struct dwarf_file;

struct unit {
    const struct dwarf_file *file;
    uint64_t offset, end; /* of the whole unit, in .debug_info */
    uint64_t first_die;
    uint64_t abbrev_offset;
    uint64_t dwo_id; /* DWARF 5: from the header; 4: from the root DIE */
    uint8_t version, type, address_size, offset_size;

    bool abbrevs_read;
    struct abbrev_table abbrevs; /* valid once `abbrevs_read` */

    /* From the root DIE, valid after unit_read_root. */
    bool root_read;
    uint16_t tag, language;
    const char *name, *comp_dir; /* "" if absent */
    const char *dwo_name;        /* the split unit's file; "" if this is not a skeleton */
    uint64_t line_offset;        /* in .debug_line; NO_OFFSET: none */
    uint64_t str_offsets_base, addr_base, rnglists_base;
    uint64_t gnu_ranges_base; /* added to what a split unit of DWARF 4 says of .debug_ranges */
    uint64_t low_pc;          /* the base of range lists; 0 if absent */
    bool has_pc;              /* the root DIE says which addresses are the unit's */
};

struct dwarf_file {
    struct dwarf_sections sections;
    VEC(struct unit) units;
    const struct dwarf_file *supplement; /* DW_FORM_*_sup and GNU *_alt refer to it; NULL: none */
    bool split;                          /* a .dwo, or a unit's part of a .dwp */
};

/* Reads the unit headers of sections that were filled in by the caller. Damage ends the list of units and is
 * no error. −ENOMEM. */
int dwarf_file_read_units(struct dwarf_file *file);

/* The sections of an image; `split` takes those named .dwo. */
struct dwarf_sections dwarf_sections_of(struct elf_image *image, bool split);
void dwarf_file_release(struct dwarf_file *file);

/* The unit that holds an offset of .debug_info; NULL if none does. */
struct unit *dwarf_file_unit_at(const struct dwarf_file *file, uint64_t offset);

/* Both do nothing the second time. −EBADMSG, −ENOMEM. */
int unit_read_abbrevs(struct unit *unit);
int unit_read_root(struct unit *unit);

#endif
