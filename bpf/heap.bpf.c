// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Live heap, exact: uprobes on an allocator's functions. A block is charged to the stack that allocated it,
 * from the return of the allocating call until the entry of the freeing one. */
#include "stacks.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define EXACT_SCALE 256 /* an exactly known byte or block, in the 1/256 of struct heap_counts */

/* What a live block adds to its stack's counts. */
struct live_block {
    __u64 bytes, blocks; /* in the 1/256 of struct heap_counts */
    __u64 variance;      /* in 1024 bytes² */
    __u32 slot;
    __u32 reserved;
};

/* By the hook's token for a sampled block, else by the block's address. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, HEAP_BLOCKS_MAX);
    __type(key, __u64);
    __type(value, struct live_block);
} live_blocks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, STACK_SLOTS_MAX);
    __type(key, __u32);
    __type(value, struct heap_counts);
} heap_counts SEC(".maps");

/* A call of an allocating function that has not returned yet. Functions that call one another (reallocarray
 * calls realloc) overwrite each other's: the innermost counts, the outer finds nothing at its return. */
struct pending_call {
    __u64 size;
    __u64 result_at;   /* HEAP_CALL_MEMALIGN: where the block's address will be stored */
    __u64 old_address; /* realloc: the block that was taken out, or 0 */
    struct live_block old;
    __u32 slot;
    __u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, HEAP_PENDING_MAX);
    __type(key, __u64);
    __type(value, struct pending_call);
} pending_calls SEC(".maps");

static __always_inline struct heap_counts *counts_of(__u32 slot)
{
    return bpf_map_lookup_elem(&heap_counts, &slot);
}

static __always_inline void count_freed(const struct live_block *block)
{
    struct heap_counts *counts = counts_of(block->slot);
    if (!counts)
        return;
    __sync_fetch_and_add(&counts->freed_bytes, block->bytes);
    __sync_fetch_and_add(&counts->freed_blocks, block->blocks);
    if (block->variance)
        __sync_fetch_and_sub(&counts->live_variance, block->variance);
}

static __always_inline void track_block(__u64 key, const struct live_block *block)
{
    if (bpf_map_update_elem(&live_blocks, &key, block, BPF_ANY)) {
        count_loss(LOSS_BLOCKS_FULL);
        return;
    }
    struct heap_counts *counts = counts_of(block->slot);
    if (!counts)
        return;
    __sync_fetch_and_add(&counts->alloc_bytes, block->bytes);
    __sync_fetch_and_add(&counts->alloc_blocks, block->blocks);
    if (block->variance)
        __sync_fetch_and_add(&counts->live_variance, block->variance);
}

/* Takes the block out of the tracked ones; 0 if it is none of them (allocated before attach, or NULL). */
static __always_inline int take_block(__u64 key, struct live_block *ret_block)
{
    struct live_block *block = bpf_map_lookup_elem(&live_blocks, &key);
    if (!block)
        return 0;
    *ret_block = *block;
    return !bpf_map_delete_elem(&live_blocks, &key);
}

SEC("uprobe")
int heap_enter(struct pt_regs *ctx)
{
    COUNT_RUN(PROGRAM_HEAP_UPROBE);
    struct pending_call call = {0};
    __u64 thread = bpf_get_current_pid_tgid();
    __u64 kind = bpf_get_attach_cookie(ctx);
    __u64 block = 0;
    if (kind == HEAP_CALL_ALLOC_1) {
        call.size = PT_REGS_PARM1(ctx);
    } else if (kind == HEAP_CALL_ALLOC_2) {
        call.size = PT_REGS_PARM2(ctx);
    } else if (kind == HEAP_CALL_CALLOC) {
        call.size = PT_REGS_PARM1(ctx) * PT_REGS_PARM2(ctx);
    } else if (kind == HEAP_CALL_MEMALIGN) {
        call.size = PT_REGS_PARM3(ctx);
        call.result_at = PT_REGS_PARM1(ctx);
    } else if (kind == HEAP_CALL_REALLOC) {
        block = PT_REGS_PARM1(ctx);
        call.size = PT_REGS_PARM2(ctx);
    } else {
        block = PT_REGS_PARM1(ctx);
        call.size = PT_REGS_PARM2(ctx) * PT_REGS_PARM3(ctx);
    }
    /* Taken out now: once the allocator has freed it inside the call, another thread may get the same
     * address. */
    if (block && take_block(block, &call.old))
        call.old_address = block;
    call.slot = stack_slot_running(ctx);
    if (bpf_map_update_elem(&pending_calls, &thread, &call, BPF_ANY)) {
        count_loss(LOSS_PENDING_FULL);
        if (call.old_address)
            count_freed(&call.old);
    }
    return 0;
}

static __always_inline void finish_call(const struct pending_call *call, __u64 address)
{
    if (!address && call->old_address && call->size) {
        /* realloc failed: the old block lives on, and was never counted as freed. */
        bpf_map_update_elem(&live_blocks, &call->old_address, &call->old, BPF_ANY);
        return;
    }
    if (call->old_address)
        count_freed(&call->old);
    if (!address || call->slot == NO_SLOT)
        return;
    struct live_block block = {.bytes = call->size * EXACT_SCALE, .blocks = EXACT_SCALE, .slot = call->slot};
    track_block(address, &block);
}

SEC("uretprobe")
int heap_return(struct pt_regs *ctx)
{
    COUNT_RUN(PROGRAM_HEAP_UPROBE);
    __u64 thread = bpf_get_current_pid_tgid();
    struct pending_call *pending = bpf_map_lookup_elem(&pending_calls, &thread);
    if (!pending)
        return 0;
    struct pending_call call = *pending;
    bpf_map_delete_elem(&pending_calls, &thread);
    __u64 address = PT_REGS_RC(ctx);
    if (call.result_at) {
        int failed = (int)address;
        address = 0;
        if (!failed)
            bpf_probe_read_user(&address, sizeof(address), (const void *)call.result_at);
    }
    finish_call(&call, address);
    return 0;
}

SEC("uprobe")
int heap_free(struct pt_regs *ctx)
{
    COUNT_RUN(PROGRAM_HEAP_UPROBE);
    struct live_block block;
    if (take_block(PT_REGS_PARM1(ctx), &block))
        count_freed(&block);
    return 0;
}

/* The registers at the hook's sites are part of its contract: server/hook/stub_abi.h. */
#define HOOK_BLOCKS_SCALE 65536ull

SEC("uprobe")
int heap_sampled(struct pt_regs *ctx)
{
    COUNT_RUN(PROGRAM_HEAP_SAMPLED);
    __u64 token = PT_REGS_PARM1(ctx), weight_bytes = ctx->rcx, weight_blocks = ctx->r8;
    struct hook_frame frame;
    if (bpf_probe_read_user(&frame, sizeof(frame), (const void *)ctx->r9)) {
        count_loss(LOSS_FRAME_UNREADABLE);
        return 0;
    }
    struct live_block block = {
        .bytes = weight_bytes * EXACT_SCALE,
        .blocks = weight_blocks / (HOOK_BLOCKS_SCALE / EXACT_SCALE),
        .variance = ctx->rdx,
        .slot = stack_slot_hooked(&frame),
    };
    if (block.slot != NO_SLOT)
        track_block(token, &block);
    return 0;
}

SEC("uprobe")
int heap_sampled_freed(struct pt_regs *ctx)
{
    COUNT_RUN(PROGRAM_HEAP_SAMPLED_FREED);
    struct live_block block;
    if (take_block(PT_REGS_PARM1(ctx), &block))
        count_freed(&block);
    return 0;
}
