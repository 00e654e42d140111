/* Attaches a heap hook to a process, for tests and benchmarks, and prints what it saw as "name value" lines.
 *
 *     hook_driver PID [--seconds S] [--interval BYTES] [--no-uprobes] [--cycles N] [--tick-ms MS] [--hold]
 * [--limits]
 *                 [--peek]
 *
 * --limits: the stub lowers rates by itself, as it does when heartbeats stay away. --peek: attaches nothing,
 * shows the counts of the stub that is there.
 * --hold: says "ready" and holds until stdin ends. --cycles: attaches and detaches N times in a row. Exit
 * code: 0, or the errno of what failed. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/hook.h"
#include "hook/remote.h"
#include "hook/slots.h"
#include "target/maps.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

struct options {
    pid_t pid;
    double seconds;
    uint64_t interval;
    unsigned tick_ms, cycles;
    bool uprobes, hold, limits, peek;
};

/* ---- slots ---- */

/* What link-time addresses of the mapped file are off by, by its program headers. */
static int module_bias(int fd, const struct memory_map *map, uint64_t *ret_bias)
{
    Elf64_Ehdr header;
    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG))
        return -ENOEXEC;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        if (pread(fd, &segment, sizeof(segment), (off_t)(header.e_phoff + i * sizeof(segment))) !=
            sizeof(segment))
            return -ENOEXEC;
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) &&
            (segment.p_offset & ~4095ull) == map->offset) {
            *ret_bias = map->start - (segment.p_vaddr & ~4095ull);
            return 0;
        }
    }
    return -ENOENT;
}

/* What is to be hooked; functions are patched in the executable only. */
static int find_calls(pid_t pid, struct hook_slots *slots, struct hook_patches *patches)
{
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    OWNED_FD int mem_fd = -1;
    char name[64], executable[4096] = "";
    snprintf(name, sizeof(name), "/proc/%d/exe", pid);
    int r = readlink(name, executable, sizeof(executable) - 1) < 0 ? -errno : memory_maps_read(pid, &maps);
    if (r >= 0)
        r = remote_open_memory(pid, &mem_fd);
    for (size_t i = 0; i < maps.len && r >= 0; i++) {
        const struct memory_map *map = &maps.items[i];
        OWNED_FD int fd = -1;
        uint64_t bias;
        CLEANUP(hook_scan_release) struct hook_scan scan = {0};
        if (!map->executable || !map->inode || strstr(map->path, "/ld-linux") ||
            strstr(map->path, "/memfd:") || memory_map_open(pid, map, &fd) < 0 ||
            module_bias(fd, map, &bias) < 0 || hook_scan_file(fd, &scan) < 0)
            continue;
        r = hook_slots_add(slots, mem_fd, &maps, bias, &scan);
        if (r >= 0 && !strcmp(map->path, executable))
            r = hook_patches_add(patches, bias, scan.definitions, scan.definition_count);
    }
    return r;
}

/* ---- uprobes ---- */

static int open_uprobe(pid_t pid, int file_fd, uint64_t offset, int *ret_fd)
{
    char path[64];
    int type = 0;
    OWNED_FILE FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
    if (!file || fscanf(file, "%d", &type) != 1)
        return -ENOTSUP;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
    struct perf_event_attr attr = {
        .size = sizeof(attr), .type = (uint32_t)type, .uprobe_path = (uintptr_t)path, .probe_offset = offset};
    int fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

/* A perf event on a task counts that task: one for each thread that there is. (An inherited one lets execve
 * fail in children, with EFAULT, seen on Linux 6.18.) */
struct uprobes {
    int alloc[256], free[256];
    size_t count;
};

static int open_uprobes(pid_t pid, const struct hook_probe_sites *sites, struct uprobes *uprobes)
{
    char command[64];
    snprintf(command, sizeof(command), "ls /proc/%d/task", pid);
    FILE *list = popen(command, "r");
    int tid, r = list ? 0 : -errno;
    while (r >= 0 && uprobes->count < 256 && fscanf(list, "%d", &tid) == 1) {
        int alloc_fd = -1, free_fd = -1;
        r = open_uprobe(tid, sites->fd, sites->alloc_offset, &alloc_fd);
        if (r >= 0)
            r = open_uprobe(tid, sites->fd, sites->free_offset, &free_fd);
        uprobes->alloc[uprobes->count] = alloc_fd;
        uprobes->free[uprobes->count++] = free_fd;
    }
    if (list)
        pclose(list);
    return r;
}

static uint64_t sum(const int *fds, size_t count)
{
    uint64_t total = 0, value;
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0 && read(fds[i], &value, sizeof(value)) == sizeof(value))
            total += value;
    return total;
}

static void close_uprobes(struct uprobes *uprobes)
{
    for (size_t i = 0; i < uprobes->count; i++) {
        cleanup_fd(&uprobes->alloc[i]);
        cleanup_fd(&uprobes->free[i]);
    }
}

/* ---- one attachment ---- */

static int tick_on(struct hook *hook, const struct options *options)
{
    uint64_t end = clock_now_ns() + (uint64_t)(options->seconds * 1e9);
    while (options->hold || clock_now_ns() < end) {
        struct pollfd in = {.fd = options->hold ? 0 : -1, .events = POLLIN};
        if (poll(&in, 1, (int)options->tick_ms) > 0)
            return 0;
        int r = options->limits ? 0 : hook_heartbeat(hook);
        if (r >= 0 && !options->limits)
            r = hook_set_interval(hook, options->interval);
        if (r < 0)
            return r;
    }
    return 0;
}

