/* The stub's own walk: is this one of the stacks that rsprof has taught it? See "Known stacks" in stub_abi.h.
 *
 * Reads the running thread's stack, between its stack pointer and the end of the mapping around it, and
 * nothing else. rsprof makes the same hashes. */
#ifndef RSPROF_HOOK_STUB_WALK_H
#define RSPROF_HOOK_STUB_WALK_H

#include "hook/stub_abi.h"

#define HOOK_WALK_FRAMES 128 /* STACK_MAX_FRAMES: the kernel truncates deeper stacks */
#define HOOK_HASH_SEED   0x9ae16a3b2f90404full

static inline uint64_t hook_stack_hash(uint64_t hash, uint64_t return_address)
{
    hash = (hash ^ return_address) * 0x9e3779b97f4a7c15ull;
    return hash ^ hash >> 29;
}

/* Where a table of so many entries (a power of two) is looked into first for a key. */
static inline uint32_t hook_entry_home(uint64_t key, uint32_t entries)
{
    return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32) & (entries - 1);
}

/* A key's entry; NULL: there is none. */
static inline const struct hook_entry *hook_entry_find(const struct hook_entry *table, uint32_t entries,
                                                       uint64_t key)
{
    uint32_t home = hook_entry_home(key, entries);
    for (uint32_t i = 0; i < HOOK_ENTRY_WINDOW; i++) {
        const struct hook_entry *entry = &table[(home + i) & (entries - 1)];
        if (__atomic_load_n(&entry->key, __ATOMIC_ACQUIRE) == key)
            return entry;
    }
    return 0;
}

/* Walks the stack from `frame` on, up to its outermost frame, by rules alone. The number of frames, or 0 when
 * the rules or the stack, which ends before `stack_end`, do not lead there. */
static inline uint32_t hook_walk(const struct hook_entry *rules, const struct hook_frame *frame,
                                 uint64_t stack_end, uint64_t *ret_hash)
{
    uint64_t rip = frame->rip, rsp = frame->rsp, rbp = frame->rbp, hash = HOOK_HASH_SEED;
    for (uint32_t count = 1; count <= HOOK_WALK_FRAMES; count++) {
        const struct hook_entry *entry = rip ? hook_entry_find(rules, HOOK_RULES, rip) : 0;
        if (!entry)
            return 0;
        const struct hook_rule *rule = &entry->rule;
        hash = hook_stack_hash(hash, rip);
        if (rule->kind == HOOK_RULE_END) {
            *ret_hash = hash;
            return count;
        }
        uint64_t cfa = (rule->kind == HOOK_RULE_RBP ? rbp : rsp) + (uint64_t)(int64_t)rule->cfa_offset;
        if (cfa < rsp + 8 || cfa > stack_end || cfa % 8)
            return 0;
        if (rule->rbp_offset) {
            uint64_t rbp_at = cfa + (uint64_t)(int64_t)rule->rbp_offset;
            if (rbp_at < rsp || rbp_at > cfa - 8 || rbp_at % 8)
                return 0;
            rbp = *(const uint64_t *)rbp_at;
        }
        rip = *(const uint64_t *)(cfa - 8);
        rsp = cfa;
    }
    return 0;
}

#endif
