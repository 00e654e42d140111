/* The contract between the stub (code that runs inside the target) and rsprof: where everything lies in the
 * mapping, who writes what, and what the probe sites give to BPF. Included by the stub, its assembly and
 * rsprof.
 *
 * One mapping in the target: HOOK_CODE_BYTES of code (the stub's ELF image, mapped from a memfd so that
 * uprobes have an inode to sit on, and the trampolines), then one `struct hook_data` of anonymous memory,
 * which fork copies: parent and child never share counts.
 *
 * **Trampolines.** A function that is called directly begins with a jump to the stub while it is hooked. Its
 * trampoline, HOOK_TRAMPOLINE_BYTES for each function from HOOK_OFFSET_TRAMPOLINES on, does what its first
 * instructions did, and jumps to the rest: it is the function for the stub. It never changes once it is
 * written, as threads may be in it.
 *
 * **Sampling.** Every byte allocated carries the *hazard* 1/R of its call site, in units of
 * 2^-HOOK_HAZARD_BITS: the site's `rate` is 2^HOOK_HAZARD_BITS / R. An allocation of S bytes has the hazard
 * rate × (S | 1). Each thread owns a countdown drawn from the exponential distribution of mean 1; allocations
 * are charged to it, and the one that exhausts it is sampled. As the distribution has no memory, every
 * allocation is sampled with p = 1 − exp(−hazard), independently of all others, with any mixture of sites and
 * at any change of rates, as long as the rate was chosen before the allocation: S/p estimates are unbiased.
 * One countdown a thread serves all sites, and a change of R needs no new draw.
 *
 * **Rates.** A site is the lower bits of malloc's return address; sites that collide share a rate, which
 * costs efficiency and not truth. rsprof writes rates. Between two heartbeats the stub lowers the rate of a
 * site by itself (R × 4) after samples of the site that cost `quota`, or of all that cost `grant`: a burst
 * cannot pass the budget, and when rsprof has died, and heartbeats no longer come, sampling fades out by
 * itself.
 *
 * **Sampled blocks** stand in a hash set; a counting filter of one byte per slot lets free() pass all others.
 * A block leaves the set before the real free() runs, so that its address can be reused at once. Each has a
 * token, unique as long as the stub is mapped, which names the block in BPF maps: a later block at the same
 * address has another.
 *
 * **Probe sites** are two nops. At HOOK_SITE_ALLOC: rdi token, rsi block, rdx the sample's part in the
 * variance of the bytes (weight² × (1 − p), in 1024 bytes²), rcx weight in bytes (S/p, rounded), r8 weight in
 * blocks (1/p, in 1/65536), r9 → struct hook_frame, where the walk starts. At HOOK_SITE_FREE: rdi token, rsi
 * block, rdx weight in bytes. A token at HOOK_SITE_FREE that BPF does not know was lost at HOOK_SITE_ALLOC.
 *
 * **Known stacks.** Most samples have a stack that the kernel has walked before, and need not go there again:
 * that is what a sample costs. rsprof *teaches* the stub such stacks: the unwind rule at each of their return
 * addresses, and the hash of all of them. The stub walks by these rules, and when it comes to a known hash it
 * counts the block in `stacks`, where rsprof reads it; neither its allocation nor its end passes a probe
 * site. Anything else (a return address without a rule, an unknown hash) passes the probe site, as if there
 * were no rules. A walk reads only between the stack pointer and the end of the mapping that the stack lies
 * in, which rsprof has looked up for each thread: a wrong rule gives a hash that is not known, and no fault.
 *
 * The stub uses no libc, no SSE, no red zone, no thread-local memory of its own and makes no system call. */
#ifndef RSPROF_HOOK_STUB_ABI_H
#define RSPROF_HOOK_STUB_ABI_H

#include "hook/functions.h"

#define HOOK_MEMFD_NAME "rsprof-hook"
#define HOOK_CODE_BYTES 0x6000

