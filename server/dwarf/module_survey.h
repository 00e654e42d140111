/* What can be said of a module at a glance: build id, load address, Rust or not, what debug info it has, its
 * allocator. */
#ifndef RSPROF_DWARF_MODULE_SURVEY_H
#define RSPROF_DWARF_MODULE_SURVEY_H

#include "dwarf/debug_info.h"

struct module_survey {
    struct module_info info;                     /* points into what follows */
    VEC(struct module_symbol) allocator_symbols; /* names are the images' */
};

/* `debug` may be NULL. Both must outlive the survey. −ENOMEM. `*ret_survey` is the caller's to release. */
int module_survey_take(struct elf_image *image, struct debug_info *debug, struct module_survey *ret_survey);
void module_survey_release(struct module_survey *survey);

#endif
