/* The stacks that the stub tells apart by itself: "Known stacks" in stub_abi.h. This side writes what the
 * stub walks by, and reads what it has counted.
 *
 * A stack has a number, given when it is taught and kept as long as the hook is attached; its counts only
 * grow. Lives on one thread. Errors: −ESRCH, −EFAULT: the target is gone; −ENOMEM. */
#ifndef RSPROF_HOOK_KNOWN_STACKS_H
#define RSPROF_HOOK_KNOWN_STACKS_H

#include "hook/stub_abi.h"

#include <stddef.h>
#include <sys/types.h>

struct known_stacks;

/* `data`: the address of the stub's struct hook_data, which knows no stacks yet. `mem_fd` (remote.h) must
 * outlive this. */
int known_stacks_new(pid_t pid, int mem_fd, uint64_t data, struct known_stacks **ret_known);
void known_stacks_free(struct known_stacks *known);

/* The rules at the stack's return addresses, which are the keys, innermost first; the last one is
 * HOOK_RULE_END. `number` is the caller's choice, below HOOK_STACKS. −ENOSPC: no room for it; −EINVAL: it
 * cannot be walked by rules. */
int known_stacks_teach(struct known_stacks *known, uint32_t number, const struct hook_entry *rules,
                       size_t count);

/* Code was mapped or unmapped: what stands at an address is another thing now. Counts stay. */
int known_stacks_forget(struct known_stacks *known);

/* What the stub has counted for the first `count` numbers, until the next call. */
int known_stacks_read(struct known_stacks *known, uint32_t count, const struct hook_stack **ret_stacks);

/* Looks up in which mappings the stacks lie that the stub has asked for since the last call. */
int known_stacks_find_mappings(struct known_stacks *known);

#endif