#define HOOK_OFFSET_TRAMPOLINES 0x5000 /* of a page of their own, in the code */
#define HOOK_TRAMPOLINE_BYTES   64ull

#define HOOK_HAZARD_BITS  48
#define HOOK_SITE_BITS    12
#define HOOK_THREAD_BITS  12
#define HOOK_FILTER_BITS  20
#define HOOK_SET_BITS     18
#define HOOK_SET_WINDOW   32 /* places looked at for a block, from its hash on */
#define HOOK_RULE_BITS    14
#define HOOK_HASH_BITS    15
#define HOOK_STACK_BITS   14
#define HOOK_ENTRY_WINDOW 16 /* places looked at for a key, from its home on */

/* Offsets that the assembly uses; _Static_asserts below keep them true. */
#define HOOK_OFFSET_REAL    0x100
#define HOOK_OFFSET_RATES   0x1000
#define HOOK_OFFSET_THREADS 0x49000
#define HOOK_OFFSET_FILTER  0x89000
#define HOOK_THREAD_LEFT    8

#define HOOK_SITE_MASK    0xfff
#define HOOK_THREAD_BYTE  1      /* of a thread pointer: these two bytes of it, */
#define HOOK_THREAD_MASK  0xfff0 /* … masked: its page, as stacks have pages of their own, */
#define HOOK_THREAD_SCALE 4      /* … scaled: the offset into `threads` */
#define HOOK_FILTER_SHIFT 6      /* coarser than blocks: what frees look at is to fit into the caches */

#ifndef __ASSEMBLER__

#include <stdint.h>

#define HOOK_MAGIC        0x6b6f6f6870737201ull
#define HOOK_ABI_VERSION  2
#define HOOK_FUNCTION_MAX 64 /* room in the tables for later versions */

#define HOOK_SITES   (1u << HOOK_SITE_BITS)
#define HOOK_THREADS (1u << HOOK_THREAD_BITS)
#define HOOK_FILTER  (1u << HOOK_FILTER_BITS)
#define HOOK_SET     (1u << HOOK_SET_BITS)
#define HOOK_RULES   (1u << HOOK_RULE_BITS)
#define HOOK_HASHES  (1u << HOOK_HASH_BITS)
#define HOOK_STACKS  (1u << HOOK_STACK_BITS)

/* Every allocation is sampled. */
#define HOOK_RATE_ALL (1ull << 62)
/* The least rate that is not "never": a mean interval of 2^40 bytes. */
#define HOOK_RATE_MIN (1ull << (HOOK_HAZARD_BITS - 40))

/* The registers with which the caller of the allocator goes on: the walk starts there. */
struct hook_frame {
    uint64_t rip; /* the return address: look up rip − 1 */
    uint64_t rsp; /* after the return */
    uint64_t rbp;
};

/* Written by the thread that owns it; `owner` is its thread pointer. A cache line each. */
struct hook_thread {
    uint64_t owner; /* 0: free */
    uint64_t left;  /* hazard until the next sample */
    uint64_t random;
    uint64_t inside; /* thread pointer of the one for which a function of the allocator is at work, called
                        from here: what it calls is no call of the program */
    /* The mapping that the thread's stack lies in, written by rsprof; end 0: not looked up yet. */
    uint64_t stack_start, stack_end;
    uint64_t stranger; /* a stack pointer outside of it, for rsprof to look up; 0: none */
    uint64_t cost;     /* of samples, that no quota was charged with yet */
};

/* What became of one site's samples whose stacks the stub does not know. Counts only grow, until an
 * attachment begins. */
struct hook_site {
    uint64_t samples;
    uint64_t bytes;  /* sum of weights */
    uint64_t blocks; /* sum of weights, in 1/65536 */
    uint64_t frees;
    uint64_t freed_bytes; /* sum of weights */
    uint32_t epoch;       /* heartbeat that epoch_cost belongs to */
    uint32_t epoch_cost;  /* of all its samples */
    uint64_t unused[2];
};

