#include "session/heap_credit.h"

#include "base/clock.h"

#include <math.h>

#define CREDIT_SEC       10.0 /* most that is saved up, in seconds of the budget */
#define RESERVE_SEC      5.0  /* … of it, what a steady load leaves alone */
#define QUIET_NS_PER_SEC (0.015 * NS_PER_SEC)
#define QUIET_MOST_NS    (0.1 * NS_PER_SEC)
#define FIRST_CREDIT_NS  (0.01 * NS_PER_SEC)
#define TRAP_SHARE_SEC   2.0 /* that the share of samples through the kernel is taken over */
#define LIMITS_SEC       0.5 /* the stub's limits are for so long: twice the time between heartbeats */

/* What a sample costs the target whose stack the stub knows: it, each of its frames, and its end. Measured by
 * tests/bench/heap_known.py, where caches are neither warm nor cold. */
#define KNOWN_SAMPLE_NS 200.0
#define KNOWN_FRAME_NS  15.0
#define KNOWN_FREE_NS   80.0

struct heap_credit heap_credit_start(const struct hook_counters *counters)
{
    return (struct heap_credit){.ns = FIRST_CREDIT_NS, .trap_share = 1, .seen = *counters};
}

struct heap_hook_budget heap_credit_first_budget(void)
{
    return (struct heap_hook_budget){.ns_per_sec = FIRST_CREDIT_NS, .cost = {5000, 3000}};
}

/* ---- what samples cost ---- */

double heap_known_cost_ns(const struct hook_counters *counters)
{
    return (double)(counters->samples - counters->traps) * KNOWN_SAMPLE_NS +
           (double)counters->known_frames * KNOWN_FRAME_NS +
           (double)(counters->frees - counters->free_traps) * KNOWN_FREE_NS;
}

static double cost_ns(const struct hook_counters *counters, const struct probe_heap_cost *cost)
{
    return heap_known_cost_ns(counters) + (double)counters->traps * cost->sample_ns +
           (double)counters->free_traps * cost->free_ns;
}

/* A sample whose stack the stub knows, and its end. */
static double known_pair_ns(const struct hook_counters *counters)
{
    uint64_t samples = counters->samples - counters->traps;
    double frames = samples ? (double)counters->known_frames / (double)samples : 0;
    return KNOWN_SAMPLE_NS + KNOWN_FREE_NS + frames * KNOWN_FRAME_NS;
}

static double trap_pair_ns(const struct heap_hook_budget *budget)
{
    return budget->cost.sample_ns + budget->cost.free_ns;
}

/* ---- the credit ---- */

static void follow_trap_share(struct heap_credit *credit, double seconds,
                              const struct hook_counters *counters)
{
    double samples = (double)(counters->samples - credit->seen.samples),
           traps = (double)(counters->traps - credit->seen.traps), keep = exp(-seconds / TRAP_SHARE_SEC);
    if (samples > 0)
        credit->trap_share = keep * credit->trap_share + (1 - keep) * traps / samples;
}

void heap_credit_settle(struct heap_credit *credit, double seconds, const struct heap_hook_budget *budget,
                        const struct hook_counters *counters)
{
    double spent = cost_ns(counters, &budget->cost) - cost_ns(&credit->seen, &budget->cost);
    if (!credit->lent)
        credit->ns = fmax(credit->ns, RESERVE_SEC * budget->ns_per_sec);
    credit->lent = true;
    double fill = budget->ns_per_sec * seconds, most = CREDIT_SEC * budget->ns_per_sec;
    if (spent < fill / 4) {
        fill += QUIET_NS_PER_SEC * seconds;
        most = fmax(most, QUIET_MOST_NS);
    }
    credit->ns = fmax(fmin(credit->ns + fill, most) - spent, -most);
    follow_trap_share(credit, seconds, counters);
    credit->seen = *counters;
}

/* Less is not spent even while a debt is paid off. */
static double least_spending(const struct heap_hook_budget *budget)
{
    return budget->ns_per_sec / 10;
}

struct hook_limits heap_credit_limits(const struct heap_credit *credit, const struct heap_hook_budget *budget)
{
    double known_ns = known_pair_ns(&credit->seen);
    struct governor_cost cost = {fmax(credit->ns, least_spending(budget)), known_ns};
    struct governor_limits limits = governor_limits(&cost, LIMITS_SEC);
    return (struct hook_limits){limits.quota, limits.grant,
                                (uint32_t)fmax(trap_pair_ns(budget) / known_ns, 1)};
}

struct governor_cost heap_credit_spending(const struct heap_credit *credit,
                                          const struct heap_hook_budget *budget)
{
    return (struct governor_cost){
        .budget_ns_per_sec = fmax(credit->ns - RESERVE_SEC * budget->ns_per_sec, least_spending(budget)),
        .sample_ns = credit->trap_share * trap_pair_ns(budget) +
                     (1 - credit->trap_share) * known_pair_ns(&credit->seen),
    };
}
