/* One ELF file, with the debug info that belongs to it: answers "which source frames does this address have?"
 * and "how is the stack walked from here?".
 *
 * Runs in the symbolizer only: it parses hostile input, may take long, and may die. Nothing here opens a file
 * by itself; what else is needed (separate debug info, .dwo, .dwp) is asked for through
 * `module_find_file_fn`. Each compile unit is indexed once, when its first address turns up, and answers from
 * memory after that. Errors: −ENOEXEC not an ELF file of this machine, −ENOMEM, −EBADMSG damaged. Damaged
 * debug info is not an error of `module_open`: it lowers `module_info.debug`. */
#ifndef RSPROF_DWARF_MODULE_H
#define RSPROF_DWARF_MODULE_H

#include "dwarf/frames.h"
#include "events.h"

struct module;

enum module_file_kind {
    MODULE_FILE_BUILD_ID,  /* separate debug file, by build id (name: lower-case hex) */
    MODULE_FILE_DEBUGLINK, /* separate debug file, by .gnu_debuglink name */
    MODULE_FILE_ALTLINK,   /* supplementary file, by .gnu_debugaltlink path */
    MODULE_FILE_DWO,       /* split unit, by path (comp_dir joined) */
    MODULE_FILE_DWP,       /* package beside the executable: <path of the executable>.dwp */
};

/* Gives a readable descriptor, the caller's to close, or negative errno (−ENOENT: there is none). */
typedef int (*module_find_file_fn)(void *userdata, enum module_file_kind kind, const char *name);

/* Opens the ELF file behind `fd` (not taken: it may be closed after this returns). `userdata` must outlive
 * the module. */
int module_open(int fd, module_find_file_fn find_file, void *userdata, struct module **ret_module);
void module_free(struct module *module);

/* Owned by the module. */
const struct module_info *module_info(const struct module *module);

/* Looks for the separate debug file now. Without this call that happens at once for modules with Rust code,
 * and for others when the first address is asked for, since a process has many of those: until then their
 * `debug` does not count it. −ENOMEM. */
int module_find_debug_info(struct module *module);

/* Function names with generic arguments instead of the short form. Set before the first question. */
void module_set_full_names(struct module *module, bool full);

/* Frames as DWARF and the symbol table have them, for comparing: line 0 is not mended from the neighbours in
 * the same function, and the symbol table's file name stands in where there is no other. */
void module_set_verbatim(struct module *module, bool verbatim);

/* The source frames of a link-time address, innermost first. `*ret_frames` and all strings are the module's;
 * the array is valid until the next call, the strings until `module_free`. An address that nothing is known
 * about has 0 frames. The caller subtracts 1 from return addresses first. */
int module_resolve(struct module *module, uint64_t address, const struct source_frame **ret_frames,
                   size_t *ret_count);

/* A module's unwind table in the layout of events.h: `page_count` pages, then the lines they refer to. The
 * first page covers link-time addresses from `start` (a multiple of 256) on. Owned by the caller,
 * `unwind_table_release` frees it. */
struct unwind_table {
    union unwind_element *elements;
    uint32_t element_count;
    uint32_t page_count;
    uint64_t start;
};

/* Compiles .eh_frame, else .debug_frame. −ENODATA when there is neither. */
int module_unwind_table(struct module *module, struct unwind_table *ret_table);
void unwind_table_release(struct unwind_table *table);

#endif