/* A sampled block, beside its place in the set. */
struct hook_block {
    uint32_t generation; /* of the place: the token's upper half */
    uint32_t site : HOOK_SITE_BITS;
    uint32_t attachment : 32 - HOOK_SITE_BITS; /* a block of an earlier attachment may be overwritten */
    uint32_t stack;                            /* of `stacks`, or HOOK_NO_STACK: the kernel has it */
    uint32_t unused;
    uint64_t weight_bytes, weight_blocks, variance; /* as at the probe site */
};

#define HOOK_NO_STACK UINT32_MAX

#define HOOK_BLOCKS_SCALE 65536 /* of blocks, in weights and in struct hook_site */
#define HOOK_COUNT_SCALE  256   /* of bytes and blocks in struct hook_stack */

/* How to come from a frame to its caller's, at one return address. */
struct hook_rule {
    int32_t cfa_offset; /* bytes from the register that `kind` names */
    int16_t rbp_offset; /* where the caller's rbp is, bytes from the CFA; 0: in rbp still */
    uint16_t kind;      /* enum hook_rule_kind */
};

enum hook_rule_kind {
    HOOK_RULE_RSP = 1,
    HOOK_RULE_RBP,
    HOOK_RULE_END, /* the outermost frame */
};

/* What the stub knows, in two hash tables: the rule at a return address, and the number of the stack with a
 * hash. Written by rsprof, the key last. */
struct hook_entry {
    uint64_t key; /* 0: none */
    union {
        struct hook_rule rule;
        uint64_t stack;
    };
};

/* What the stub has counted for a known stack: the first fields as struct heap_counts of bpf/events.h, in the
 * same units. Freed ones first, so that who copies them upwards never finds more freed than allocated. A
 * cache line each: it is the only one that threads with samples of the same stack share. */
struct hook_stack {
    uint64_t freed_bytes, freed_blocks;
    uint64_t alloc_bytes, alloc_blocks;
    uint64_t live_variance;
    uint64_t frees, samples;
    uint64_t unused;
};

/* Counts by the stub. Each loss is one of them. */
struct hook_counters {
    uint64_t samples;        /* passed the alloc site */
    uint64_t frees;          /* passed the free site */
    uint64_t strangers;      /* stacks whose mapping was to be looked up */
    uint64_t set_full;       /* LOSS: sampled, but there was no place in the set */
    uint64_t freed_unseen;   /* sampled blocks whose address came back without a free: another allocator path
                                freed them */
    uint64_t realloc_failed; /* sampled blocks put back after a failed realloc */
    uint64_t rate_lowered;   /* the stub lowered a site's rate between two heartbeats */
    uint64_t thread_places;  /* threads that took a place in `threads` */
    uint64_t thread_evictions; /* … from another thread, as none was free */
};

/* The first fields, up to `entry`, keep their place in all versions, so that any rsprof can take over from
 * any stub. */
struct hook_header {
    uint64_t magic;
    uint32_t abi_version;
    uint32_t function_count;
    uint64_t build;       /* hash of the code */
    uint64_t code_bytes;  /* from the start of the mapping to this header */
    int32_t target_pid;   /* the process that was attached to; a forked child sees another */
    int32_t owner_pid;    /* the rsprof that holds the target; 0: none */
    uint64_t owner_start; /* its start time, in clock ticks since boot, as a pid may be reused */
    uint64_t unused[26];
    uint64_t real[HOOK_FUNCTION_MAX];  /* the allocator's functions; 0: not hooked */
    uint64_t entry[HOOK_FUNCTION_MAX]; /* the stub's */
    /* written by rsprof */
    uint32_t enabled;
    uint32_t attachment; /* counts attachments; its lower bits mark blocks */
    uint32_t epoch;      /* the heartbeat */
    uint32_t quota; /* what samples of one site may cost between heartbeats, before its rate is lowered */
    uint32_t grant; /* what those of all may, before each site lowers its rate */
    uint32_t trap_price; /* of a sample that passes the alloc site; any other costs 1 */
    uint64_t seed;
    /* written by the stub */
    _Alignas(64) uint32_t seen_epoch;
    uint32_t epoch_cost;
    struct hook_counters counters;
};

