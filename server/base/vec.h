/* A typed growable array, for code that would otherwise write the same realloc again.
 *
 *     VEC(struct mapping) maps = {0};
 *     struct mapping *slot = vec_push(&maps);   // NULL when out of memory
 *     vec_release(&maps);
 *
 * Pointers to elements are valid until the next push. */
#ifndef RSPROF_BASE_VEC_H
#define RSPROF_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define VEC(type)                                                                                            \
    struct {                                                                                                 \
        type *items;                                                                                         \
        size_t len, capacity;                                                                                \
    }

bool vec_grow_(void **items, size_t *capacity, size_t len, size_t item_size);

/* A pointer to a new, zeroed last element, or NULL when out of memory. */
#define vec_push(vec)                                                                                        \
    (vec_grow_((void **)&(vec)->items, &(vec)->capacity, (vec)->len, sizeof(*(vec)->items))                  \
         ? &(vec)->items[(vec)->len++]                                                                       \
         : NULL)

#define vec_release(vec)                                                                                     \
    do {                                                                                                     \
        free((vec)->items);                                                                                  \
        (vec)->items = NULL;                                                                                 \
        (vec)->len = (vec)->capacity = 0;                                                                    \
    } while (0)

#endif
