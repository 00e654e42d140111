#include "session/heap_stacks.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>

#define UNTAUGHT UINT32_MAX

/* A slot that was given a number of the hook. */
struct numbered {
    uint32_t slot;
    uint32_t site;
    uint32_t frame_count;
    struct hook_stack seen; /* what of its counts was added to the probe's */
};

struct heap_stacks {
    struct known_stacks *known;
    VEC(struct numbered) numbered; /* by number */
    struct {
        uint32_t number; /* UNTAUGHT: none yet */
        bool tried;      /* since code last changed */
    } slots[STACK_SLOTS_MAX];
};

int heap_stacks_new(struct known_stacks *known, struct heap_stacks **ret_stacks)
{
    struct heap_stacks *stacks = calloc(1, sizeof(*stacks));
    if (!stacks)
        return -ENOMEM;
    stacks->known = known;
    for (size_t i = 0; i < STACK_SLOTS_MAX; i++)
        stacks->slots[i].number = UNTAUGHT;
    *ret_stacks = stacks;
    return 0;
}

void heap_stacks_free(struct heap_stacks *stacks)
{
    if (!stacks)
        return;
    vec_release(&stacks->numbered);
    free(stacks);
}

/* ---- teaching ---- */

/* The stub can follow rules that name a register, and the outermost frame. */
static int rule_of_row(const struct unwind_row *row, struct hook_rule *ret_rule)
{
    static const enum hook_rule_kind kinds[] = {
        [UNWIND_CFA_RSP] = HOOK_RULE_RSP, [UNWIND_CFA_RBP] = HOOK_RULE_RBP, [UNWIND_END] = HOOK_RULE_END};
    if (row->kind >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[row->kind])
        return -EINVAL;
    ret_rule->kind = kinds[row->kind];
    ret_rule->cfa_offset = row->cfa_offset;
    ret_rule->rbp_offset = row->rbp_offset;
    return 0;
}

/* Where each module's code lies now. */
struct placed_modules {
    struct mapping *mappings;
    const struct mapping *by_number[MODULES_MAX];
};

static void placed_modules_release(struct placed_modules *placed)
{
    free(placed->mappings);
}

static int place_modules(const struct modules *modules, struct placed_modules *ret_placed)
{
    size_t count;
    int r = modules_mappings(modules, &ret_placed->mappings, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct mapping *mapping = &ret_placed->mappings[i];
        if (mapping->module < MODULES_MAX && !ret_placed->by_number[mapping->module])
            ret_placed->by_number[mapping->module] = mapping;
    }
    return r;
}

/* `last`: the walk ended there. Where it did so for want of a rule, as in the start-up code of musl, that is
 * as good as the outermost frame: only frame pointers could lead on, which may be anything there. */
static int rule_of_frame(const struct placed_modules *placed, const struct probe *probe,
                         const struct viewed_frame *frame, bool last, struct hook_entry *ret_rule)
{
    const struct mapping *mapping = frame->module < MODULES_MAX ? placed->by_number[frame->module] : NULL;
    if (!mapping)
        return -EINVAL;
    struct unwind_row row = probe_unwind_row(probe, mapping, frame->address);
    if (last && mapping->page_count && row.kind == UNWIND_NONE)
        row.kind = UNWIND_END;
    ret_rule->key = frame->address + 1 + mapping->bias;
    return rule_of_row(&row, &ret_rule->rule);
}

static int give_number(struct heap_stacks *stacks, uint32_t slot)
{
    if (stacks->slots[slot].number != UNTAUGHT)
        return 0;
    if (stacks->numbered.len >= HOOK_STACKS)
        return -ENOSPC;
    struct numbered *numbered = vec_push(&stacks->numbered);
    if (!numbered)
        return -ENOMEM;
    *numbered = (struct numbered){.slot = slot};
    stacks->slots[slot].number = (uint32_t)(stacks->numbered.len - 1);
    return 0;
}

