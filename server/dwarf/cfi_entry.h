/* The common part of call frame entries (CIE), decoded. */
#ifndef RSPROF_DWARF_CFI_ENTRY_H
#define RSPROF_DWARF_CFI_ENTRY_H

#include "dwarf/cfi.h"

struct cfi_cie {
    uint64_t code_align;
    int64_t data_align;
    uint64_t return_register;
    uint8_t pointer_encoding;  /* DW_EH_PE_* of FDE addresses */
    bool has_fde_augmentation; /* FDEs hold sized augmentation data */
    bool signal_frame;
    const uint8_t *instructions, *end;
};

/* −EBADMSG: no CIE there, or one we cannot read. */
int cfi_read_cie(const struct cfi_section *section, uint64_t offset, struct cfi_cie *ret_cie);

#endif
