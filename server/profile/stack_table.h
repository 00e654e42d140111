/* Stacks by slot: their frames, what they have counted, and the lines they stand for. */
#ifndef RSPROF_PROFILE_STACK_TABLE_H
#define RSPROF_PROFILE_STACK_TABLE_H

#include "events.h"
#include "profile/line_table.h"

#define NO_LINE    ((uint32_t)-1)
#define HEAP_SCALE 256.0 /* of bytes and blocks in struct heap_counts */

/* A physical frame, shared by all stacks that have it. */
struct frame {
    uint64_t key; /* as it crossed from the kernel */
    bool known;
    uint32_t line_count;
    uint32_t *lines;       /* its source frames, innermost first: indices of lines */
    uint32_t *functions;   /* their string ids: a line that several functions have bears one name only */
    VEC(uint32_t) waiting; /* slots to look at again when it becomes known */
};

/* What a stack has counted, as far as it has been added to its lines. */
struct stack_sums {
    int64_t window_user, window_kernel;
    int64_t user, kernel; /* since attach or reset */
    int64_t live_bytes, live_blocks, live_variance;
    int64_t window_alloc_bytes, window_alloc_blocks;
};

struct stack {
    uint32_t *frames; /* indices of frames, innermost first; NULL: never announced */
    uint32_t frame_count;
    bool complete;   /* its walk reached the outermost frame */
    bool outdated;   /* frames became known since its lines were worked out */
    uint32_t *lines; /* distinct lines of all known frames */
    uint32_t line_count;
    uint32_t yours_line; /* the innermost of your code, or NO_LINE */
    uint32_t leaf_line;  /* the innermost of all, where that is not your code, or NO_LINE */
    struct stack_sums sums;
    struct cpu_counts seen_cpu; /* the kernel's counters at the last tick */
    struct heap_counts seen_heap;
};

struct stack_table {
    VEC(struct stack) stacks; /* by slot */
    VEC(struct frame) frames;
    struct map frame_by_key;
    VEC(uint64_t) unknown; /* keys not yet given to the symbolizer */
};

void stack_table_release(struct stack_table *table);

/* Makes sure that slots below `count` exist. */
int stack_table_grow(struct stack_table *table, uint32_t count);
int stack_table_add(struct stack_table *table, const struct stack_event *event,
                    const struct line_table *lines);

/* Works out the stack's lines from those of its frames. */
int stack_table_attribute(struct stack_table *table, struct stack *stack, const struct line_table *lines);

#endif
