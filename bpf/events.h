/* SPDX-License-Identifier: MIT
 *
 * The ABI between the BPF programs and user space: everything that crosses is declared here, once.
 *
 * Two kinds of data cross:
 *   - counters, in memory-mapped arrays indexed by stack slot (user space reads them each tick without a
 * system call);
 *   - one `struct stack_event` per *new* stack, through a ring buffer.
 *
 * Units: addresses are virtual addresses of the target; sizes are bytes; times are nanoseconds of
 * CLOCK_MONOTONIC. Included by BPF programs, by the server and by the unit tests of the unwinder, so it may
 * use fixed-size types only.
 */
#ifndef RSPROF_EVENTS_H
#define RSPROF_EVENTS_H

#include <linux/types.h>

#define STACK_MAX_FRAMES 128     /* innermost frames kept; a deeper stack is truncated and counted */
#define STACK_SLOTS_MAX  65536   /* distinct stacks of one attachment */
#define MAPPINGS_MAX     1024    /* executable mappings of the target */
#define MODULES_MAX      1024    /* modules, with unwind tables or without */
#define HEAP_BLOCKS_MAX  1048576 /* tracked live blocks */
#define HEAP_PENDING_MAX 16384   /* threads inside an allocator at the same moment */

/* How a walk ended. STACK_COMPLETE is the only good end; each other one is counted by itself. */
enum stack_end {
    STACK_COMPLETE = 0,
    STACK_TRUNCATED,        /* more than STACK_MAX_FRAMES frames */
    STACK_NO_MAPPING,       /* an address is in no executable mapping we know */
    STACK_NO_TABLE,         /* the module has no unwind table (yet), and frame pointers did not help */
    STACK_NO_ROW,           /* the table has no rule for the address */
    STACK_UNSUPPORTED_RULE, /* the rule needs more than enum unwind_kind can say */
    STACK_BAD_READ,         /* the stack could not be read */
    STACK_BAD_CFA,          /* the CFA did not move towards the stack's base */
    STACK_GONE,             /* the kernel has taken the memory of a thread that ends: no walk at all */
    STACK_END_COUNT,
};

/* What the programs cost: those that have a price of their own. */
enum program_kind {
    PROGRAM_CPU_SAMPLE,
    PROGRAM_HEAP_UPROBE, /* plain, on an allocator's function */
    PROGRAM_HEAP_SAMPLED,
    PROGRAM_HEAP_SAMPLED_FREED,
    PROGRAM_KIND_COUNT,
};

struct program_runs {
    __u64 time_ns, count;
};

/* What the programs drop. Every one is shown in rsprof/status. */
enum loss {
    LOSS_STACK_SLOTS_FULL = 0, /* no slot for a new stack: its samples are lost */
    LOSS_RING_FULL,            /* a new stack could not be sent: this sample of it is lost */
    LOSS_SCRATCH_BUSY,         /* too many walks at once on one CPU */
    LOSS_BLOCKS_FULL,          /* no room for a live block: it is not tracked */
    LOSS_PENDING_FULL,         /* an allocation could not be remembered until its return */
    LOSS_FRAME_UNREADABLE,     /* the registers of a sampled allocation could not be read */
    LOSS_COUNT,
};

/* A frame as it crosses: the module's number in the upper 16 bits, the link-time address to look up in the
 * lower 48 (for return addresses that is the address − 1, so that it lies within the call). */
#define FRAME_ADDRESS_BITS 48
#define FRAME_ADDRESS_MASK ((1ull << FRAME_ADDRESS_BITS) - 1)
#define FRAME_NO_MODULE    0xffffu /* the address lies in no module: it is the target's own virtual address */

/* Sent once for each new stack, before anything is counted for its slot. `frame_count` frames follow,
 * innermost first. */
struct stack_event {
    __u32 slot;
    __u32 frame_count;
    __u32 end;                      /* enum stack_end */
    __u32 hooked;                   /* of a block that the hook sampled; rsprof is woken for these only */
    __u64 frames[STACK_MAX_FRAMES]; /* only frame_count of them are sent */
};

/* CPU samples of a stack so far. */
struct cpu_counts {
    __u64 user, kernel;
};

