/* All debug info that belongs to one ELF file: its own or that of its separate debug file, its split units,
 * and the index of each unit that was asked for. */
#ifndef RSPROF_DWARF_DEBUG_INFO_H
#define RSPROF_DWARF_DEBUG_INFO_H

#include "dwarf/function_names.h"
#include "dwarf/indexed_unit.h"
#include "dwarf/module.h"

struct debug_info;

/* `image` must outlive the result. −ENODATA: there is none. −ENOMEM. */
int debug_info_open(struct elf_image *image, module_find_file_fn find_file, void *userdata,
                    struct debug_info **ret_info);
void debug_info_free(struct debug_info *info);

/* The file that the debug info was found in: `image` itself, or the separate debug file. */
struct elf_image *debug_info_image(struct debug_info *info);

/* The unit that holds an address, indexed. −ENOENT if none does; −ENOMEM. */
int debug_info_unit_at(struct debug_info *info, uint64_t address, struct indexed_unit **ret_unit);

/* True if the unit, one that was visited, was split off and its file cannot be found. */
bool debug_info_lacks_split(struct debug_info *info, const struct unit *unit);

/* Visits the root of each unit that has code: its name and comp_dir, "" if absent. Ends early when `visit`
 * returns false. */
void debug_info_visit_units(struct debug_info *info, bool (*visit)(void *userdata, const struct unit *unit),
                            void *userdata);

#endif
