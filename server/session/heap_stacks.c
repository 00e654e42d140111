#include "session/heap_stacks.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>

/* A stack that blocks were sampled at. */
struct heap_stack {
    uint32_t slot;
    uint32_t site;
    uint32_t frame_count;
    struct hook_stack seen; /* what of the hook's counts was added to the probe's */
};

struct heap_stacks {
    struct known_stacks *known;
    VEC(struct heap_stack) stacks; /* by their number in the hook */
    size_t tried;                  /* the first so many were taught, or cannot be, since code last changed */
};

int heap_stacks_new(struct known_stacks *known, struct heap_stacks **ret_stacks)
{
    struct heap_stacks *stacks = calloc(1, sizeof(*stacks));
    if (!stacks)
        return -ENOMEM;
    stacks->known = known;
    *ret_stacks = stacks;
    return 0;
}

void heap_stacks_free(struct heap_stacks *stacks)
{
    if (!stacks)
        return;
    vec_release(&stacks->stacks);
    free(stacks);
}

int heap_stacks_add(struct heap_stacks *stacks, uint32_t slot)
{
    if (stacks->stacks.len >= HOOK_STACKS)
        return -ENOSPC;
    struct heap_stack *stack = vec_push(&stacks->stacks);
    if (!stack)
        return -ENOMEM;
    *stack = (struct heap_stack){.slot = slot};
    return 0;
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

static int teach(struct heap_stacks *stacks, const struct placed_modules *placed, const struct probe *probe,
                 const struct stack_view *view, uint32_t number)
{
    struct hook_entry rules[STACK_MAX_FRAMES];
    struct heap_stack *taught = &stacks->stacks.items[number];
    const struct viewed_stack stack = stack_view_stack(view, taught->slot);
    int r = 0;
    for (uint32_t i = 0; i < stack.frame_count && r == 0; i++) {
        const struct viewed_frame frame = stack_view_frame(view, stack.frames[i]);
        r = rule_of_frame(placed, probe, &frame, i + 1 == stack.frame_count, &rules[i]);
    }
    if (r < 0)
        return r;
    taught->site = hook_site_index(rules[0].key);
    taught->frame_count = stack.frame_count;
    return known_stacks_teach(stacks->known, number, rules, stack.frame_count);
}

int heap_stacks_teach(struct heap_stacks *stacks, const struct modules *modules, const struct probe *probe,
                      const struct stack_view *view)
{
    CLEANUP(placed_modules_release) struct placed_modules placed = {0};
    int r = stacks->tried < stacks->stacks.len ? place_modules(modules, &placed) : 0;
    while (r == 0 && stacks->tried < stacks->stacks.len) {
        r = teach(stacks, &placed, probe, view, (uint32_t)stacks->tried);
        if (r == -EINVAL || r == -ENOSPC)
            r = 0; /* it goes on through the kernel */
        stacks->tried += r == 0;
    }
    return r;
}

int heap_stacks_forget(struct heap_stacks *stacks)
{
    stacks->tried = 0;
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
    int r = known_stacks_read(stacks->known, (uint32_t)stacks->stacks.len, &counts);
    for (size_t i = 0; r == 0 && i < stacks->stacks.len; i++) {
        struct heap_stack *stack = &stacks->stacks.items[i];
        struct heap_counts more = difference(&counts[i], &stack->seen);
        probe_add_heap_counts(probe, stack->slot, &more);
        stack->seen = counts[i];
    }
    return r;
}

void heap_stacks_add_up(const struct heap_stacks *stacks, struct hook_site sites[static HOOK_SITES],
                        struct heap_events *events)
{
    for (size_t i = 0; i < stacks->stacks.len; i++) {
        const struct heap_stack *stack = &stacks->stacks.items[i];
        const struct hook_stack *seen = &stack->seen;
        struct hook_site *site = &sites[stack->site];
        site->samples += seen->samples;
        site->frees += seen->frees;
        site->bytes += seen->alloc_bytes / HOOK_COUNT_SCALE;
        site->freed_bytes += seen->freed_bytes / HOOK_COUNT_SCALE;
        site->blocks += seen->alloc_blocks * (HOOK_BLOCKS_SCALE / HOOK_COUNT_SCALE);
        events->known += seen->samples;
        events->known_frees += seen->frees;
        events->known_frames += seen->samples * stack->frame_count;
    }
}
