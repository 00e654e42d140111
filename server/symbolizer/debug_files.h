/* Finds and opens the files that a module's debug info is spread over: what `module_find_file_fn` asks for.
 *
 * Names come from hostile files. Only regular files are opened, in the root of the target when there is one,
 * and with the rights of the target's owner. */
#ifndef RSPROF_SYMBOLIZER_DEBUG_FILES_H
#define RSPROF_SYMBOLIZER_DEBUG_FILES_H

#include "dwarf/module.h"

#include <sys/types.h>

struct debug_file_places {
    const char *exe; /* path of the module where the target sees it */
    pid_t pid;       /* the target; 0: our own root */
};

/* A readable descriptor, the caller's; −ENOENT none, −EINVAL a name that is none, or open's errors.
 * `userdata` is a struct debug_file_places. */
int debug_file_find(void *userdata, enum module_file_kind kind, const char *name);

#endif
