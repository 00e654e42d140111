#include "profile/stack_view.h"

#include "profile/stack_table.h"

size_t stack_view_len(const struct stack_view *view)
{
    return view->stacks ? view->stacks->stacks.len : 0;
}

static uint64_t positive(int64_t count)
{
    return count > 0 ? (uint64_t)count : 0;
}

struct viewed_stack stack_view_stack(const struct stack_view *view, size_t number)
{
    const struct stack *stack = &view->stacks->stacks.items[number];
    return (struct viewed_stack){
        .frames = stack->frames,
        .frame_count = stack->frame_count,
        .complete = stack->complete && stack->frame_count,
        .user = positive(stack->sums.user),
        .kernel = positive(stack->sums.kernel),
        .alloc_bytes = (double)stack->seen_heap.alloc_bytes / HEAP_SCALE,
        .alloc_blocks = (double)stack->seen_heap.alloc_blocks / HEAP_SCALE,
        .live_bytes = (double)positive(stack->sums.live_bytes) / HEAP_SCALE,
        .live_blocks = (double)positive(stack->sums.live_blocks) / HEAP_SCALE,
    };
}

size_t stack_view_frames_len(const struct stack_view *view)
{
    return view->stacks ? view->stacks->frames.len : 0;
}

struct viewed_frame stack_view_frame(const struct stack_view *view, uint32_t number)
{
    const struct frame *frame = &view->stacks->frames.items[number];
    return (struct viewed_frame){
        .module = (uint32_t)(frame->key >> FRAME_ADDRESS_BITS),
        .address = frame->key & FRAME_ADDRESS_MASK,
        .call_count = frame->line_count,
    };
}

struct viewed_call stack_view_call(const struct stack_view *view, uint32_t frame, uint32_t number)
{
    const struct frame *found = &view->stacks->frames.items[frame];
    const struct line *line = &view->lines->lines.items[found->lines[number]];
    return (struct viewed_call){
        .function = intern_str(&view->lines->strings, found->functions[number]),
        .file = intern_str(&view->lines->strings, line->file),
        .line = line->number,
        .yours = line->yours,
    };
}
