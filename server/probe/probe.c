#include "probe/probe.h"

#include "base/cleanup.h"
#include "base/rights.h"
#include "probe/probe_internal.h"
#include "probe/uprobe_multi.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The contents of a BPF map; NULL with errno. */
static void *map_contents(int fd, size_t len, int protection)
{
    void *memory = mmap(NULL, len, protection, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int on_ring_record(void *userdata, void *record, size_t len)
{
    struct probe *probe = userdata;
    const struct stack_event *event = record;
    if (len >= offsetof(struct stack_event, frames) + event->frame_count * sizeof(event->frames[0]))
        probe->on_stack(probe->on_stack_userdata, event);
    return 0;
}

/* Opens and loads the programs, those of the heap for either kind of uprobe. */
static int load_programs(struct probe *probe, bool uprobe_multi)
{
    probe->bpf = rsprof_bpf__open();
    if (!probe->bpf)
        return -errno;
    struct bpf_program *uprobes[] = {
        probe->bpf->progs.heap_enter,   probe->bpf->progs.heap_return,        probe->bpf->progs.heap_free,
        probe->bpf->progs.heap_sampled, probe->bpf->progs.heap_sampled_freed,
    };
    for (size_t i = 0; uprobe_multi && i < sizeof(uprobes) / sizeof(uprobes[0]); i++)
        bpf_program__set_expected_attach_type(uprobes[i], (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
    int r = rsprof_bpf__load(probe->bpf);
    if (r < 0) {
        rsprof_bpf__destroy(probe->bpf);
        probe->bpf = NULL;
    }
    return r;
}

/* Of what the programs need, this came last: with Linux 5.15. */
static bool kernel_is_new_enough(void)
{
    return libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_task_pt_regs, NULL) != 0;
}

static int load(struct probe *probe)
{
    libbpf_set_print(NULL); /* what it says is for those who know the programs */
    if (!kernel_is_new_enough())
        return -EOPNOTSUPP;
    probe->uprobe_multi = uprobe_multi_supported();
    int r = load_programs(probe, probe->uprobe_multi);
    if (r == -EINVAL && probe->uprobe_multi) {
        probe->uprobe_multi = false;
        r = load_programs(probe, false);
    }
    if (r == -EINVAL)
        return -EOPNOTSUPP; /* built without something that the programs need */
    if (r < 0)
        return r;
    probe->cpu_counts = map_contents(bpf_map__fd(probe->bpf->maps.cpu_counts),
                                     STACK_SLOTS_MAX * sizeof(struct cpu_counts), PROT_READ);
    probe->heap_counts = map_contents(bpf_map__fd(probe->bpf->maps.heap_counts),
                                      STACK_SLOTS_MAX * sizeof(struct heap_counts), PROT_READ | PROT_WRITE);
    probe->mappings =
        map_contents(bpf_map__fd(probe->bpf->maps.mappings),
                     (size_t)MAPPING_SETS * MAPPINGS_MAX * sizeof(struct mapping), PROT_READ | PROT_WRITE);
    if (!probe->cpu_counts || !probe->heap_counts || !probe->mappings)
        return -errno;
    probe->ring = ring_buffer__new(bpf_map__fd(probe->bpf->maps.new_stacks), on_ring_record, probe, NULL);
    return probe->ring ? 0 : -errno;
}

/* Uprobes of the older kind, perf events, want the right to do everything. */
uint64_t probe_rights(void)
{
    return RIGHT(CAP_BPF) | RIGHT(CAP_PERFMON) | (uprobe_multi_supported() ? 0 : RIGHT(CAP_SYS_ADMIN));
}

int probe_new(struct probe **ret_probe)
{
    WITH_RIGHTS(RIGHTS_SAMPLE);
    struct probe *probe = calloc(1, sizeof(*probe));
    if (!probe)
        return -ENOMEM;
    int r = load(probe);
    if (r < 0) {
        probe_free(probe);
        return r;
    }
    *ret_probe = probe;
    return 0;
}

static void unmap(void *memory, size_t len)
{
    if (memory)
        munmap(memory, len);
}

static void close_new_tables(struct probe *probe)
{
    for (size_t i = 0; i < probe->new_tables.len; i++)
        close(probe->new_tables.items[i].map_fd);
    vec_release(&probe->new_tables);
}

void probe_free(struct probe *probe)
{
    if (!probe)
        return;
    for (size_t i = 0; i < probe->cpu_links.len; i++)
        bpf_link__destroy(probe->cpu_links.items[i]);
    vec_release(&probe->cpu_links);
    probe_stop_heap(probe);
    ring_buffer__free(probe->ring);
    unmap(probe->cpu_counts, STACK_SLOTS_MAX * sizeof(struct cpu_counts));
    unmap(probe->heap_counts, STACK_SLOTS_MAX * sizeof(struct heap_counts));
    close_new_tables(probe);
    for (size_t i = 0; i < MODULES_MAX; i++)
        unmap(probe->tables[i].elements, probe->tables[i].len * sizeof(union unwind_element));
    unmap(probe->mappings, (size_t)MAPPING_SETS * MAPPINGS_MAX * sizeof(struct mapping));
    rsprof_bpf__destroy(probe->bpf);
    free(probe);
}

int probe_set_unwind_table(struct probe *probe, uint32_t module, const union unwind_element *elements,
                           uint32_t count)
{
    if (module >= MODULES_MAX || !count || count % UNWIND_LINE_ELEMENTS)
        return -EINVAL;
    WITH_RIGHTS(RIGHTS_SAMPLE);
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
    int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unwind_table", sizeof(uint32_t),
                            UNWIND_LINE_ELEMENTS * sizeof(*elements), count / UNWIND_LINE_ELEMENTS, &options);
    if (fd < 0)
        return fd;
    size_t len = count * sizeof(*elements);
    void *memory = map_contents(fd, len, PROT_READ | PROT_WRITE);
    int r = memory ? -ENOMEM : -errno;
    struct new_table *new_table = memory ? vec_push(&probe->new_tables) : NULL;
    if (!new_table) {
        unmap(memory, len);
        close(fd);
        return r;
    }
    memcpy(memory, elements, len);
    struct probe_table *table = &probe->tables[module];
    unmap(table->elements, table->len * sizeof(*elements));
    *table = (struct probe_table){memory, count};
    *new_table = (struct new_table){module, fd};
    return 0;
}

static int publish(struct probe *probe)
{
    size_t len = probe->new_tables.len;
    OWNED_MEM uint32_t *modules = calloc(len, sizeof(*modules));
    OWNED_MEM int *fds = calloc(len, sizeof(*fds));
    if (!modules || !fds)
        return -ENOMEM;
    for (size_t i = 0; i < len; i++) {
        modules[i] = probe->new_tables.items[i].module;
        fds[i] = probe->new_tables.items[i].map_fd;
    }
    WITH_RIGHTS(RIGHTS_SAMPLE);
    int map = bpf_map__fd(probe->bpf->maps.unwind_tables);
    uint32_t count = (uint32_t)len;
    int r = bpf_map_update_batch(map, modules, fds, &count, NULL);
    if (r < 0) { /* before Linux 5.19 */
        r = 0;
        for (size_t i = 0; i < len && r == 0; i++)
            r = bpf_map_update_elem(map, &modules[i], &fds[i], BPF_ANY);
    }
    return r;
}

int probe_publish_tables(struct probe *probe)
{
    int r = probe->new_tables.len ? publish(probe) : 0;
    close_new_tables(probe); /* the outer map holds them */
    return r;
}

static inline union unwind_element *unwind_line(void *table, uint32_t index)
{
    const struct probe_table *lines = table;
    size_t first = (size_t)index * UNWIND_LINE_ELEMENTS;
    return first < lines->len ? lines->elements + first : NULL;
}

#include "unwind_rows.h"

struct unwind_row probe_unwind_row(const struct probe *probe, const struct mapping *mapping, uint64_t address)
{
    struct probe_table table = probe->tables[mapping->module];
    return unwind_find_row(mapping, &table, address);
}

int probe_set_mappings(struct probe *probe, const struct mapping *mappings, size_t count)
{
    if (count > MAPPINGS_MAX)
        count = MAPPINGS_MAX;
    uint32_t set = (probe->bpf->bss->mapping_state >> MAPPING_SET_SHIFT) ^ 1;
    memcpy(probe->mappings + (size_t)set * MAPPINGS_MAX, mappings, count * sizeof(*mappings));
    __atomic_store_n(&probe->bpf->bss->mapping_state, set << MAPPING_SET_SHIFT | (uint32_t)count,
                     __ATOMIC_RELEASE);
    return 0;
}

int probe_read_stacks(struct probe *probe, probe_stack_fn on_stack, void *userdata)
{
    probe->on_stack = on_stack;
    probe->on_stack_userdata = userdata;
    int r = ring_buffer__consume(probe->ring);
    return r < 0 ? r : 0;
}

int probe_stacks_fd(const struct probe *probe)
{
    return ring_buffer__epoll_fd(probe->ring);
}

uint32_t probe_slot_count(const struct probe *probe)
{
    uint32_t count = probe->bpf->bss->next_stack_slot;
    return count < STACK_SLOTS_MAX ? count : STACK_SLOTS_MAX;
}

const struct cpu_counts *probe_cpu_counts(const struct probe *probe)
{
    return probe->cpu_counts;
}

const struct heap_counts *probe_heap_counts(const struct probe *probe)
{
    return probe->heap_counts;
}

static void add_count(__u64 *count, __u64 by)
{
    __atomic_fetch_add(count, by, __ATOMIC_RELEASE);
}

void probe_add_heap_counts(struct probe *probe, uint32_t slot, const struct heap_counts *counts)
{
    struct heap_counts *sum = &probe->heap_counts[slot];
    add_count(&sum->alloc_bytes, counts->alloc_bytes);
    add_count(&sum->alloc_blocks, counts->alloc_blocks);
    add_count(&sum->freed_bytes, counts->freed_bytes);
    add_count(&sum->freed_blocks, counts->freed_blocks);
    add_count(&sum->live_variance, counts->live_variance);
}

void probe_stats(const struct probe *probe, struct probe_stats *ret_stats)
{
    struct probe_stats stats = {
        .samples = probe->bpf->bss->cpu_samples,
        .samples_lost = probe->bpf->bss->cpu_samples_lost,
        .walk_frames = probe->bpf->bss->walk_frames,
        .walks_complete = probe->bpf->bss->walk_ends[STACK_COMPLETE],
    };
    for (size_t i = 0; i < STACK_END_COUNT; i++) {
        stats.ends[i] = probe->bpf->bss->walk_ends[i];
        stats.walks += i == STACK_GONE ? 0 : stats.ends[i];
    }
    for (size_t i = 0; i < LOSS_COUNT; i++)
        stats.losses[i] = probe->bpf->bss->losses[i];
    *ret_stats = stats;
}

/* Before a uprobe's program runs, the target traps into the kernel and back: measured on several machines,
 * about the same on all. A timer interrupt costs less, and the target pays for one anyway. */
#define UPROBE_TRAP_NS 1500
#define SAMPLE_TRAP_NS 500

uint64_t probe_cost_ns(const struct probe *probe)
{
    const struct program_runs *runs = probe->bpf->bss->program_runs;
    uint64_t cost_ns = runs[PROGRAM_CPU_SAMPLE].count * SAMPLE_TRAP_NS, hits = 0;
    for (size_t i = 0; i < PROGRAM_KIND_COUNT; i++) {
        cost_ns += runs[i].time_ns;
        hits += i == PROGRAM_CPU_SAMPLE ? 0 : runs[i].count;
    }
    return cost_ns + hits * UPROBE_TRAP_NS;
}

#define RUNS_TO_BELIEVE 100

static double cost_of_a_run(const struct program_runs *runs, double guess_ns)
{
    if (runs->count < RUNS_TO_BELIEVE)
        return guess_ns;
    return (double)runs->time_ns / (double)runs->count + UPROBE_TRAP_NS;
}

struct probe_heap_cost probe_heap_cost(const struct probe *probe)
{
    const struct program_runs *runs = probe->bpf->bss->program_runs;
    return (struct probe_heap_cost){
        .sample_ns = cost_of_a_run(&runs[PROGRAM_HEAP_SAMPLED], 5000),
        .free_ns = cost_of_a_run(&runs[PROGRAM_HEAP_SAMPLED_FREED], 3000),
    };
}
