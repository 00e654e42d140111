// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* CPU samples: on each tick of a CPU's clock, if a thread of the target runs there, walks its user stack and
 * counts one sample for it. */
#include "stacks.bpf.h"

#include <linux/bpf_perf_event.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, STACK_SLOTS_MAX);
    __type(key, __u32);
    __type(value, struct cpu_counts);
} cpu_counts SEC(".maps");

/* The process to look at, as seen from the pid namespace of the server. */
__u32 target_pid;
__u64 pid_ns_dev, pid_ns_inode;

__u64 cpu_samples;
__u64 cpu_samples_lost;

static __always_inline int is_target(void)
{
    struct bpf_pidns_info info;
    return !bpf_get_ns_current_pid_tgid(pid_ns_dev, pid_ns_inode, &info, sizeof(info)) &&
           info.tgid == target_pid;
}

SEC("perf_event")
int cpu_sample(struct bpf_perf_event_data *ctx)
{
    if (!is_target())
        return 0;
    COUNT_RUN(PROGRAM_CPU_SAMPLE);
    /* Fields of the kernel's struct pt_regs, which has the layout of ours. */
    const struct pt_regs *user = (const struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
    __sync_fetch_and_add(&cpu_samples, 1);
    __u32 slot = stack_slot_running(user);
    struct cpu_counts *counts = bpf_map_lookup_elem(&cpu_counts, &slot);
    if (!counts)
        __sync_fetch_and_add(&cpu_samples_lost, 1);
    else if (ctx->regs.cs & 3)
        __sync_fetch_and_add(&counts->user, 1);
    else
        __sync_fetch_and_add(&counts->kernel, 1);
    return 0;
}
