/* A hash map from a 64-bit key to a 64-bit value (an index, or a pointer cast through uintptr_t).
 *
 * Open addressing with linear probing; grows at 3/4 load. `{0}` is an empty map. Values that are pointers
 * stay the property of whoever put them in. Errors: −ENOMEM; −ENOENT for a key that is not there. */
#ifndef RSPROF_BASE_MAP_H
#define RSPROF_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map {
    struct map_entry *entries;
    size_t len;
    size_t used;     /* entries and tombstones */
    size_t capacity; /* 0 or a power of two */
};

void map_release(struct map *map);
int map_put(struct map *map, uint64_t key, uint64_t value);
int map_get(const struct map *map, uint64_t key, uint64_t *ret_value);
int map_remove(struct map *map, uint64_t key);

/* Visits every entry: start with `*cursor` 0; false when there is none left. The map must not change
 * meanwhile. */
bool map_next(const struct map *map, size_t *cursor, uint64_t *ret_key, uint64_t *ret_value);

#endif
