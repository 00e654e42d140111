/* The names of functions, demangled once and kept. */
#ifndef RSPROF_DWARF_FUNCTION_NAMES_H
#define RSPROF_DWARF_FUNCTION_NAMES_H

#include "base/map.h"
#include "dwarf/arena.h"
#include "dwarf/attribute.h"

struct function_names {
    struct map by_die;    /* address of the DIE in memory → name */
    struct map by_symbol; /* address of the mangled name → name */
    struct arena *arena;  /* holds the names */
    bool full;            /* names with generic arguments */
};

void function_names_release(struct function_names *names);

/* The name of a function's DIE, following its abstract origin and specification to a linkage name, else to a
 * plain one behind its namespaces. "" if it has none, or out of memory. */
const char *function_names_of_die(struct function_names *names, struct die_ref die);

/* The name of a symbol, whose mangled name must stay where it is; `plain` is what DWARF calls the function,
 * or
 * "". */
const char *function_names_of_symbol(struct function_names *names, const char *mangled, const char *plain);

#endif
