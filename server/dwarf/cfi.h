/* Call frame information: the FDEs of .eh_frame or .debug_frame, and the unwind rules each gives, row by row.
 *
 * libdw splits the sections into entries; the instructions are run here, since what libdw says of rows after
 * DW_CFA_restore_state is where the remembered row began, and since one pass over an FDE gives all its rows.
 * Sources: DWARF 5 section 6.4, the Linux Standard Base on .eh_frame, System V AMD64 ABI section 3.7
 * (registers). */
#ifndef RSPROF_DWARF_CFI_H
#define RSPROF_DWARF_CFI_H

#include "base/vec.h"
#include "dwarf/bytes.h"
#include "events.h"

struct cfi_section {
    struct bytes contents;
    uint64_t address; /* link-time address of the section, for pc-relative pointers; .eh_frame only */
    bool eh_frame;
};

/* A function's entry. */
struct cfi_fde {
    uint64_t low, high; /* link-time [low, high), never empty */
    uint64_t cie;       /* offset of its CIE */
    const uint8_t *instructions, *end;
};

struct cfi_fdes {
    VEC(struct cfi_fde) items;
};

/* A rule in force from `pc` on. */
struct cfi_rule {
    uint64_t pc;
    struct unwind_row row; /* its pc is not set */
};

struct cfi_rules {
    VEC(struct cfi_rule) items;
};

/* Appends all FDEs; damaged entries are left out. −ENOMEM. */
int cfi_read_fdes(const struct cfi_section *section, struct cfi_fdes *fdes);

/* Appends the rules of one FDE, from its low to its high, in order. −ENOMEM. */
int cfi_read_rules(const struct cfi_section *section, const struct cfi_fde *fde, struct cfi_rules *rules);

#endif
