/* Rates of stub_abi.h and the mean intervals that people speak of. */
#ifndef RSPROF_HOOK_RATE_H
#define RSPROF_HOOK_RATE_H

#include "hook/stub_abi.h"

#include <math.h>

/* Intervals up to a byte mean every allocation; longer ones than 2^40 bytes are 2^40. */
static inline uint64_t rate_of_interval(double interval_bytes)
{
    if (interval_bytes <= 1)
        return HOOK_RATE_ALL;
    double rate = ldexp(1, HOOK_HAZARD_BITS) / interval_bytes;
    return rate < (double)HOOK_RATE_MIN ? HOOK_RATE_MIN : (uint64_t)rate;
}

static inline double interval_of_rate(uint64_t rate)
{
    if (rate >= HOOK_RATE_ALL)
        return 0;
    return rate ? ldexp(1, HOOK_HAZARD_BITS) / (double)rate : INFINITY;
}

#endif
