/* Split DWARF: the units that were left outside the executable, in .dwo files or in one .dwp package (DWARF 5
 * section 7.3, and GNU's form of it for DWARF 4). What stays inside are skeletons with line table and
 * addresses. */
#ifndef RSPROF_DWARF_SPLIT_UNITS_H
#define RSPROF_DWARF_SPLIT_UNITS_H

#include "dwarf/arena.h"
#include "dwarf/dwarf_file.h"
#include "dwarf/module.h"

struct split_unit {
    struct elf_image *image; /* owned; NULL: the package's */
    struct dwarf_file file;
    struct unit *unit; /* in `file` */
};

struct split_units {
    module_find_file_fn find_file;
    void *userdata;
    bool package_sought;
    struct elf_image *package; /* owned; NULL: there is none */
    VEC(struct split_unit *) units;
};

void split_units_release(struct split_units *units);

/* The unit that a skeleton stands for, its root read. −ENOENT: the skeleton is none, or its file was not
 * found, or is another build's. −ENOMEM. The result lives as long as `units`; the skeleton's file must live
 * as long. */
int split_units_find(struct split_units *units, const struct unit *skeleton, struct unit **ret_unit);

#endif
