/* SPDX-License-Identifier: MIT
 *
 * Stacks for both kinds of probes: walks the user stack of the current task, tells the stack apart by its
 * hash, and gives its slot. A new stack is sent to user space, once. The maps are weak, so that both objects
 * share one instance. */
#ifndef RSPROF_STACKS_BPF_H
#define RSPROF_STACKS_BPF_H

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "events.h"

/* A walk can be interrupted by another: tasks preempt each other, samples come in interrupts. */
#define WALKS_PER_CPU 4
#define NO_SLOT       ((__u32)-1)

struct unwind_table_template {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, UNWIND_LINE_ELEMENTS * sizeof(union unwind_element));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, MODULES_MAX);
    __type(key, __u32);
    __array(values, struct unwind_table_template);
} unwind_tables SEC(".maps") __weak;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, MAPPING_SETS *MAPPINGS_MAX);
    __type(key, __u32);
    __type(value, struct mapping);
} mappings SEC(".maps") __weak;

/* Hash of a stack → its slot. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, STACK_SLOTS_MAX);
    __type(key, __u64);
    __type(value, __u32);
} stack_slots SEC(".maps") __weak;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4 << 20);
} new_stacks SEC(".maps") __weak;

__u32 mapping_state __weak;
__u32 next_stack_slot __weak;
__u64 walk_ends[STACK_END_COUNT] __weak;
__u64 losses[LOSS_COUNT] __weak;
__u64 walk_frames __weak;

static __always_inline void count_loss(enum loss loss)
{
    __sync_fetch_and_add(&losses[loss], 1);
}

/* The programs time themselves: the kernel's own count (BPF_ENABLE_STATS) wants CAP_SYS_ADMIN. */
struct program_runs program_runs[PROGRAM_KIND_COUNT] __weak;

struct program_run {
    enum program_kind kind;
    __u64 start_ns;
};

/* What takes longer was interrupted: by another thread, or the hypervisor. On a busy machine that would be
 * taken for the cost of a sample, and hardly any would be afforded. */
#define RUN_NS_MAX 100000

static __always_inline void program_run_end(struct program_run *run)
{
    __u64 ns = bpf_ktime_get_ns() - run->start_ns;
    __sync_fetch_and_add(&program_runs[run->kind].time_ns, ns < RUN_NS_MAX ? ns : RUN_NS_MAX);
    __sync_fetch_and_add(&program_runs[run->kind].count, 1);
}

#define COUNT_RUN(kind)                                                                                      \
    __attribute__((cleanup(program_run_end), unused)) struct program_run program_run_ = {kind,               \
                                                                                         bpf_ktime_get_ns()}

static __always_inline int unwind_read(void *to, __u32 size, __u64 address)
{
    return bpf_probe_read_user(to, size, (const void *)address);
}

static __always_inline struct mapping *unwind_mapping(__u32 index)
{
    return bpf_map_lookup_elem(&mappings, &index);
}

static __always_inline void *unwind_table(__u32 module)
{
    return bpf_map_lookup_elem(&unwind_tables, &module);
}

static __always_inline union unwind_element *unwind_line(void *table, __u32 index)
{
    return bpf_map_lookup_elem(table, &index);
}

#include "unwind.h"

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, WALKS_PER_CPU);
    __type(key, __u32);
    __type(value, struct unwind_walk);
} walks SEC(".maps") __weak;

/* A walk that nothing else on this CPU uses; given back with walk_release. */
static __always_inline struct unwind_walk *walk_claim(void)
{
#pragma unroll
    for (__u32 i = 0; i < WALKS_PER_CPU; i++) {
        __u32 key = i;
        struct unwind_walk *walk = bpf_map_lookup_elem(&walks, &key);
        if (walk && !__sync_lock_test_and_set(&walk->busy, 1))
            return walk;
    }
    count_loss(LOSS_SCRATCH_BUSY);
    return 0;
}

static __always_inline void walk_release(struct unwind_walk *walk)
{
    *(volatile __u32 *)&walk->busy = 0;
}

