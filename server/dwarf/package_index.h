/* The index of a .dwp: which parts of the package's sections belong to a unit (DWARF 5 section 7.3.5; version
 * 2 is GNU's). */
#ifndef RSPROF_DWARF_PACKAGE_INDEX_H
#define RSPROF_DWARF_PACKAGE_INDEX_H

#include "dwarf/dwarf_file.h"

/* `bytes`: the index section. Narrows the sections of a package to the parts of the unit with this id.
 * −ENOENT: it holds no such unit. */
int package_index_narrow(struct bytes bytes, uint64_t dwo_id, struct dwarf_sections *sections);

#endif
