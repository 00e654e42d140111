/* Sampled heap tracking in a session: the hook in the target, the uprobes on its probe sites, and the
 * governor that spends its samples. Owned by the session; stopping puts the target back as it was. */
#ifndef RSPROF_SESSION_HEAP_HOOK_H
#define RSPROF_SESSION_HEAP_HOOK_H

#include "probe/probe.h"
#include "profile/stack_view.h"
#include "session/heap_credit.h"
#include "session/modules.h"

struct heap_hook;

/* −ENODATA: no call of an allocator was found that can be hooked; −ENOEXEC: calls are direct, and a function
 * begins with code that no jump can take the place of; else as hook_new and probe_start_sampled_heap.
 * `interval_bytes`: mean bytes between samples; 0: chosen from what the target does. */
int heap_hook_start(const struct modules *modules, struct probe *probe, uint64_t interval_bytes,
                    struct heap_hook **ret_hook);
void heap_hook_stop(struct heap_hook *hook);

/* Hooks modules that were loaded since, and words that were bound since. −ENODATA: there are none; else as
 * hook_patch and hook_install. */
int heap_hook_extend(struct heap_hook *hook, const struct modules *modules);

/* Adds to the probe's counts what the hook has counted by itself since the last call. */
int heap_hook_count(struct heap_hook *hook, struct probe *probe);

/* A new stack, of a block that the hook sampled. −ENOSPC: the hook knows as many as it can. */
int heap_hook_add_stack(struct heap_hook *hook, uint32_t slot);

/* Teaches the hook to count blocks by itself at the stacks that were added. */
int heap_hook_teach(struct heap_hook *hook, const struct modules *modules, const struct probe *probe,
                    const struct stack_view *stacks);

/* Code was mapped or unmapped: what the hook knows may stand at other addresses now. */
int heap_hook_forget_stacks(struct heap_hook *hook);

/* Each tick, `seconds` after the last: says that we live, and moves the rates. */
int heap_hook_tick(struct heap_hook *hook, double seconds, const struct heap_hook_budget *budget);

struct heap_hook_stats {
    uint64_t interval_bytes; /* mean bytes that a sample stands for, of the samples since the last tick; 0:
                                every allocation */
    uint64_t samples, kernel_samples; /* in all, and those that went through the kernel */
    uint64_t known_cost_ns;           /* of the target's time so far, for samples that did not */
    uint64_t unseen; /* of all samples, those whose block was freed in a way that does not come to the hook */
    uint64_t lost;   /* samples that found no place, and those whose end was not seen */
    size_t unbound;  /* words that calls will go through once they are bound: heap_hook_extend then */
    size_t other;    /* words that lead to a second allocator of the same names, uncounted */
};

void heap_hook_stats(const struct heap_hook *hook, struct heap_hook_stats *ret_stats);

#endif
