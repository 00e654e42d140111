#include "profile/stack_table.h"

#include <errno.h>
#include <string.h>

void stack_table_release(struct stack_table *table)
{
    for (size_t i = 0; i < table->stacks.len; i++) {
        free(table->stacks.items[i].frames);
        free(table->stacks.items[i].lines);
    }
    vec_release(&table->stacks);
    for (size_t i = 0; i < table->frames.len; i++) {
        free(table->frames.items[i].lines);
        free(table->frames.items[i].functions);
        vec_release(&table->frames.items[i].waiting);
    }
    vec_release(&table->frames);
    vec_release(&table->unknown);
    map_release(&table->frame_by_key);
}

int stack_table_grow(struct stack_table *table, uint32_t count)
{
    while (table->stacks.len < count) {
        struct stack *stack = vec_push(&table->stacks);
        if (!stack)
            return -ENOMEM;
        stack->yours_line = stack->leaf_line = NO_LINE;
    }
    return 0;
}

static int put_frame(struct stack_table *table, uint64_t key, uint32_t *ret_index)
{
    uint64_t known;
    if (map_get(&table->frame_by_key, key, &known) == 0) {
        *ret_index = (uint32_t)known;
        return 0;
    }
    struct frame *frame = vec_push(&table->frames);
    if (!frame)
        return -ENOMEM;
    frame->key = key;
    uint32_t index = (uint32_t)table->frames.len - 1;
    uint64_t *unknown = vec_push(&table->unknown);
    if (!unknown || map_put(&table->frame_by_key, key, index) < 0) {
        table->frames.len--;
        table->unknown.len -= unknown != NULL;
        return -ENOMEM;
    }
    *unknown = key;
    *ret_index = index;
    return 0;
}

static int wait_for_frame(struct frame *frame, uint32_t slot)
{
    uint32_t *waiting = vec_push(&frame->waiting);
    if (!waiting)
        return -ENOMEM;
    *waiting = slot;
    return 0;
}

int stack_table_add(struct stack_table *table, const struct stack_event *event,
                    const struct line_table *lines)
{
    int r = stack_table_grow(table, event->slot + 1);
    if (r < 0)
        return r;
    if (table->stacks.items[event->slot].frames)
        return -EEXIST;
    uint32_t *frames = calloc(event->frame_count + 1, sizeof(*frames));
    if (!frames)
        return -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < event->frame_count; i++) {
        r = put_frame(table, event->frames[i], &frames[i]);
        if (r == 0 && !table->frames.items[frames[i]].known)
            r = wait_for_frame(&table->frames.items[frames[i]], event->slot);
    }
    if (r < 0) {
        free(frames);
        return r;
    }
    struct stack *stack = &table->stacks.items[event->slot];
    stack->frames = frames;
    stack->frame_count = event->frame_count;
    stack->complete = event->end == STACK_COMPLETE;
    return stack_table_attribute(table, stack, lines);
}

static bool has_line(const uint32_t *lines, uint32_t count, uint32_t line)
{
    for (uint32_t i = 0; i < count; i++)
        if (lines[i] == line)
            return true;
    return false;
}

int stack_table_attribute(struct stack_table *table, struct stack *stack, const struct line_table *lines)
{
    size_t most = 0;
    for (uint32_t i = 0; i < stack->frame_count; i++)
        most += table->frames.items[stack->frames[i]].line_count;
    uint32_t *distinct = calloc(most + 1, sizeof(*distinct));
    if (!distinct)
        return -ENOMEM;
    uint32_t count = 0, yours = NO_LINE, leaf = NO_LINE;
    for (uint32_t i = 0; i < stack->frame_count; i++) {
        const struct frame *frame = &table->frames.items[stack->frames[i]];
        for (uint32_t j = 0; j < frame->line_count; j++) {
            uint32_t line = frame->lines[j];
            if (i == 0 && j == 0 && !lines->lines.items[line].yours)
                leaf = line;
            if (yours == NO_LINE && lines->lines.items[line].yours)
                yours = line;
            if (!has_line(distinct, count, line))
                distinct[count++] = line;
        }
    }
    free(stack->lines);
    stack->lines = distinct;
    stack->line_count = count;
    stack->yours_line = yours;
    stack->leaf_line = leaf;
    return 0;
}
