#include "session/heap_hook.h"

#include "base/cleanup.h"
#include "hook/hook.h"
#include "hook/known_stacks.h"
#include "hook/remote.h"
#include "hook/slots.h"
#include "session/heap_stacks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct heap_hook {
    struct hook *hook;
    pid_t pid;
    int memory_fd;             /* of the target */
    uint64_t interval_bytes;   /* asked for; 0: the governor chooses */
    struct governor *governor; /* NULL: the interval is fixed */
    struct known_stacks *known;
    struct heap_stacks *stacks;
    struct heap_credit credit;
    /* As of the last tick. */
    struct hook_site sites[HOOK_SITES];
    struct heap_events events;
    uint64_t told_samples, told_bytes; /* of a fixed interval */
    struct heap_hook_stats stats;
};

/* How the target calls its allocator. */
struct calls {
    struct hook_patches patches;
    struct hook_slots slots;
};

static void calls_release(struct calls *calls)
{
    hook_patches_release(&calls->patches);
    hook_slots_release(&calls->slots);
}

/* Allocators that Rust code has linked in. Other modules, such as libc, are called through words. */
static int collect_patches(const struct modules *modules, struct hook_patches *patches)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < modules->items.len; i++) {
        const struct target_module *module = &modules->items.items[i];
        uint64_t bias;
        if (module->rust && module->direct_functions.len && modules_bias(modules, (uint32_t)i, &bias) == 0)
            r = hook_patches_add(patches, bias, module->direct_functions.items, module->direct_functions.len);
    }
    return r;
}

static int collect_slots(const struct heap_hook *hook, const struct modules *modules,
                         struct hook_slots *slots)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < modules->items.len; i++) {
        const struct target_module *module = &modules->items.items[i];
        struct hook_scan scan = {
            .candidates = module->hook_candidates.items,
            .candidate_count = module->hook_candidates.len,
        };
        uint64_t bias;
        if (scan.candidate_count && modules_bias(modules, (uint32_t)i, &bias) == 0)
            r = hook_slots_add(slots, hook->memory_fd, &modules->maps, bias, &scan);
    }
    return r;
}

/* −ENODATA: there are none. */
static int collect_calls(const struct heap_hook *hook, const struct modules *modules, struct calls *calls)
{
    int r = collect_patches(modules, &calls->patches);
    if (r == 0)
        r = collect_slots(hook, modules, &calls->slots);
    return r == 0 && !calls->slots.len && !calls->patches.len ? -ENODATA : r;
}

/* One of the allocator's functions. */
static uint64_t calls_target(const struct calls *calls)
{
    return calls->patches.len ? calls->patches.items[0].address : calls->slots.items[0].value;
}

static int install(struct heap_hook *hook, const struct calls *calls)
{
    struct hook_installed installed;
    int r = 0;
    if (calls->patches.len)
        r = hook_patch(hook->hook, calls->patches.items, calls->patches.len);
    if (r == 0)
        r = hook_install(hook->hook, calls->slots.items, calls->slots.len, &installed);
    if (r == 0) {
        hook->stats.unbound = calls->slots.unbound;
        hook->stats.other = installed.other;
    }
    return r;
}

int heap_hook_extend(struct heap_hook *hook, const struct modules *modules)
{
    CLEANUP(calls_release) struct calls calls = {0};
    int r = collect_calls(hook, modules, &calls);
    return r < 0 ? r : install(hook, &calls);
}

/* What the stub has counted, for known stacks too, goes into `sites` and `events`. */
static int look(struct heap_hook *hook, struct hook_counters *ret_counters)
{
    struct hook_state state;
    int r = hook_read(hook->hook, &state);
    if (r < 0)
        return r;
    memcpy(hook->sites, state.sites, sizeof(hook->sites));
    hook->events = (struct heap_events){.traps = state.header->counters.samples,
                                        .free_traps = state.header->counters.frees};
    heap_stacks_add_up(hook->stacks, hook->sites, &hook->events);
    *ret_counters = state.header->counters;
    return 0;
}

static uint64_t sampled_bytes(const struct heap_hook *hook)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < HOOK_SITES; i++)
        bytes += hook->sites[i].bytes;
    return bytes;
}

/* The interval that was asked for, again: beyond the limits the stub has made it longer, and it is what the
 * samples came to that is told. */
static int hold_interval(struct heap_hook *hook)
{
    uint64_t samples = hook->events.traps + hook->events.known, bytes = sampled_bytes(hook);
    if (samples > hook->told_samples)
        hook->stats.interval_bytes = (bytes - hook->told_bytes) / (samples - hook->told_samples);
    hook->told_samples = samples;
    hook->told_bytes = bytes;
    return hook_set_interval(hook->hook, hook->interval_bytes);
}

