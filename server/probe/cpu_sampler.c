/* CPU sampling: one clock for each CPU of the machine, and a program that looks only at the target's threads.
 *
 * A clock for each thread would be the other way. But each thread's clock starts anew with the thread, so
 * that one that lives shorter than a period is never seen; and threads that start while their process is
 * being listed are met twice or not at all. A CPU's clock sees every nanosecond of every thread with the same
 * chance. */
#include "probe/probe_internal.h"

#include "base/cleanup.h"
#include "base/rights.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The clock and not the cycle counter: shares are shares of time, and a counter that keeps a frequency
 * changes its period from thread to thread. −ENODEV for a CPU that is offline. */
static int open_clock(int cpu, unsigned freq_hz, int *ret_fd)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .size = sizeof(attr),
        .freq = 1,
        .sample_freq = freq_hz,
    };
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

int probe_try_cpu(void)
{
    WITH_RIGHTS(RIGHTS_SAMPLE);
    OWNED_FD int fd = -1;
    return open_clock(sched_getcpu(), 1, &fd);
}

static int attach_cpu(struct probe *probe, int cpu, unsigned freq_hz)
{
    struct bpf_link **slot = vec_push(&probe->cpu_links);
    if (!slot)
        return -ENOMEM;
    probe->cpu_links.len--;
    OWNED_FD int fd = -1;
    int r = open_clock(cpu, freq_hz, &fd);
    if (r < 0)
        return r;
    struct bpf_link *link = bpf_program__attach_perf_event(probe->bpf->progs.cpu_sample, fd);
    if (!link)
        return -errno;
    take_fd(&fd); /* the link closes it */
    *slot = link;
    probe->cpu_links.len++;
    return 0;
}

/* Process ids mean what they mean in our own pid namespace, which may be a container's. */
static int set_target(struct probe *probe, pid_t pid)
{
    struct stat ns;
    if (stat("/proc/self/ns/pid", &ns) < 0)
        return -errno;
    probe->bpf->bss->pid_ns_dev = ns.st_dev;
    probe->bpf->bss->pid_ns_inode = ns.st_ino;
    probe->bpf->bss->target_pid = (uint32_t)pid;
    return 0;
}

int probe_start_cpu(struct probe *probe, pid_t pid, unsigned freq_hz)
{
    WITH_RIGHTS(RIGHTS_SAMPLE);
    int r = set_target(probe, pid);
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    for (int cpu = 0; r == 0 && cpu < cpus; cpu++) {
        r = attach_cpu(probe, cpu, freq_hz);
        if (r == -ENODEV)
            r = 0;
    }
    return r;
}
