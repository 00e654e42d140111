/* Compiles a module's call frame information into the paged table that the BPF unwinder reads (module.h,
 * events.h). */
#ifndef RSPROF_DWARF_UNWIND_TABLE_H
#define RSPROF_DWARF_UNWIND_TABLE_H

#include "dwarf/elf_image.h"
#include "dwarf/module.h"

/* Pages a table may have: 1 GiB of code. */
#define UNWIND_PAGES_MAX (1u << 22)

/* Both: −ENODATA there is none, −EFBIG too large, −ENOMEM. `*ret_table` is the caller's to release. */
int unwind_table_compile_eh_frame(struct elf_image *image, struct unwind_table *ret_table);

/* From .debug_frame of `separate`, which may be `image` itself or its separate debug file. */
int unwind_table_compile_debug_frame(struct elf_image *image, struct elf_image *separate,
                                     struct unwind_table *ret_table);

#endif
