/* The stacks of a profile as an export reads them: physical frames, and the calls that each stands for.
 *
 * Owner: the profile. A view, and what comes out of it, is valid until the profile's next tick or answer of
 * the symbolizer. `{0}` is a view of no stacks. */
#ifndef RSPROF_PROFILE_STACK_VIEW_H
#define RSPROF_PROFILE_STACK_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack_table;
struct line_table;

struct stack_view {
    const struct stack_table *stacks;
    const struct line_table *lines;
};

struct viewed_stack {
    const uint32_t *frames; /* their numbers, innermost first */
    uint32_t frame_count;
    bool complete;         /* it has frames, the outermost too */
    uint64_t user, kernel; /* CPU samples since attach or reset */
    /* Blocks allocated since attach, and those of them that live now. */
    double alloc_bytes, alloc_blocks, live_bytes, live_blocks;
};

struct viewed_frame {
    uint32_t module;     /* FRAME_NO_MODULE: the address is the target's own */
    uint64_t address;    /* link-time; of return addresses − 1 */
    uint32_t call_count; /* inlined calls and the function itself; 0: nothing is known of it (yet) */
};

/* A function at a place in its source. */
struct viewed_call {
    const char *function; /* short form; "": unknown */
    const char *file;     /* on this machine; "": unknown */
    uint32_t line;        /* 1-based; 0: unknown */
    bool yours;
};

/* Numbers of stacks and of frames count from 0. */
size_t stack_view_len(const struct stack_view *view);
struct viewed_stack stack_view_stack(const struct stack_view *view, size_t number);
size_t stack_view_frames_len(const struct stack_view *view);
struct viewed_frame stack_view_frame(const struct stack_view *view, uint32_t number);

/* The frame's calls by number, 0 the innermost. */
struct viewed_call stack_view_call(const struct stack_view *view, uint32_t frame, uint32_t number);

#endif
