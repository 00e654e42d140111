#include "session/heap_hook.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/governor.h"
#include "hook/hook.h"
#include "hook/remote.h"
#include "hook/slots.h"

#include <errno.h>
#include <stdio.h>

struct heap_hook {
    struct hook *hook;
    pid_t pid;
    int memory_fd;             /* of the target */
    struct governor *governor; /* NULL: the interval is fixed */
    struct heap_hook_stats stats;
};

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

int heap_hook_extend(struct heap_hook *hook, const struct modules *modules)
{
    struct hook_slots slots = {0};
    struct hook_installed installed;
    int r = collect_slots(hook, modules, &slots);
    if (r == 0)
        r = slots.len ? hook_install(hook->hook, slots.items, slots.len, &installed) : -ENODATA;
    hook_slots_release(&slots);
    return r;
}

/* Until the first tick: a quarter of a second that samples as much as a core could pay for, at a guess of the
 * cost. */
static const struct heap_hook_budget first_budget = {.ns_per_sec = 0.01 * NS_PER_SEC, .cost = {5000, 3000}};

static int govern(struct heap_hook *hook, double seconds, const struct heap_hook_budget *budget)
{
    struct governor_cost cost = {budget->ns_per_sec, budget->cost.sample_ns, budget->cost.free_ns};
    struct governor_limits limits = governor_limits(&cost, seconds > 0 ? seconds : 0.25);
    struct hook_state state;
    OWNED_MEM uint64_t *rates = calloc(HOOK_SITES, sizeof(*rates));
    if (!rates)
        return -ENOMEM;
    int r = hook_read(hook->hook, &state);
    if (r == 0)
        r = hook_set_limits(hook->hook, limits.quota, limits.grant);
    if (r < 0)
        return r;
    governor_tick(hook->governor, state.sites, seconds, &cost, rates);
    hook->stats.interval_bytes = (uint64_t)governor_status(hook->governor).mean_interval_bytes;
    hook->stats.lost = state.header->counters.set_full;
    return hook_set_rates(hook->hook, rates);
}

static int start(struct heap_hook *hook, const struct modules *modules, struct probe *probe,
                 uint64_t interval_bytes)
{
    int r = remote_open_memory(hook->pid, &hook->memory_fd);
    if (r == 0)
        r = hook_new(hook->pid, &hook->hook);
    if (r < 0)
        return r;
    struct hook_probe_sites sites = hook_probe_sites(hook->hook);
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", sites.fd);
    r = probe_start_sampled_heap(probe, hook->pid, path, sites.alloc_offset, sites.free_offset);
    if (r == 0)
        r = interval_bytes ? hook_set_interval(hook->hook, interval_bytes) : govern(hook, 0, &first_budget);
    if (r == 0)
        r = heap_hook_extend(hook, modules);
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
    *hook = (struct heap_hook){.pid = modules->pid, .memory_fd = -1, .stats.interval_bytes = interval_bytes};
    int r = interval_bytes ? 0 : governor_new(&hook->governor);
    if (r == 0)
        r = start(hook, modules, probe, interval_bytes);
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
    cleanup_fd(&hook->memory_fd);
    free(hook);
}

int heap_hook_tick(struct heap_hook *hook, double seconds, const struct heap_hook_budget *budget)
{
    int r = hook_heartbeat(hook->hook);
    return r == 0 && hook->governor ? govern(hook, seconds, budget) : r;
}

void heap_hook_stats(const struct heap_hook *hook, struct heap_hook_stats *ret_stats)
{
    *ret_stats = hook->stats;
}