static void print_state(const struct hook_state *state)
{
    const struct hook_counters *counters = &state->header->counters;
    uint64_t bytes = 0, freed = 0;
    for (size_t i = 0; i < HOOK_SITES; i++) {
        bytes += state->sites[i].bytes;
        freed += state->sites[i].freed_bytes;
    }
    printf("samples %" PRIu64 "\nfrees %" PRIu64 "\nset_full %" PRIu64 "\nfreed_unseen %" PRIu64
           "\nrealloc_failed %" PRIu64 "\nrate_lowered %" PRIu64 "\nthread_places %" PRIu64
           "\nthread_evictions %" PRIu64 "\n",
           counters->samples, counters->frees, counters->set_full, counters->freed_unseen,
           counters->realloc_failed, counters->rate_lowered, counters->thread_places,
           counters->thread_evictions);
    printf("bytes %" PRIu64 "\nlive_bytes %" PRId64 "\n", bytes, (int64_t)(bytes - freed));
}

/* One of the allocator's functions. */
static uint64_t calls_target(const struct hook_slots *slots, const struct hook_patches *patches)
{
    return patches->len ? patches->items[0].address : slots->items[0].value;
}

static int attach_once(const struct options *options, bool quiet)
{
    CLEANUP(hook_slots_release) struct hook_slots slots = {0};
    CLEANUP(hook_patches_release) struct hook_patches patches = {0};
    CLEANUP(close_uprobes) struct uprobes uprobes = {0};
    struct hook *hook;
    struct hook_installed installed;
    struct hook_state state;
    int r = find_calls(options->pid, &slots, &patches);
    if (r >= 0 && !slots.len && !patches.len)
        r = -ENODATA;
    if (r >= 0)
        r = hook_new(options->pid, calls_target(&slots, &patches), &hook);
    if (r < 0)
        return r;
    struct hook_probe_sites sites = hook_probe_sites(hook);
    if (options->uprobes)
        r = open_uprobes(options->pid, &sites, &uprobes);
    if (r >= 0)
        r = hook_set_interval(hook, options->interval);
    if (r >= 0 && !options->limits)
        r = hook_set_limits(hook, &(struct hook_limits){UINT32_MAX, UINT32_MAX, 1});
    if (r >= 0 && patches.len)
        r = hook_patch(hook, patches.items, patches.len);
    if (r >= 0)
        r = hook_install(hook, slots.items, slots.len, &installed);
    if (r >= 0 && !quiet)
        printf("stop_us %" PRIu64
               "\npatches %zu\nslots %zu\nchanged %zu\nother %zu\nunbound %zu\nmismatch %zu\nready\n",
               hook_stop_ns(hook) / 1000, patches.len, installed.slots, installed.changed, installed.other,
               slots.unbound, slots.mismatch);
    fflush(stdout);
    if (r >= 0)
        r = tick_on(hook, options);
    if (r >= 0 && !quiet && hook_read(hook, &state) >= 0) {
        print_state(&state);
        printf("uprobe_allocs %" PRIu64 "\nuprobe_frees %" PRIu64 "\n", sum(uprobes.alloc, uprobes.count),
               sum(uprobes.free, uprobes.count));
    }
    hook_free(hook);
    return r;
}

/* On a machine that is overloaded threads take long to stop, and a program long until it calls an allocator.
 */
static int attach_patiently(const struct options *options)
{
    int r = attach_once(options, options->cycles > 1);
    for (int i = 0; i < 20 && (r == -ETIMEDOUT || r == -ENODATA); i++) {
        usleep(10000);
        r = attach_once(options, options->cycles > 1);
    }
    return r;
}

/* The counts of a stub that nobody holds. */
static int peek(pid_t pid)
{
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    OWNED_FD int mem_fd = -1;
    static struct hook_data data;
    int r = memory_maps_read(pid, &maps);
    if (r >= 0)
        r = remote_open_memory(pid, &mem_fd);
    for (size_t i = 0; i < maps.len && r >= 0; i++) {
        if (!strcmp(maps.items[i].path, "/memfd:" HOOK_MEMFD_NAME)) {
            r = remote_read(mem_fd, maps.items[i].end, &data, sizeof(data));
            print_state(&(struct hook_state){&data.header, data.sites, data.rates});
            return r;
        }
    }
    return r < 0 ? r : -ENOENT;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"seconds", 1, 0, 's'}, {"interval", 1, 0, 'i'}, {"no-uprobes", 0, 0, 'n'},
        {"cycles", 1, 0, 'c'},  {"tick-ms", 1, 0, 't'},  {"hold", 0, 0, 'h'},
        {"limits", 0, 0, 'l'},  {"peek", 0, 0, 'p'},     {0}};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) >= 0;) {
        switch (c) {
        case 's':
            options->seconds = strtod(optarg, NULL);
            break;
        case 'i':
            options->interval = strtoull(optarg, NULL, 0);
            break;
        case 'n':
            options->uprobes = false;
            break;
        case 'c':
            options->cycles = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 't':
            options->tick_ms = (unsigned)strtoul(optarg, NULL, 0);
            break;
        case 'h':
            options->hold = true;
            break;
        case 'l':
            options->limits = true;
            break;
        case 'p':
            options->peek = true;
            break;
        default:
            return -EINVAL;
        }
    }
    options->pid = optind < argc ? (pid_t)strtol(argv[optind], NULL, 10) : 0;
    return options->pid > 0 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
    struct options options = {.seconds = 2, .interval = 524288, .tick_ms = 100, .cycles = 1, .uprobes = true};
    int r = parse(argc, argv, &options);
    if (r >= 0 && options.peek)
        r = peek(options.pid);
    for (unsigned i = 0; i < options.cycles && r >= 0 && !options.peek; i++)
        r = attach_patiently(&options);
    if (r < 0)
        fprintf(stderr, "%s\n", strerror(-r));
    return -r;
}