struct hook_data {
    union {
        struct hook_header header;
        uint8_t page[0x1000];
    };
    uint64_t rates[HOOK_SITES];
    struct hook_site sites[HOOK_SITES];
    struct hook_thread threads[HOOK_THREADS];
    uint8_t filter[HOOK_FILTER];
    uint64_t set[HOOK_SET]; /* a block's address, or HOOK_PLACE_… */
    struct hook_block blocks[HOOK_SET];
    struct hook_entry rules[HOOK_RULES];   /* by return address */
    struct hook_entry hashes[HOOK_HASHES]; /* by hash */
    struct hook_stack stacks[HOOK_STACKS];
};

#define HOOK_PLACE_EMPTY 0
#define HOOK_PLACE_BUSY  1 /* being filled or emptied by one thread */

_Static_assert(__builtin_offsetof(struct hook_header, real) == HOOK_OFFSET_REAL, "the assembly's idea");
_Static_assert(__builtin_offsetof(struct hook_data, rates) == HOOK_OFFSET_RATES, "the assembly's idea");
_Static_assert(__builtin_offsetof(struct hook_data, threads) == HOOK_OFFSET_THREADS, "the assembly's idea");
_Static_assert(__builtin_offsetof(struct hook_data, filter) == HOOK_OFFSET_FILTER, "the assembly's idea");
_Static_assert(__builtin_offsetof(struct hook_thread, left) == HOOK_THREAD_LEFT, "the assembly's idea");
_Static_assert(sizeof(struct hook_header) <= 0x1000, "the header is a page");
_Static_assert(sizeof(struct hook_thread) == 64 && sizeof(struct hook_site) == 64 &&
                   sizeof(struct hook_stack) == 64,
               "cache lines");
_Static_assert((HOOK_THREADS - 1) * sizeof(struct hook_thread) / HOOK_THREAD_SCALE == HOOK_THREAD_MASK,
               "the assembly's idea");
_Static_assert(HOOK_SITES == HOOK_SITE_MASK + 1, "the assembly's idea");
_Static_assert(HOOK_FUNCTION_COUNT <= HOOK_FUNCTION_MAX, "tables");
_Static_assert(HOOK_OFFSET_TRAMPOLINES + HOOK_FUNCTION_MAX * HOOK_TRAMPOLINE_BYTES <= HOOK_CODE_BYTES,
               "a page of trampolines");

#define HOOK_MAPPING_BYTES (HOOK_CODE_BYTES + ((sizeof(struct hook_data) + 0xfff) & ~0xfffull))

/* The site that a return address belongs to. */
static inline uint32_t hook_site_index(uint64_t return_address)
{
    return return_address & HOOK_SITE_MASK;
}

/* Where a thread looks for its place first. */
static inline uint32_t hook_thread_index(uint64_t owner)
{
    uint64_t scaled = owner >> 8 * HOOK_THREAD_BYTE & HOOK_THREAD_MASK;
    return (uint32_t)(scaled * HOOK_THREAD_SCALE / sizeof(struct hook_thread));
}

/* Neighbouring blocks share cache lines of the filter. */
static inline uint32_t hook_filter_index(uint64_t block)
{
    return block >> HOOK_FILTER_SHIFT & (HOOK_FILTER - 1);
}

static inline uint32_t hook_set_index(uint64_t block)
{
    return (uint32_t)(block * 0x9e3779b97f4a7c15ull >> (64 - HOOK_SET_BITS));
}

#endif
#endif
