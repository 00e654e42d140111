#include "hook/known_stacks.h"

#include "base/cleanup.h"
#include "hook/remote.h"
#include "hook/stub/walk.h"
#include "target/maps.h"

#include <errno.h>
#include <stdlib.h>

struct known_stacks {
    pid_t pid;
    int mem_fd;
    uint64_t data;
    uint64_t seen_strangers;
    /* As in the target; written here only. */
    struct hook_entry rules[HOOK_RULES];
    struct hook_entry hashes[HOOK_HASHES];
    /* As last read. */
    struct hook_stack stacks[HOOK_STACKS];
    struct hook_thread threads[HOOK_THREADS];
};

#define ADDRESS_OF(known, member) ((known)->data + offsetof(struct hook_data, member))

int known_stacks_new(pid_t pid, int mem_fd, uint64_t data, struct known_stacks **ret_known)
{
    struct known_stacks *known = calloc(1, sizeof(*known));
    if (!known)
        return -ENOMEM;
    known->pid = pid;
    known->mem_fd = mem_fd;
    known->data = data;
    *ret_known = known;
    return 0;
}

void known_stacks_free(struct known_stacks *known)
{
    free(known);
}

/* ---- teaching ---- */

/* One of the two tables: ours, and where it lies in the target. */
struct table {
    struct hook_entry *entries;
    uint32_t len;
    uint64_t address;
};

static struct table rules_of(struct known_stacks *known)
{
    return (struct table){known->rules, HOOK_RULES, ADDRESS_OF(known, rules)};
}

static struct table hashes_of(struct known_stacks *known)
{
    return (struct table){known->hashes, HOOK_HASHES, ADDRESS_OF(known, hashes)};
}

/* An entry's place: its own, or an empty one. */
static int find_place(const struct table *table, uint64_t key, uint32_t *ret_place)
{
    uint32_t home = hook_entry_home(key, table->len);
    for (uint32_t i = 0; i < HOOK_ENTRY_WINDOW; i++) {
        uint32_t place = (home + i) & (table->len - 1);
        if (!table->entries[place].key || table->entries[place].key == key) {
            *ret_place = place;
            return 0;
        }
    }
    return -ENOSPC;
}

/* The stub finds an entry by its key, which is written last. One that is there already stays. */
static int add_entry(const struct known_stacks *known, const struct table *table,
                     const struct hook_entry *entry)
{
    uint32_t place;
    int r = entry->key ? find_place(table, entry->key, &place) : -EINVAL;
    if (r < 0 || table->entries[place].key)
        return r;
    table->entries[place] = *entry;
    uint64_t address = table->address + place * sizeof(*entry);
    r = remote_write_word(known->mem_fd, address + offsetof(struct hook_entry, stack), entry->stack);
    return r < 0 ? r : remote_write_word(known->mem_fd, address, entry->key);
}

static int clear(const struct known_stacks *known, const struct table *table)
{
    int r = 0;
    for (uint32_t i = 0; i < table->len && r == 0; i++) {
        if (!table->entries[i].key)
            continue;
        table->entries[i].key = 0;
        r = remote_write_word(known->mem_fd, table->address + i * sizeof(table->entries[i]), 0);
    }
    return r;
}

int known_stacks_teach(struct known_stacks *known, uint32_t number, const struct hook_entry *rules,
                       size_t count)
{
    if (!count || count > HOOK_WALK_FRAMES || rules[count - 1].rule.kind != HOOK_RULE_END)
        return -EINVAL;
    const struct table rule_table = rules_of(known), hash_table = hashes_of(known);
    uint64_t hash = HOOK_HASH_SEED;
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        hash = hook_stack_hash(hash, rules[i].key);
        r = add_entry(known, &rule_table, &rules[i]);
    }
    return r < 0 ? r : add_entry(known, &hash_table, &(struct hook_entry){.key = hash, .stack = number});
}

int known_stacks_forget(struct known_stacks *known)
{
    const struct table rule_table = rules_of(known), hash_table = hashes_of(known);
    int r = clear(known, &hash_table);
    return r < 0 ? r : clear(known, &rule_table);
}

/* ---- counts ---- */

int known_stacks_read(struct known_stacks *known, uint32_t count, const struct hook_stack **ret_stacks)
{
    int r = remote_read(known->mem_fd, ADDRESS_OF(known, stacks), known->stacks,
                        count * sizeof(known->stacks[0]));
    if (r < 0)
        return r;
    *ret_stacks = known->stacks;
    return 0;
}

/* ---- where stacks lie ---- */

static const struct memory_map *find_map(const struct memory_maps *maps, uint64_t address)
{
    for (size_t i = 0; i < maps->len; i++)
        if (address >= maps->items[i].start && address < maps->items[i].end)
            return maps->items[i].writable ? &maps->items[i] : NULL;
    return NULL;
}

/* The end first becomes 0: the stub believes no pair that is half written. A thread's own memory, at its
 * thread pointer, lies above its stack in the same mapping, and what comes after may belong to others. */
static int set_stack(const struct known_stacks *known, uint32_t place, const struct memory_map *map)
{
    const struct hook_thread *thread = &known->threads[place];
    uint64_t end = thread->owner > thread->stranger && thread->owner < map->end ? thread->owner : map->end;
    int r = remote_write_word(known->mem_fd, ADDRESS_OF(known, threads[place].stack_end), 0);
    if (r == 0)
        r = remote_write_word(known->mem_fd, ADDRESS_OF(known, threads[place].stack_start), map->start);
    if (r == 0)
        r = remote_write_word(known->mem_fd, ADDRESS_OF(known, threads[place].stack_end), end & ~7ull);
    return r;
}

static int find_mappings(struct known_stacks *known)
{
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    int r = remote_read(known->mem_fd, ADDRESS_OF(known, threads), known->threads, sizeof(known->threads));
    if (r == 0)
        r = memory_maps_read(known->pid, &maps);
    for (uint32_t i = 0; i < HOOK_THREADS && r == 0; i++) {
        const struct hook_thread *thread = &known->threads[i];
        bool inside = thread->stranger >= thread->stack_start && thread->stranger < thread->stack_end;
        const struct memory_map *map = thread->stranger && !inside ? find_map(&maps, thread->stranger) : NULL;
        if (map)
            r = set_stack(known, i, map);
    }
    return r;
}

int known_stacks_find_mappings(struct known_stacks *known)
{
    uint64_t strangers;
    int r = remote_read(known->mem_fd, ADDRESS_OF(known, header.counters.strangers), &strangers,
                        sizeof(strangers));
    if (r == 0 && strangers != known->seen_strangers)
        r = find_mappings(known);
    if (r == 0)
        known->seen_strangers = strangers;
    return r;
}