static int teach(struct heap_stacks *stacks, const struct placed_modules *placed, const struct probe *probe,
                 const struct stack_view *view, uint32_t slot)
{
    struct hook_entry rules[STACK_MAX_FRAMES];
    const struct viewed_stack stack = stack_view_stack(view, slot);
    int r = 0;
    for (uint32_t i = 0; i < stack.frame_count && r == 0; i++) {
        const struct viewed_frame frame = stack_view_frame(view, stack.frames[i]);
        r = rule_of_frame(placed, probe, &frame, i + 1 == stack.frame_count, &rules[i]);
    }
    if (r == 0)
        r = give_number(stacks, slot);
    if (r < 0)
        return r;
    uint32_t number = stacks->slots[slot].number;
    struct numbered *numbered = &stacks->numbered.items[number];
    numbered->site = hook_site_index(rules[0].key);
    numbered->frame_count = stack.frame_count;
    return known_stacks_teach(stacks->known, number, rules, stack.frame_count);
}

/* Whether blocks were allocated there that the hook could have counted by itself. */
static bool is_to_be_taught(const struct heap_stacks *stacks, const struct stack_view *view, uint32_t slot)
{
    if (stacks->slots[slot].tried)
        return false;
    return stack_view_stack(view, slot).alloc_blocks > 0;
}

int heap_stacks_teach(struct heap_stacks *stacks, const struct modules *modules, const struct probe *probe,
                      const struct stack_view *view)
{
    CLEANUP(placed_modules_release) struct placed_modules placed = {0};
    uint32_t count = (uint32_t)stack_view_len(view);
    for (uint32_t slot = 0; slot < count; slot++) {
        if (!is_to_be_taught(stacks, view, slot))
            continue;
        int r = placed.mappings ? 0 : place_modules(modules, &placed);
        if (r == 0)
            r = teach(stacks, &placed, probe, view, slot);
        if (r < 0 && r != -EINVAL && r != -ENOSPC)
            return r;
        stacks->slots[slot].tried = true; /* one that cannot be taught goes on through the kernel */
    }
    return 0;
}

int heap_stacks_forget(struct heap_stacks *stacks)
{
    for (size_t i = 0; i < STACK_SLOTS_MAX; i++)
        stacks->slots[i].tried = false;
    return known_stacks_forget(stacks->known);
}

/* ---- counting ---- */

static struct heap_counts difference(const struct hook_stack *now, const struct hook_stack *seen)
{
    return (struct heap_counts){
        now->alloc_bytes - seen->alloc_bytes,     now->alloc_blocks - seen->alloc_blocks,
        now->freed_bytes - seen->freed_bytes,     now->freed_blocks - seen->freed_blocks,
        now->live_variance - seen->live_variance,
    };
}

int heap_stacks_count(struct heap_stacks *stacks, struct probe *probe)
{
    const struct hook_stack *counts;
    int r = known_stacks_read(stacks->known, (uint32_t)stacks->numbered.len, &counts);
    for (size_t i = 0; r == 0 && i < stacks->numbered.len; i++) {
        struct numbered *numbered = &stacks->numbered.items[i];
        struct heap_counts more = difference(&counts[i], &numbered->seen);
        probe_add_heap_counts(probe, numbered->slot, &more);
        numbered->seen = counts[i];
    }
    return r;
}

void heap_stacks_add_up(const struct heap_stacks *stacks, struct hook_site sites[static HOOK_SITES],
                        struct heap_events *events)
{
    for (size_t i = 0; i < stacks->numbered.len; i++) {
        const struct numbered *numbered = &stacks->numbered.items[i];
        const struct hook_stack *seen = &numbered->seen;
        struct hook_site *site = &sites[numbered->site];
        site->samples += seen->samples;
        site->frees += seen->frees;
        site->bytes += seen->alloc_bytes / HOOK_COUNT_SCALE;
        site->freed_bytes += seen->freed_bytes / HOOK_COUNT_SCALE;
        site->blocks += seen->alloc_blocks * (HOOK_BLOCKS_SCALE / HOOK_COUNT_SCALE);
        events->known += seen->samples;
        events->known_frees += seen->frees;
        events->known_frames += seen->samples * numbered->frame_count;
    }
}