/* A walk that is to begin there; `hooked`: rip is the return address of a call that came to the hook, and was
 * not running. NULL if there is none left. */
static __always_inline struct unwind_walk *walk_from(__u64 rip, __u64 rsp, __u64 rbp, int hooked)
{
    struct unwind_walk *walk = walk_claim();
    if (!walk)
        return 0;
    unwind_begin(walk, mapping_state);
    walk->rip = rip;
    walk->rsp = rsp;
    walk->rbp = rbp;
    walk->exact = !hooked;
    walk->event.hooked = hooked;
    return walk;
}

/* A global function: the verifier looks at it once, not once for each frame. (bpf_loop would do so too, from
 * Linux 5.17 on.) */
__weak __attribute__((noinline)) int walk_step(struct unwind_walk *walk)
{
    return walk ? (int)unwind_step(walk) : 1;
}

/* Two CPUs that meet the same new stack at once both send it, and one of the two slots stays unused. */
static __always_inline __u32 slot_of_new_stack(struct unwind_walk *walk)
{
    if (next_stack_slot >= STACK_SLOTS_MAX) {
        count_loss(LOSS_STACK_SLOTS_FULL);
        return NO_SLOT;
    }
    __u32 slot = __sync_fetch_and_add(&next_stack_slot, 1);
    if (slot >= STACK_SLOTS_MAX) {
        count_loss(LOSS_STACK_SLOTS_FULL);
        return NO_SLOT;
    }
    walk->event.slot = slot;
    __u64 count = walk->event.frame_count;
    if (count > STACK_MAX_FRAMES)
        count = STACK_MAX_FRAMES;
    if (bpf_ringbuf_output(&new_stacks, &walk->event,
                           __builtin_offsetof(struct stack_event, frames) + count * sizeof(__u64),
                           walk->event.hooked ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP)) {
        count_loss(LOSS_RING_FULL);
        return NO_SLOT;
    }
    bpf_map_update_elem(&stack_slots, &walk->hash, &slot, BPF_NOEXIST);
    return slot;
}

/* Whether the kernel has taken the thread's memory away: not even the code that ran can be read. */
static __always_inline int memory_is_gone(__u64 rip)
{
    __u8 code;
    return unwind_read(&code, sizeof(code), rip) != 0;
}

/* Walks the stack from where `walk` is, gives the walk back, and returns the stack's slot or NO_SLOT. */
static __always_inline __u32 stack_slot(struct unwind_walk *walk)
{
    __u64 rip = walk->rip;
    for (int i = 0; i <= STACK_MAX_FRAMES && !walk_step(walk); i++)
        ;
    if (walk->event.end == STACK_BAD_READ && memory_is_gone(rip))
        walk->event.end = STACK_GONE;
    __u32 end = walk->event.end;
    if (end < STACK_END_COUNT)
        __sync_fetch_and_add(&walk_ends[end], 1);
    __sync_fetch_and_add(&walk_frames, walk->event.frame_count);
    __u32 *known = bpf_map_lookup_elem(&stack_slots, &walk->hash);
    __u32 slot = known ? *known : slot_of_new_stack(walk);
    walk_release(walk);
    return slot;
}

/* The slot of the stack of a thread that was running with these registers, or NO_SLOT. */
static __always_inline __u32 stack_slot_running(const struct pt_regs *regs)
{
    struct unwind_walk *walk = walk_from(regs->rip, regs->rsp, regs->rbp, 0);
    if (!walk)
        return NO_SLOT;
    walk->rax = regs->rax;
    return stack_slot(walk);
}

/* What the hook was called with: rip is a return address. */
struct hook_frame {
    __u64 rip, rsp, rbp;
};

/* The slot of the stack that called the hook, or NO_SLOT. */
static __always_inline __u32 stack_slot_hooked(const struct hook_frame *frame)
{
    struct unwind_walk *walk = walk_from(frame->rip, frame->rsp, frame->rbp, 1);
    return walk ? stack_slot(walk) : NO_SLOT;
}

#endif
