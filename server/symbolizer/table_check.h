/* Checks an unwind table that the child sent, so that the BPF unwinder can index it without looking. */
#ifndef RSPROF_SYMBOLIZER_TABLE_CHECK_H
#define RSPROF_SYMBOLIZER_TABLE_CHECK_H

#include "events.h"
#include "symbolizer/wire.h"

/* Maps the table behind `fd` (not taken) and checks it: sealed, of the size announced, every page's rows
 * inside, sorted and from offset 0 on. `*ret_elements` is the caller's to unmap. Errors: −EBADMSG, mmap's. */
int table_map(int fd, const struct wire_table *table, const union unwind_element **ret_elements);
void table_unmap(const union unwind_element *elements, const struct wire_table *table);

#endif
