/* What heap sampling may cost a target now, in nanoseconds of its time.
 *
 * Samples are paid from a credit that the budget fills: what a quiet time has saved up, a burst may spend, so
 * that it is counted exactly or nearly so. Rates spend a part of the credit a second, so that a steady load
 * leaves a reserve there, for sites that start to allocate, as theirs may be what stays. A target that
 * allocates next to nothing saves more than its own CPU time would allow: its next burst is worth knowing
 * well, and comes once.
 *
 * Pure logic: no clock, no I/O. */
#ifndef RSPROF_SESSION_HEAP_CREDIT_H
#define RSPROF_SESSION_HEAP_CREDIT_H

#include "hook/governor.h"
#include "hook/hook.h"
#include "probe/probe.h"

/* What may be spent: nanoseconds of the target's time a second; and what a sample and its end cost that go
 * through the kernel. */
struct heap_hook_budget {
    double ns_per_sec;
    struct probe_heap_cost cost;
};

/* What the hook has sampled so far, and what of it has ended. */
struct heap_events {
    uint64_t traps, free_traps;                /* by way of the kernel */
    uint64_t known, known_frees, known_frames; /* by itself; frames that it has walked for them */
};

struct heap_credit {
    double ns;
    bool lent;         /* the reserve was lent to begin with */
    double trap_share; /* of the samples of late, those that went through the kernel */
    struct heap_events seen;
};

/* A small credit, before anything has been sampled. */
struct heap_credit heap_credit_start(void);

/* Before anything has been measured. */
struct heap_hook_budget heap_credit_first_budget(void);

/* Pays for what the stub has counted since the last time, `seconds` ago. */
void heap_credit_settle(struct heap_credit *credit, double seconds, const struct heap_hook_budget *budget,
                        const struct heap_events *events);

/* Limits for the stub that let a burst spend all of the credit. */
struct hook_limits heap_credit_limits(const struct heap_credit *credit,
                                      const struct heap_hook_budget *budget);

/* For the governor: rates that spend in proportion to the credit, at what samples cost of late. */
struct governor_cost heap_credit_spending(const struct heap_credit *credit,
                                          const struct heap_hook_budget *budget);

/* What samples have cost the target so far that the stub has counted by itself. */
double heap_known_cost_ns(const struct heap_events *events);

#endif
