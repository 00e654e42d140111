/* From candidates (slot_scan.h) to slots (hook.h): looks at the words in the target's memory, and takes those
 * that hold what they should.
 *
 * A named word must point to code; one that points into its own module, though the function is another's, is
 * not bound yet (lazy binding) and left alone, as the real function is not known. A valued word must hold
 * exactly its function. Either may hold a stub's entry already, from an rsprof that was killed. */
#ifndef RSPROF_HOOK_SLOTS_H
#define RSPROF_HOOK_SLOTS_H

#include "hook/hook.h"
#include "hook/slot_scan.h"
#include "target/maps.h"

struct hook_slots {
    struct hook_slot *items;
    size_t len, capacity;
    size_t unbound;  /* candidates left alone: not bound yet */
    size_t mismatch; /* … holding something else */
};

/* Appends the slots of one module. `bias` is what its link-time addresses are off by. `mem_fd` as in
 * remote.h. */
int hook_slots_add(struct hook_slots *slots, int mem_fd, const struct memory_maps *maps, uint64_t bias,
                   const struct hook_scan *scan);
void hook_slots_release(struct hook_slots *slots);

#endif
