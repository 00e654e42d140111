#include "session/budget.h"

#include "base/clock.h"
#include "session/session_internal.h"

#include <math.h>

#define CPU_PART    0.1 /* of the budget, for CPU samples */
#define SAMPLE_PART 0.5 /* … that heap samples get at least, whatever the hook costs by itself */
#define IDLE_CORES  0.2 /* a target that uses less pays as if it used this much: still little of a core */

#define HOOK_PAIR_NS 3.5 /* an allocation and its free, measured by tests/bench/hook_cost.py */
#define UPROBE_BURST_NS                                                                                      \
    (1.0 * NS_PER_SEC) /* of the target's time, that plain uprobes may cost beyond the budget */

void budget_start(struct session *session, uint64_t now_ns)
{
    session->run.last_govern_ns = now_ns;
    session->run.last_govern_cpu_ns = session->run.start_cpu_ns = session->run.process_cpu_ns;
}

/* What the hook's code costs where it samples nothing, in the target's time over its CPU time. */
static double hook_overhead(struct session *session)
{
    const struct snapshot *snapshot = profile_snapshot(session->profile);
    if (!session->heap_hook || snapshot->process_cores <= 0)
        return 0;
    return snapshot->heap.allocs_per_sec * HOOK_PAIR_NS / NS_PER_SEC / snapshot->process_cores;
}

/* What heap samples may cost, in the target's time over its CPU time. */
static double sample_fraction(struct session *session)
{
    double budget = session->options.budget_fraction;
    return fmax(budget * (1 - CPU_PART) - hook_overhead(session), budget * SAMPLE_PART);
}

/* Time in the programs, in the traps and in the hook, over the target's own CPU time. */
static void measure(struct session *session, uint64_t cost_ns)
{
    uint64_t cpu_ns = session->run.process_cpu_ns - session->run.last_cost_cpu_ns;
    if (cpu_ns < NS_PER_SEC / 10)
        return;
    session->run.overhead =
        (double)(cost_ns - session->run.last_cost_ns) / (double)cpu_ns + hook_overhead(session);
    session->run.last_cost_ns = cost_ns;
    session->run.last_cost_cpu_ns = session->run.process_cpu_ns;
}

static void govern_hook(struct session *session, uint64_t now_ns)
{
    double seconds = (double)(now_ns - session->run.last_govern_ns) / NS_PER_SEC;
    double cpu_sec = (double)(session->run.process_cpu_ns - session->run.last_govern_cpu_ns) / NS_PER_SEC;
    session->run.last_govern_ns = now_ns;
    session->run.last_govern_cpu_ns = session->run.process_cpu_ns;
    double cores = cpu_sec / seconds > IDLE_CORES ? cpu_sec / seconds : IDLE_CORES;
    struct heap_hook_budget budget = {
        .ns_per_sec = sample_fraction(session) * cores * NS_PER_SEC,
        .cost = probe_heap_cost(session->probe),
    };
    heap_hook_tick(session->heap_hook, seconds, &budget);
    heap_hook_stats(session->heap_hook, &session->run.heap_hook_stats);
}

/* Plain uprobes cannot be sampled. They may cost the budget and, once, a burst; then they are taken away. */
static void govern_uprobes(struct session *session, uint64_t cost_ns)
{
    double cpu_ns = (double)(session->run.process_cpu_ns - session->run.start_cpu_ns);
    if ((double)cost_ns <= session->options.budget_fraction * cpu_ns + UPROBE_BURST_NS)
        return;
    probe_stop_heap(session->probe);
    session_read_counters(session, clock_now_ns()); /* what came in while the probes went */
    profile_forget_heap(session->profile);
    session->run.heap_mode = HEAP_OFF;
    hints_add(&session->run.notes,
              "Live heap tracking was switched off: plain uprobes cost more than the budget of %g %% of the "
              "process's CPU "
              "time. Raise --budget, or use --heap auto where the process can be hooked.",
              session->options.budget_fraction * 100);
}

void budget_tick(struct session *session, uint64_t now_ns)
{
    uint64_t cost_ns = probe_cost_ns(session->probe) + session->run.heap_hook_stats.known_cost_ns;
    if (session->heap_hook)
        govern_hook(session, now_ns);
    measure(session, cost_ns);
    if (session->run.heap_mode == HEAP_UPROBE)
        govern_uprobes(session, cost_ns);
}