static int set_rates(struct heap_hook *hook, double seconds, const struct heap_hook_budget *budget)
{
    OWNED_MEM uint64_t *rates = calloc(HOOK_SITES, sizeof(*rates));
    if (!rates)
        return -ENOMEM;
    struct governor_cost cost = heap_credit_spending(&hook->credit, budget);
    governor_tick(hook->governor, hook->sites, seconds, &cost, rates);
    hook->stats.interval_bytes = (uint64_t)governor_status(hook->governor).mean_interval_bytes;
    return hook_set_rates(hook->hook, rates);
}

static int steer(struct heap_hook *hook, double seconds, const struct heap_hook_budget *budget)
{
    struct hook_limits limits = heap_credit_limits(&hook->credit, budget);
    int r = hook_set_limits(hook->hook, &limits);
    if (r < 0)
        return r;
    return hook->governor ? set_rates(hook, seconds, budget) : hold_interval(hook);
}

static int steer_first(struct heap_hook *hook)
{
    struct heap_hook_budget budget = heap_credit_first_budget();
    hook->credit = heap_credit_start();
    return steer(hook, 0, &budget);
}

static int start(struct heap_hook *hook, const struct modules *modules, struct probe *probe)
{
    CLEANUP(calls_release) struct calls calls = {0};
    int r = remote_open_memory(hook->pid, &hook->memory_fd);
    if (r == 0)
        r = collect_calls(hook, modules, &calls);
    if (r == 0)
        r = hook_new(hook->pid, calls_target(&calls), &hook->hook);
    if (r == 0)
        r = known_stacks_new(hook->pid, hook->memory_fd, hook_address(hook->hook) + HOOK_CODE_BYTES,
                             &hook->known);
    if (r == 0)
        r = heap_stacks_new(hook->known, &hook->stacks);
    if (r < 0)
        return r;
    struct hook_probe_sites sites = hook_probe_sites(hook->hook);
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", sites.fd);
    r = probe_start_sampled_heap(probe, hook->pid, path, sites.alloc_offset, sites.free_offset);
    if (r == 0)
        r = steer_first(hook);
    if (r == 0)
        r = install(hook, &calls);
    if (r < 0)
        probe_stop_heap(probe);
    return r;
}

int heap_hook_start(const struct modules *modules, struct probe *probe, uint64_t interval_bytes,
                    struct heap_hook **ret_hook)
{
    struct heap_hook *hook = calloc(1, sizeof(*hook));
    if (!hook)
        return -ENOMEM;
    *hook = (struct heap_hook){.pid = modules->pid,
                               .memory_fd = -1,
                               .interval_bytes = interval_bytes,
                               .stats.interval_bytes = interval_bytes};
    int r = interval_bytes ? 0 : governor_new(&hook->governor);
    if (r == 0)
        r = start(hook, modules, probe);
    if (r < 0) {
        heap_hook_stop(hook);
        return r;
    }
    *ret_hook = hook;
    return 0;
}

void heap_hook_stop(struct heap_hook *hook)
{
    if (!hook)
        return;
    hook_free(hook->hook);
    governor_free(hook->governor);
    heap_stacks_free(hook->stacks);
    known_stacks_free(hook->known);
    cleanup_fd(&hook->memory_fd);
    free(hook);
}

int heap_hook_count(struct heap_hook *hook, struct probe *probe)
{
    return heap_stacks_count(hook->stacks, probe);
}

int heap_hook_add_stack(struct heap_hook *hook, uint32_t slot)
{
    return heap_stacks_add(hook->stacks, slot);
}

int heap_hook_teach(struct heap_hook *hook, const struct modules *modules, const struct probe *probe,
                    const struct stack_view *stacks)
{
    int r = known_stacks_find_mappings(hook->known);
    return r < 0 ? r : heap_stacks_teach(hook->stacks, modules, probe, stacks);
}

int heap_hook_forget_stacks(struct heap_hook *hook)
{
    return heap_stacks_forget(hook->stacks);
}

int heap_hook_tick(struct heap_hook *hook, double seconds, const struct heap_hook_budget *budget)
{
    struct hook_counters counters;
    int r = hook_heartbeat(hook->hook);
    if (r < 0)
        return r;
    r = look(hook, &counters);
    if (r < 0)
        return r;
    hook->stats.unseen = counters.freed_unseen;
    hook->stats.lost = counters.set_full + counters.freed_unseen;
    hook->stats.samples = hook->events.traps + hook->events.known;
    hook->stats.kernel_samples = hook->events.traps;
    hook->stats.known_cost_ns = (uint64_t)heap_known_cost_ns(&hook->events);
    heap_credit_settle(&hook->credit, seconds, budget, &hook->events);
    return steer(hook, seconds, budget);
}

void heap_hook_stats(const struct heap_hook *hook, struct heap_hook_stats *ret_stats)
{
    *ret_stats = hook->stats;
}
