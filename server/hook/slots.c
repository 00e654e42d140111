#include "hook/slots.h"

#include "base/vec.h"
#include "hook/injector.h"
#include "hook/remote.h"

#include <errno.h>

static const struct memory_map *map_at(const struct memory_maps *maps, uint64_t address)
{
    for (size_t i = 0; i < maps->len; i++)
        if (address >= maps->items[i].start && address < maps->items[i].end)
            return &maps->items[i];
    return NULL;
}

/* The module's own file, by its first mapping: .got and .bss lie in anonymous parts at times. */
static bool same_file(const struct memory_map *a, const struct memory_map *b)
{
    return a && b && a->inode && a->inode == b->inode && a->device == b->device;
}

enum verdict { SLOT_GOOD, SLOT_UNBOUND, SLOT_MISMATCH };

static enum verdict judge(const struct hook_candidate *candidate, uint64_t word, int mem_fd,
                          const struct memory_maps *maps, uint64_t bias)
{
    uint64_t real = word;
    while (injector_see_through(maps, mem_fd, real, &real) == 0)
        ;
    const struct memory_map *code = map_at(maps, real);
    if (!code || !code->executable)
        return SLOT_MISMATCH;
    if (candidate->target)
        return real == candidate->target + bias ? SLOT_GOOD : SLOT_MISMATCH;
    if (!candidate->defined && same_file(map_at(maps, candidate->address + bias), code))
        return SLOT_UNBOUND;
    return SLOT_GOOD;
}

int hook_slots_add(struct hook_slots *slots, int mem_fd, const struct memory_maps *maps, uint64_t bias,
                   const struct hook_scan *scan)
{
    for (size_t i = 0; i < scan->candidate_count; i++) {
        const struct hook_candidate *candidate = &scan->candidates[i];
        uint64_t address = candidate->address + bias, word;
        if (remote_read(mem_fd, address, &word, sizeof(word)) < 0) {
            slots->mismatch++;
            continue;
        }
        switch (judge(candidate, word, mem_fd, maps, bias)) {
        case SLOT_GOOD: {
            struct hook_slot *slot = vec_push(slots);
            if (!slot)
                return -ENOMEM;
            *slot = (struct hook_slot){address, word, (enum hook_function)candidate->function};
            break;
        }
        case SLOT_UNBOUND:
            slots->unbound++;
            break;
        case SLOT_MISMATCH:
            slots->mismatch++;
            break;
        }
    }
    return 0;
}

void hook_slots_release(struct hook_slots *slots)
{
    vec_release(slots);
    slots->unbound = slots->mismatch = 0;
}