/* Allocations of a stack so far. Live = allocated − freed. Bytes and blocks of sampled blocks are estimates
 * of what the samples stand for, in 1/256; exact ones have p = 1. */
struct heap_counts {
    __u64 alloc_bytes, alloc_blocks;
    __u64 freed_bytes, freed_blocks;
    __u64 live_variance; /* sum over live samples of (bytes / p)² (1 − p), in 1024 bytes² */
};

/* How an allocator's function takes its arguments: the cookie of its uprobe. */
enum heap_call {
    HEAP_CALL_ALLOC_1 = 0,  /* f(size, …) */
    HEAP_CALL_ALLOC_2,      /* f(align, size) */
    HEAP_CALL_CALLOC,       /* f(count, size, …) */
    HEAP_CALL_REALLOC,      /* f(block, size, …) */
    HEAP_CALL_REALLOCARRAY, /* f(block, count, size) */
    HEAP_CALL_MEMALIGN,     /* int f(void **ret_block, align, size) */
    HEAP_CALL_FREE,         /* f(block, …) */
};

/* One unwind rule in force from byte `pc` of a page of 256 bytes of code on. 8 bytes.
 * `kind` says how the CFA is found; the return address is at CFA − 8 unless it says otherwise.
 * `rbp_offset` is relative to the CFA, in bytes; 0 means that rbp still holds the caller's value.
 * Source: System V AMD64 ABI, DWARF 5 section 6.4. */
struct unwind_row {
    __u8 pc;          /* offset within the page */
    __u8 kind;        /* enum unwind_kind */
    __s16 rbp_offset; /* bytes from the CFA */
    __s32 cfa_offset; /* bytes from the register that `kind` names */
};

enum unwind_kind {
    UNWIND_NONE = 0,      /* no rule: a gap between functions */
    UNWIND_CFA_RSP,       /* CFA = rsp + cfa_offset */
    UNWIND_CFA_RBP,       /* CFA = rbp + cfa_offset */
    UNWIND_CFA_RBP_DEREF, /* CFA = *(rbp + cfa_offset), and the caller's rbp is at rbp: realigned frames */
    UNWIND_CFA_RSP_DEREF, /* CFA = *(rsp + (cfa_offset >> 8)) + (cfa_offset & 255): hand-written assembly */
    UNWIND_PLT,           /* CFA = rsp + 8 + (((rip & 15) >= 11) << 3): lazy PLT entries */
    UNWIND_SIGNAL,        /* rsp points at a ucontext: all registers come from it */
    UNWIND_CLONE,         /* after clone: CFA = rsp + cfa_offset; the new thread (rax = 0) begins here */
    UNWIND_END,           /* the outermost frame: the return address is undefined */
    UNWIND_UNSUPPORTED,   /* a rule we cannot express */
    UNWIND_ROWS,          /* of a page: it has several rows */
};

/* What a page of 256 bytes of code has instead of a row, if it has more than one: where they stand. 8 bytes.
 */
struct unwind_page {
    __u8 reserved;
    __u8 kind; /* UNWIND_ROWS */
    __u16 line_count;
    __u32 first_line; /* of the module's table */
};

/* A module's table is made of lines of eight elements, the size of a cache line. First come the pages (page 0
 * is the one of link-time address `table_start`): for each its only row, or a reference to lines of its own
 * further on. There the first row has pc 0, and the last one is repeated to the end of its line. */
union unwind_element {
    struct unwind_page page;
    struct unwind_row row;
};

#define UNWIND_LINE_ELEMENTS  8
#define UNWIND_PAGE_LINES_MAX 32 /* a row for each byte */
#define UNWIND_PAGE_SHIFT     8

/* An executable mapping: address − bias = link-time address in the module. Sorted by start. */
struct mapping {
    __u64 start, end;  /* [start, end) */
    __u64 bias;        /* modulo 2^64 */
    __u64 table_start; /* link-time address of page 0, a multiple of 256 */
    __u32 page_count;  /* 0: the module has no unwind table */
    __u32 module;      /* index into the outer map of tables */
};

/* Two sets of mappings, so that a new one can be written while the programs read the other. */
#define MAPPING_SETS      2
#define MAPPING_SET_SHIFT 16 /* `mapping_state` = set << 16 | count */

#endif
