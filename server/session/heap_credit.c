#include "session/heap_credit.h"

#include "base/clock.h"

#include <math.h>

#define CREDIT_SEC       10.0 /* most that is saved up, in seconds of the budget */
#define STEADY_SEC       6.0  /* … of it, what a steady load leaves there */
#define QUIET_NS_PER_SEC (0.015 * NS_PER_SEC)
#define QUIET_MOST_NS    (0.1 * NS_PER_SEC)
#define FIRST_CREDIT_NS  (0.01 * NS_PER_SEC)
#define TRAP_SHARE_SEC   0.5 /* that the share of samples through the kernel is taken over */
#define LENDING_SHARE    0.5 /* … below which the reserve is lent */
#define LIMITS_SEC       0.5 /* the stub's limits are for so long: twice the time between heartbeats */

/* What a sample costs the target whose stack the stub knows: it, each of its frames, and its end. In
 * proportion as tests/bench/heap_known.py measures them; together what tests/bench/hook_cost.py sees on two
 * threads, where it is most. */
#define KNOWN_SAMPLE_NS 600.0
#define KNOWN_FRAME_NS  40.0
#define KNOWN_FREE_NS   300.0

struct heap_credit heap_credit_start(void)
{
    return (struct heap_credit){.ns = FIRST_CREDIT_NS, .trap_share = 1};
}

struct heap_hook_budget heap_credit_first_budget(void)
{
    return (struct heap_hook_budget){.ns_per_sec = FIRST_CREDIT_NS, .cost = {5000, 3000}};
}

/* ---- what samples cost ---- */

double heap_known_cost_ns(const struct heap_events *events)
{
    return (double)events->known * KNOWN_SAMPLE_NS + (double)events->known_frames * KNOWN_FRAME_NS +
           (double)events->known_frees * KNOWN_FREE_NS;
}

static double cost_ns(const struct heap_events *events, const struct probe_heap_cost *cost)
{
    return heap_known_cost_ns(events) + (double)events->traps * cost->sample_ns +
           (double)events->free_traps * cost->free_ns;
}

/* A sample whose stack the stub knows, and its end. */
static double known_pair_ns(const struct heap_events *events)
{
    double frames = events->known ? (double)events->known_frames / (double)events->known : 0;
    return KNOWN_SAMPLE_NS + KNOWN_FREE_NS + frames * KNOWN_FRAME_NS;
}

static double trap_pair_ns(const struct heap_hook_budget *budget)
{
    return budget->cost.sample_ns + budget->cost.free_ns;
}

/* ---- the credit ---- */

static void follow_trap_share(struct heap_credit *credit, double seconds, const struct heap_events *events)
{
    double known = (double)(events->known - credit->seen.known),
           traps = (double)(events->traps - credit->seen.traps), keep = exp(-seconds / TRAP_SHARE_SEC);
    if (known + traps > 0)
        credit->trap_share = keep * credit->trap_share + (1 - keep) * traps / (known + traps);
}

void heap_credit_settle(struct heap_credit *credit, double seconds, const struct heap_hook_budget *budget,
                        const struct heap_events *events)
{
    double spent = cost_ns(events, &budget->cost) - cost_ns(&credit->seen, &budget->cost);
    follow_trap_share(credit, seconds, events);
    if (!credit->lent && credit->trap_share < LENDING_SHARE) {
        credit->ns = fmax(credit->ns, STEADY_SEC * budget->ns_per_sec);
        credit->lent = true;
    }
    double fill = budget->ns_per_sec * seconds, most = CREDIT_SEC * budget->ns_per_sec;
    if (spent < fill / 4) {
        fill += QUIET_NS_PER_SEC * seconds;
        most = fmax(most, QUIET_MOST_NS);
    }
    credit->ns = fmax(fmin(credit->ns + fill, most) - spent, -most);
    credit->seen = *events;
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
        .budget_ns_per_sec = fmax(credit->ns / STEADY_SEC, least_spending(budget)),
        .sample_ns = credit->trap_share * trap_pair_ns(budget) +
                     (1 - credit->trap_share) * known_pair_ns(&credit->seen),
    };
}
