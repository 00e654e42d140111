#include "profile/relations.h"

#include "base/map.h"

struct neighbour {
    uint32_t line;
    int64_t samples;
};

struct neighbours {
    VEC(struct neighbour) items;
    struct map by_line;
    int64_t samples; /* of the line itself */
};

static void add(struct neighbours *neighbours, uint32_t line, int64_t samples)
{
    uint64_t index;
    if (map_get(&neighbours->by_line, line, &index) == 0) {
        neighbours->items.items[index].samples += samples;
        return;
    }
    struct neighbour *slot = vec_push(&neighbours->items);
    if (slot) {
        *slot = (struct neighbour){line, samples};
        map_put(&neighbours->by_line, line, neighbours->items.len - 1);
    }
}

/* In a recursion, what called it is above its outermost call, and what it calls is below its innermost. */
static void visit(struct neighbours *neighbours, const struct stack_table *stacks, const struct stack *stack,
                  uint32_t line, bool callers)
{
    int64_t samples = stack->sums.window_user + stack->sums.window_kernel;
    uint32_t before = NO_LINE, inner = NO_LINE, outer = NO_LINE;
    bool found = false, take_next = false;
    for (uint32_t i = 0; i < stack->frame_count; i++) {
        const struct frame *frame = &stacks->frames.items[stack->frames[i]];
        for (uint32_t j = 0; j < frame->line_count; j++) {
            uint32_t here = frame->lines[j];
            if (take_next && here != line) {
                outer = here;
                take_next = false;
            }
            if (here == line) {
                if (!found)
                    inner = before;
                found = take_next = true;
            }
            before = here;
        }
    }
    if (!found)
        return;
    neighbours->samples += samples;
    uint32_t neighbour = callers ? (take_next ? NO_LINE : outer) : inner;
    if (neighbour != NO_LINE)
        add(neighbours, neighbour, samples);
}

static int more_first(const void *a, const void *b)
{
    int64_t x = ((const struct neighbour *)a)->samples, y = ((const struct neighbour *)b)->samples;
    return (x < y) - (x > y);
}

size_t relations_collect(const struct stack_table *stacks, const struct line_table *lines, uint32_t line,
                         bool callers, struct profile_relation *relations, size_t max)
{
    struct neighbours neighbours = {0};
    for (size_t i = 0; i < stacks->stacks.len; i++) {
        const struct stack *stack = &stacks->stacks.items[i];
        if (stack->sums.window_user + stack->sums.window_kernel > 0)
            visit(&neighbours, stacks, stack, line, callers);
    }
    size_t count = neighbours.items.len < max ? neighbours.items.len : max;
    if (count)
        qsort(neighbours.items.items, neighbours.items.len, sizeof(struct neighbour), more_first);
    for (size_t i = 0; i < count; i++) {
        const struct line *other = &lines->lines.items[neighbours.items.items[i].line];
        relations[i] = (struct profile_relation){
            .function = intern_str(&lines->strings, other->function),
            .file = intern_str(&lines->strings, other->file),
            .line = other->number,
            .share = (double)neighbours.items.items[i].samples / (double)neighbours.samples,
        };
    }
    vec_release(&neighbours.items);
    map_release(&neighbours.by_line);
    return count;
}
