/* Time: nanoseconds of CLOCK_MONOTONIC, which the kernel's bpf_ktime_get_ns() also gives. */
#ifndef RSPROF_BASE_CLOCK_H
#define RSPROF_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS  1000000ull

static inline uint64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

#endif
