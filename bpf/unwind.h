/* SPDX-License-Identifier: MIT
 *
 * Walks a user stack from compact unwind tables (events.h), without frame pointers.
 *
 * Compiled twice: into the BPF programs, and as ordinary C into the unit tests, which run it over stored
 * stacks. The includer defines, before the include, how the outside is reached:
 *
 *     static int unwind_read(void *to, __u32 size, __u64 address);       0, or negative
 *     static struct mapping *unwind_mapping(__u32 index);                 NULL past the end
 *     static void *unwind_table(__u32 module);                            NULL if it has none
 *     static union unwind_element *unwind_line(void *table, __u32 index);  see unwind_rows.h
 *
 * A walk never fails: it ends, and `end` says how. Source: System V AMD64 ABI 3.2.2 and 3.7, DWARF 5
 * section 6.4; the layout of a signal frame is the kernel's struct ucontext (asm/ucontext.h). */
#ifndef RSPROF_UNWIND_H
#define RSPROF_UNWIND_H

#include "unwind_rows.h"

#define UNWIND_WINDOW_WORDS 32
#define UNWIND_NO_WINDOW    (1ull << 63) /* no address of user space is near it */

struct unwind_walk {
    __u64 rip, rsp, rbp;
    __u64 rax;              /* where the frame is exact */
    __u64 hash;             /* of the frames so far */
    struct mapping mapping; /* the one of the last frame: most calls stay in their module */
    __u32 mapping_first, mapping_count;
    __u32 exact; /* rip is an instruction that was running, not a return address */
    __u32 busy;
    __u64 window_start; /* what of the stack was read last: frames lie side by side */
    __u64 window[UNWIND_WINDOW_WORDS];
    struct stack_event event; /* the result */
};

#define UNWIND_GREGS_OFFSET 40 /* of uc_mcontext.gregs in struct ucontext */
#define UNWIND_GREG_RBP     10
#define UNWIND_GREG_RAX     13
#define UNWIND_GREG_RSP     15
#define UNWIND_GREG_RIP     16

#define UNWIND_HASH_SEED 0x9ae16a3b2f90404full

static __always_inline __u64 unwind_hash(__u64 hash, __u64 frame)
{
    hash ^= frame;
    hash *= 0x9e3779b97f4a7c15ull;
    return hash ^ (hash >> 29);
}

static __always_inline int unwind_mapping_has(const struct mapping *mapping, __u64 address)
{
    return address >= mapping->start && address < mapping->end;
}

#define UNWIND_MAPPING_BISECTIONS 11 /* 2^10 = MAPPINGS_MAX */

/* Makes walk->mapping the mapping of the address; 0 if there is none. */
static __always_inline int unwind_find_mapping(struct unwind_walk *walk, __u64 address)
{
    if (unwind_mapping_has(&walk->mapping, address))
        return 1;
    __u32 low = walk->mapping_first, high = low + walk->mapping_count;
    for (int i = 0; i < UNWIND_MAPPING_BISECTIONS && low < high; i++) {
        __u32 middle = (low + high) / 2;
        struct mapping *mapping = unwind_mapping(middle);
        if (!mapping)
            return 0;
        if (address < mapping->start) {
            high = middle;
        } else if (address >= mapping->end) {
            low = middle + 1;
        } else {
            walk->mapping = *mapping;
            return 1;
        }
    }
    return 0;
}

/* Ends the walk. Always 1, so that a step can return it. */
static __always_inline long unwind_end(struct unwind_walk *walk, enum stack_end end)
{
    walk->event.end = end;
    return 1;
}

/* Reads a word of the stack, and those above it with it if it can. */
static __always_inline int unwind_word(struct unwind_walk *walk, __u64 address, __u64 *ret_word)
{
    __u64 offset = address - walk->window_start;
    if (offset > sizeof(walk->window) - 8 || offset % 8) {
        walk->window_start = address;
        if (unwind_read(walk->window, sizeof(walk->window), address)) {
            walk->window_start = UNWIND_NO_WINDOW;
            return unwind_read(ret_word, 8, address); /* the stack ends soon */
        }
        offset = 0;
    }
    *ret_word = walk->window[offset / 8 % UNWIND_WINDOW_WORDS];
    return 0;
}

static __always_inline long unwind_signal_frame(struct unwind_walk *walk)
{
    __u64 gregs = walk->rsp + UNWIND_GREGS_OFFSET, rip, rsp, rbp, rax;
    if (unwind_word(walk, gregs + UNWIND_GREG_RBP * 8, &rbp) ||
        unwind_word(walk, gregs + UNWIND_GREG_RAX * 8, &rax) ||
        unwind_word(walk, gregs + UNWIND_GREG_RSP * 8, &rsp) ||
        unwind_word(walk, gregs + UNWIND_GREG_RIP * 8, &rip))
        return unwind_end(walk, STACK_BAD_READ);
    walk->rip = rip;
    walk->rsp = rsp;
    walk->rbp = rbp;
    walk->rax = rax;
    walk->exact = 1;
    return 0;
}

