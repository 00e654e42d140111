/* CPU sampling: one perf event for each thread of the target, inherited by the threads it starts. */
#include "probe/probe_internal.h"

#include "base/cleanup.h"
#include "base/map.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Hardware cycles see code that runs with interrupts off; virtual machines often have none, and a clock
 * serves. */
static const struct {
    uint32_t type;
    uint64_t config;
} clocks[] = {
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
};

static int open_event(pid_t thread, unsigned freq_hz, int *ret_fd)
{
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        struct perf_event_attr attr = {
            .type = clocks[i].type,
            .config = clocks[i].config,
            .size = sizeof(attr),
            .freq = 1,
            .sample_freq = freq_hz,
            .inherit = 1,
            .inherit_thread = 1, /* threads, not the processes it forks */
        };
        int fd = (int)syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
        if (fd >= 0) {
            *ret_fd = fd;
            return 0;
        }
        if (errno != ENOENT && errno != EOPNOTSUPP && errno != ENODEV)
            return -errno;
    }
    return -EOPNOTSUPP;
}

/* −ESRCH for a thread that has ended meanwhile. */
static int attach_thread(struct probe *probe, pid_t thread, unsigned freq_hz)
{
    struct bpf_link **slot = vec_push(&probe->cpu_links);
    if (!slot)
        return -ENOMEM;
    probe->cpu_links.len--;
    OWNED_FD int fd = -1;
    int r = open_event(thread, freq_hz, &fd);
    if (r < 0)
        return r;
    LIBBPF_OPTS(bpf_perf_event_opts, options, .bpf_cookie = (uint64_t)thread);
    struct bpf_link *link = bpf_program__attach_perf_event_opts(probe->bpf->progs.cpu_sample, fd, &options);
    if (!link)
        return -errno;
    take_fd(&fd); /* the link closes it */
    *slot = link;
    probe->cpu_links.len++;
    return 0;
}

/* Attaches to every thread not in `known` yet, and counts them. */
static int attach_new_threads(struct probe *probe, pid_t pid, unsigned freq_hz, struct map *known,
                              size_t *ret_found)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/task", pid);
    DIR *tasks = opendir(name);
    if (!tasks)
        return errno == ENOENT ? -ESRCH : -errno;
    size_t found = 0;
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(tasks));) {
        char *end;
        long thread = strtol(entry->d_name, &end, 10);
        uint64_t seen;
        if (*end || thread <= 0 || map_get(known, (uint64_t)thread, &seen) == 0)
            continue;
        r = attach_thread(probe, (pid_t)thread, freq_hz);
        if (r == -ESRCH)
            r = 0;
        else if (r == 0)
            found++;
        if (r == 0)
            r = map_put(known, (uint64_t)thread, 1);
    }
    closedir(tasks);
    *ret_found = found;
    return r;
}

#define THREAD_LISTINGS_MAX 16

int probe_start_cpu(struct probe *probe, pid_t pid, unsigned freq_hz)
{
    struct map known = {0};
    size_t found = 0;
    int r = 0;
    /* Until a listing shows no thread that could have started while the one before was worked through. */
    for (int i = 0; r == 0 && i < THREAD_LISTINGS_MAX && (i == 0 || found); i++)
        r = attach_new_threads(probe, pid, freq_hz, &known, &found);
    map_release(&known);
    if (r == 0 && !probe->cpu_links.len)
        r = -ESRCH;
    return r;
}
