#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

enum { ENTRY_EMPTY = 0, ENTRY_FULL, ENTRY_REMOVED };

struct map_entry {
    uint64_t key;
    uint64_t value;
    uint8_t state;
};

static size_t slot_of(uint64_t key, size_t capacity)
{
    key ^= key >> 32;
    key *= 0x9e3779b97f4a7c15ull;
    key ^= key >> 29;
    return (size_t)key & (capacity - 1);
}

void map_release(struct map *map)
{
    free(map->entries);
    *map = (struct map){0};
}

static struct map_entry *find(const struct map *map, uint64_t key)
{
    if (!map->capacity)
        return NULL;
    for (size_t slot = slot_of(key, map->capacity);; slot = (slot + 1) & (map->capacity - 1)) {
        struct map_entry *entry = &map->entries[slot];
        if (entry->state == ENTRY_EMPTY)
            return NULL;
        if (entry->state == ENTRY_FULL && entry->key == key)
            return entry;
    }
}

static void insert_new(struct map *map, uint64_t key, uint64_t value)
{
    size_t slot = slot_of(key, map->capacity);
    while (map->entries[slot].state != ENTRY_EMPTY)
        slot = (slot + 1) & (map->capacity - 1);
    map->entries[slot] = (struct map_entry){.key = key, .value = value, .state = ENTRY_FULL};
    map->used++;
    map->len++;
}

/* Rehashing also sweeps out what was removed, so it may keep the size. */
static int rehash(struct map *map)
{
    size_t capacity = map->capacity ? map->capacity : 64;
    while (map->len + 1 > capacity / 2)
        capacity *= 2;
    struct map grown = {.capacity = capacity, .entries = calloc(capacity, sizeof(struct map_entry))};
    if (!grown.entries)
        return -ENOMEM;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].state == ENTRY_FULL)
            insert_new(&grown, map->entries[i].key, map->entries[i].value);
    free(map->entries);
    *map = grown;
    return 0;
}

int map_put(struct map *map, uint64_t key, uint64_t value)
{
    struct map_entry *entry = find(map, key);
    if (entry) {
        entry->value = value;
        return 0;
    }
    if (!map->capacity || map->used + 1 > map->capacity / 4 * 3) {
        int r = rehash(map);
        if (r < 0)
            return r;
    }
    insert_new(map, key, value);
    return 0;
}

int map_get(const struct map *map, uint64_t key, uint64_t *ret_value)
{
    const struct map_entry *entry = find(map, key);
    if (!entry)
        return -ENOENT;
    *ret_value = entry->value;
    return 0;
}

int map_remove(struct map *map, uint64_t key)
{
    struct map_entry *entry = find(map, key);
    if (!entry)
        return -ENOENT;
    entry->state = ENTRY_REMOVED;
    map->len--;
    return 0;
}

bool map_next(const struct map *map, size_t *cursor, uint64_t *ret_key, uint64_t *ret_value)
{
    for (; *cursor < map->capacity; (*cursor)++) {
        const struct map_entry *entry = &map->entries[*cursor];
        if (entry->state != ENTRY_FULL)
            continue;
        *ret_key = entry->key;
        *ret_value = entry->value;
        (*cursor)++;
        return true;
    }
    return false;
}
