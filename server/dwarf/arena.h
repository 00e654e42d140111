/* Memory that lives as long as its owner and is freed at once: strings and small arrays of a module.
 * `{0}` is an empty arena. NULL when out of memory. */
#ifndef RSPROF_DWARF_ARENA_H
#define RSPROF_DWARF_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t left;                /* bytes free in the newest block */
};

void arena_release(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *str);

/* `a` + "/" + `b`, with one slash between them, and none if one of them is empty. */
char *arena_join_path(struct arena *arena, const char *a, const char *b);

#endif
