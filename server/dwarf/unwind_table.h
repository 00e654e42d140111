/* Compiles a module's call frame information into the paged table that the BPF unwinder reads (module.h,
 * events.h). */
#ifndef RSPROF_DWARF_UNWIND_TABLE_H
#define RSPROF_DWARF_UNWIND_TABLE_H

#include "dwarf/elf_image.h"
#include "dwarf/module.h"

/* Pages a table may have: 1 GiB of code. */
#define UNWIND_PAGES_MAX (1u << 22)

/* From .eh_frame of `image`, else .debug_frame of it or of `separate` (may be NULL). −ENODATA neither; −EFBIG
 * too large. */
int unwind_table_compile(struct elf_image *image, struct elf_image *separate, struct unwind_table *ret_table);

#endif