/* Code without tables often keeps frame pointers. Believed only if the saved one lies above this frame. */
static __always_inline long unwind_by_frame_pointer(struct unwind_walk *walk, enum stack_end otherwise)
{
    __u64 rbp, rip;
    if (walk->rbp < walk->rsp || walk->rbp - walk->rsp > (1 << 20) || (walk->rbp & 7) ||
        unwind_word(walk, walk->rbp, &rbp) || unwind_word(walk, walk->rbp + 8, &rip) ||
        (rbp && rbp <= walk->rbp))
        return unwind_end(walk, otherwise);
    walk->rsp = walk->rbp + 16;
    walk->rbp = rbp;
    walk->rip = rip;
    walk->exact = 0;
    return rip ? 0 : unwind_end(walk, STACK_COMPLETE);
}

/* The CFA by the row's rule; how the walk ends if it cannot be had. */
static __always_inline enum stack_end unwind_cfa(struct unwind_walk *walk, struct unwind_row row,
                                                 __u64 *ret_cfa)
{
    __u64 saved;
    switch (row.kind) {
    case UNWIND_CFA_RSP:
    case UNWIND_CLONE:
        *ret_cfa = walk->rsp + row.cfa_offset;
        break;
    case UNWIND_CFA_RBP:
        *ret_cfa = walk->rbp + row.cfa_offset;
        break;
    case UNWIND_PLT:
        *ret_cfa = walk->rsp + 8 + ((walk->rip & 15) >= 11 ? 8 : 0);
        break;
    case UNWIND_CFA_RBP_DEREF:
        if (unwind_word(walk, walk->rbp + row.cfa_offset, &saved))
            return STACK_BAD_READ;
        *ret_cfa = saved;
        break;
    case UNWIND_CFA_RSP_DEREF:
        if (unwind_word(walk, walk->rsp + (row.cfa_offset >> 8), &saved))
            return STACK_BAD_READ;
        *ret_cfa = saved + (row.cfa_offset & 255);
        break;
    default:
        return STACK_UNSUPPORTED_RULE;
    }
    return *ret_cfa > walk->rsp ? STACK_COMPLETE : STACK_BAD_CFA;
}

static __always_inline long unwind_by_row(struct unwind_walk *walk, struct unwind_row row)
{
    __u64 cfa = 0, rip, rbp = walk->rbp;
    enum stack_end end = unwind_cfa(walk, row, &cfa);
    if (end != STACK_COMPLETE)
        return unwind_end(walk, end);
    /* rbp first: it lies below the return address, and is read with it. */
    __u64 rbp_at = row.kind == UNWIND_CFA_RBP_DEREF ? walk->rbp : cfa + row.rbp_offset;
    if ((rbp_at != cfa && unwind_word(walk, rbp_at, &rbp)) || unwind_word(walk, cfa - 8, &rip))
        return unwind_end(walk, STACK_BAD_READ);
    walk->rip = rip;
    walk->rsp = cfa;
    walk->rbp = rbp;
    walk->exact = 0;
    return rip ? 0 : unwind_end(walk, STACK_COMPLETE);
}

/* Keeps a frame; 0 when there is no room for it. */
static __always_inline int unwind_keep(struct unwind_walk *walk, __u64 frame)
{
    __u32 count = walk->event.frame_count;
    if (count >= STACK_MAX_FRAMES)
        return 0;
    walk->event.frames[count] = frame;
    walk->event.frame_count = count + 1;
    walk->hash = unwind_hash(walk->hash, frame);
    return 1;
}

/* Keeps the frame at rip and moves to its caller; 1 when the walk has ended. */
static __always_inline long unwind_step(struct unwind_walk *walk)
{
    __u64 address = walk->exact ? walk->rip : walk->rip - 1;
    int mapped = unwind_find_mapping(walk, address);
    __u64 frame = mapped ? ((__u64)walk->mapping.module << FRAME_ADDRESS_BITS) |
                               ((address - walk->mapping.bias) & FRAME_ADDRESS_MASK)
                         : ((__u64)FRAME_NO_MODULE << FRAME_ADDRESS_BITS) | (address & FRAME_ADDRESS_MASK);
    if (!unwind_keep(walk, frame))
        return unwind_end(walk, STACK_TRUNCATED);
    if (!mapped)
        return unwind_by_frame_pointer(walk, STACK_NO_MAPPING);
    if (!walk->mapping.page_count)
        return unwind_by_frame_pointer(walk, STACK_NO_TABLE);
    struct unwind_row row =
        unwind_find_row(&walk->mapping, unwind_table(walk->mapping.module), address - walk->mapping.bias);
    switch (row.kind) {
    case UNWIND_END:
        return unwind_end(walk, STACK_COMPLETE);
    case UNWIND_NONE:
        return unwind_by_frame_pointer(walk, STACK_NO_ROW);
    case UNWIND_SIGNAL:
        return unwind_signal_frame(walk);
    case UNWIND_CLONE:
        return walk->rax ? unwind_by_row(walk, row) : unwind_end(walk, STACK_COMPLETE);
    default:
        return unwind_by_row(walk, row);
    }
}

static __always_inline void unwind_begin(struct unwind_walk *walk, __u32 mapping_state)
{
    walk->hash = UNWIND_HASH_SEED;
    walk->mapping.start = walk->mapping.end = 0;
    walk->mapping_first = (mapping_state >> MAPPING_SET_SHIFT) * MAPPINGS_MAX;
    walk->mapping_count = mapping_state & ((1u << MAPPING_SET_SHIFT) - 1);
    walk->window_start = UNWIND_NO_WINDOW;
    walk->event.frame_count = 0;
    walk->event.end = STACK_TRUNCATED;
}

#endif
