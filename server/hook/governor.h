/* Decides how densely each allocation site is sampled, so that samples cost no more than the budget and sit
 * where the heap is. Pure logic: no clock, no I/O.
 *
 * While everything fits into the budget, every allocation is sampled, and counts are exact. Beyond that each
 * site i gets the mean interval R_i = k × sqrt(A_i / L_i) × max(L_i, share × L), where A_i is what it
 * allocates (bytes/s), L_i what it holds (bytes), L the sum of all L_i, and k is the same for all sites and
 * as small as the budget allows. This minimizes, at that cost, the sum of the squared relative errors of the
 * sites (those that hold less than `share` of the heap count by their absolute error), since a site's live
 * bytes have the variance L_i × R_i and its samples cost A_i / R_i: the Lagrange condition of the problem. So
 * sites whose bytes stay are sampled densely, and those whose bytes die young hardly at all. No site is
 * sampled more densely than it takes to know it well enough, with a standard error of 1 % of the larger of
 * L_i and share × L: what is left of the budget then is not spent.
 *
 * Estimates stay unbiased, as intervals follow from the past alone (stub_abi.h). Rates rise at once and fall
 * slowly, so that a burst is paid for once; between two ticks the stub's own limits hold (`governor_limits`).
 * When more than half of the set's places are taken, intervals grow further.
 * Units: bytes, seconds, nanoseconds. */
#ifndef RSPROF_HOOK_GOVERNOR_H
#define RSPROF_HOOK_GOVERNOR_H

#include "hook/stub_abi.h"

#include <stdbool.h>

struct governor;

struct governor_cost {
    double budget_ns_per_sec; /* what samples may cost, of the target's time */
    double sample_ns;         /* of one, and of its end */
};

/* Between two heartbeats. */
struct governor_limits {
    uint32_t quota; /* of one site */
    uint32_t grant; /* of all */
};

struct governor_status {
    double samples_per_sec;                     /* expected with the rates given out */
    double alloc_bytes_per_sec, allocs_per_sec; /* of the target, estimated */
    double mean_interval_bytes; /* bytes allocated for each sample; 0: every allocation is sampled */
    bool exact;
};

int governor_new(struct governor **ret_governor);
void governor_free(struct governor *governor);

/* Looks at the stub's counts, `seconds` after the last tick (or the start), and gives a rate for each site.
 */
void governor_tick(struct governor *governor, const struct hook_site sites[static HOOK_SITES], double seconds,
                   const struct governor_cost *cost, uint64_t ret_rates[static HOOK_SITES]);

/* What the stub may do by itself in a tick of so many seconds: twice what the budget says. */
struct governor_limits governor_limits(const struct governor_cost *cost, double tick_seconds);

struct governor_status governor_status(const struct governor *governor);

#endif
