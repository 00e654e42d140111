/* The stacks of a session that the hook in the target tells apart by itself: which slots they are, and what
 * was counted for them there. Owned by heap_hook.c. Errors: those of hook/known_stacks.h. */
#ifndef RSPROF_SESSION_HEAP_STACKS_H
#define RSPROF_SESSION_HEAP_STACKS_H

#include "hook/known_stacks.h"
#include "probe/probe.h"
#include "profile/stack_view.h"
#include "session/heap_credit.h"
#include "session/modules.h"

struct heap_stacks;

/* `known` must outlive this. */
int heap_stacks_new(struct known_stacks *known, struct heap_stacks **ret_stacks);
void heap_stacks_free(struct heap_stacks *stacks);

/* A new stack, of a block that the hook sampled. −ENOSPC: the hook knows as many as it can. */
int heap_stacks_add(struct heap_stacks *stacks, uint32_t slot);

/* Teaches the hook the stacks that were added since the last call, where they can be walked by rules alone.
 * Stacks in `view` have the numbers of their slots. */
int heap_stacks_teach(struct heap_stacks *stacks, const struct modules *modules, const struct probe *probe,
                      const struct stack_view *view);

/* Code was mapped or unmapped: all are taught anew. */
int heap_stacks_forget(struct heap_stacks *stacks);

/* Adds to the probe's counts what the hook has counted since the last call. */
int heap_stacks_count(struct heap_stacks *stacks, struct probe *probe);

/* Adds what the hook had counted by the last call of heap_stacks_count to what it says of its sites, and to
 * the known ones of `events`. */
void heap_stacks_add_up(const struct heap_stacks *stacks, struct hook_site sites[static HOOK_SITES],
                        struct heap_events *events);

#endif
