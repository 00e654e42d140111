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
    /* As in the target; written here only. */
    struct hook_rule rules[HOOK_RULES];
    struct hook_stack_key keys[HOOK_KEYS];
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

/* The rule's place: its own, or an empty one. */
static int find_rule_place(const struct known_stacks *known, uint64_t return_address, uint32_t *ret_place)
{
    uint32_t home = hook_rule_index(return_address);
    for (uint32_t i = 0; i < HOOK_KEY_WINDOW; i++) {
        uint32_t place = (home + i) & (HOOK_RULES - 1);
        uint64_t there = known->rules[place].return_address;
        if (!there || there == return_address) {
            *ret_place = place;
            return 0;
        }
    }
    return -ENOSPC;
}

static int find_key_place(const struct known_stacks *known, uint64_t hash, uint32_t *ret_place)
{
    uint32_t home = hook_key_index(hash);
    for (uint32_t i = 0; i < HOOK_KEY_WINDOW; i++) {
        uint32_t place = (home + i) & (HOOK_KEYS - 1);
        uint64_t there = known->keys[place].hash;
        if (!there || there == hash) {
            *ret_place = place;
            return 0;
        }
    }
    return -ENOSPC;
}

/* The stub finds an entry by its first word, which is written last. */
static int write_entry(const struct known_stacks *known, uint64_t address, const uint64_t words[static 2])
{
    int r = remote_write_word(known->mem_fd, address + sizeof(words[0]), words[1]);
    return r < 0 ? r : remote_write_word(known->mem_fd, address, words[0]);
}

static int add_rule(struct known_stacks *known, const struct hook_rule *rule)
{
    uint32_t place;
    int r = find_rule_place(known, rule->return_address, &place);
    if (r < 0 || known->rules[place].return_address)
        return r;
    known->rules[place] = *rule;
    return write_entry(known, ADDRESS_OF(known, rules[place]), (const uint64_t *)rule);
}

static int add_key(struct known_stacks *known, uint64_t hash, uint32_t number)
{
    uint32_t place;
    int r = find_key_place(known, hash, &place);
    if (r < 0)
        return r;
    struct hook_stack_key *key = &known->keys[place];
    *key = (struct hook_stack_key){hash, number};
    return write_entry(known, ADDRESS_OF(known, keys[place]), (const uint64_t *)key);
}

int known_stacks_teach(struct known_stacks *known, uint32_t number, const struct hook_rule *rules,
                       size_t count)
{
    if (!count || count > HOOK_WALK_FRAMES || rules[count - 1].kind != HOOK_RULE_END)
        return -EINVAL;
    uint64_t hash = HOOK_HASH_SEED;
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        hash = hook_stack_hash(hash, rules[i].return_address);
        r = rules[i].return_address ? add_rule(known, &rules[i]) : -EINVAL;
    }
    return r < 0 ? r : add_key(known, hash, number);
}

int known_stacks_forget(struct known_stacks *known)
{
    int r = 0;
    for (uint32_t i = 0; i < HOOK_KEYS && r == 0; i++)
        if (known->keys[i].hash)
            r = remote_write_word(known->mem_fd, ADDRESS_OF(known, keys[i]), known->keys[i].hash = 0);
    for (uint32_t i = 0; i < HOOK_RULES && r == 0; i++)
        if (known->rules[i].return_address)
            r = remote_write_word(known->mem_fd, ADDRESS_OF(known, rules[i]),
                                  known->rules[i].return_address = 0);
    return r;
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

int known_stacks_find_mappings(struct known_stacks *known)
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
