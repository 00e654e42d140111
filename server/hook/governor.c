#include "hook/governor.h"

#include "hook/rate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHARE          0.05 /* of the heap that makes a site matter by its relative error */
#define ENOUGH         0.01 /* relative standard error that no more is spent on */
#define MEMORY_SEC     5.0  /* allocation rates fall with this time constant */
#define SET_COMFORT    0.5  /* occupancy of the set that asks for no restraint */
#define INTERVAL_MAX   0x1p39
#define LOOKS_MAX      64
#define UNSEEN_DENSITY 256 /* how much denser than on average sites are sampled that were not seen yet */

/* What is known of a site. */
struct site {
    uint64_t bytes, blocks; /* counted up to the last tick */
    double bytes_per_sec, blocks_per_sec;
    double live_bytes;
    double interval; /* given out last */
    unsigned looks;  /* ticks since it was seen first */
};

struct governor {
    struct site sites[HOOK_SITES];
    uint16_t active[HOOK_SITES]; /* sites that allocate */
    size_t active_count;
    double occupancy; /* of the set, 0…1 */
    bool started;
    struct governor_status status;
};

int governor_new(struct governor **ret_governor)
{
    struct governor *governor = calloc(1, sizeof(*governor));
    if (!governor)
        return -ENOMEM;
    *ret_governor = governor;
    return 0;
}

void governor_free(struct governor *governor)
{
    free(governor);
}

/* ---- looking ---- */

/* A rate per second that rises at once and falls slowly. */
static double follow(double old, double seen, double seconds)
{
    double keep = exp(-seconds / MEMORY_SEC);
    double smooth = old * keep + seen * (1 - keep);
    return seen > smooth ? seen : smooth;
}

static void site_look(struct site *site, const struct hook_site *now, double seconds)
{
    double bytes = (double)(now->bytes - site->bytes), blocks = (double)(now->blocks - site->blocks) / 65536;
    site->bytes_per_sec = follow(site->bytes_per_sec, bytes / seconds, seconds);
    site->blocks_per_sec = follow(site->blocks_per_sec, blocks / seconds, seconds);
    site->bytes = now->bytes;
    site->blocks = now->blocks;
    site->looks += site->looks < LOOKS_MAX;
    site->live_bytes = now->bytes > now->freed_bytes ? (double)(now->bytes - now->freed_bytes) : 0;
}

static void look(struct governor *governor, const struct hook_site *sites, double seconds)
{
    uint64_t live_samples = 0;
    governor->active_count = 0;
    governor->status = (struct governor_status){0};
    for (size_t i = 0; i < HOOK_SITES; i++) {
        struct site *site = &governor->sites[i];
        if (!sites[i].samples)
            continue;
        site_look(site, &sites[i], seconds);
        live_samples += sites[i].samples - sites[i].frees;
        governor->status.alloc_bytes_per_sec += site->bytes_per_sec;
        governor->status.allocs_per_sec += site->blocks_per_sec;
        governor->active[governor->active_count++] = (uint16_t)i;
    }
    governor->occupancy = (double)live_samples / HOOK_SET;
}

/* ---- deciding ---- */

/* Samples per second of a site at a mean interval. */
static double site_samples(const struct site *site, double interval)
{
    if (site->blocks_per_sec < 1e-6)
        return 0;
    double mean_size = site->bytes_per_sec / site->blocks_per_sec;
    return interval <= 0 ? site->blocks_per_sec : site->blocks_per_sec * -expm1(-mean_size / interval);
}

/* A site that seems to hold nothing may hold up to a sample's worth, and the less the more often it was
 * looked at and seen to hold nothing: so much of its interval. */
static double site_doubt(const struct site *site)
{
    return 1.0 / (2 * site->looks + 1);
}

/* The interval but for the factor k. */
static double site_shape(const struct site *site, double heap_bytes)
{
    double live = site->live_bytes + site->interval * site_doubt(site) + 1;
    double matters = fmax(live, SHARE * heap_bytes);
    return sqrt(site->bytes_per_sec / live) * matters;
}

/* The interval R at which the site is known well enough: (live + doubt × R) × R = (ENOUGH × matters)². */
static double site_enough(const struct site *site, double heap_bytes)
{
    double live = site->live_bytes + 1, doubt = site_doubt(site);
    double error = ENOUGH * fmax(live, SHARE * heap_bytes);
    return 2 * error * error / (live + sqrt(live * live + 4 * doubt * error * error));
}

static double site_interval(const struct site *site, double k, double heap_bytes)
{
    return fmax(k * site_shape(site, heap_bytes), site_enough(site, heap_bytes));
}

static double heap_bytes(const struct governor *governor)
{
    double sum = 1;
    for (size_t i = 0; i < governor->active_count; i++)
        sum += governor->sites[governor->active[i]].live_bytes;
    return sum;
}

static double all_samples(const struct governor *governor, double k, double heap)
{
    double sum = 0;
    for (size_t i = 0; i < governor->active_count; i++) {
        const struct site *site = &governor->sites[governor->active[i]];
        sum += site_samples(site, site_interval(site, k, heap));
    }
    return sum;
}

/* The least k with no more than `allowed` samples per second. Bisects the logarithm: the number of samples
 * falls with k. */
static double find_k(const struct governor *governor, double allowed, double heap)
{
    double low = -80, high = 80;
    for (int i = 0; i < 24; i++) {
        double middle = (low + high) / 2;
        if (all_samples(governor, exp2(middle), heap) > allowed)
            low = middle;
        else
            high = middle;
    }
    return exp2(high);
}

/* By how much intervals grow as the set fills: twice per fortieth of the set. */
static double restraint(double occupancy)
{
    return occupancy > SET_COMFORT ? exp2((occupancy - SET_COMFORT) * 40) : 1;
}

/* What a site is given. Intervals far below a block's size sample all of them at the same cost: then without
 * any doubt. */
static double restrained(const struct governor *governor, const struct site *site, double interval)
{
    double mean_size = site->blocks_per_sec > 0 ? site->bytes_per_sec / site->blocks_per_sec : 1;
    double more = restraint(governor->occupancy);
    if (more > 1)
        interval = fmax(interval, mean_size) * more;
    else if (interval < mean_size / 16)
        interval = 0;
    return fmin(interval, INTERVAL_MAX);
}

void governor_tick(struct governor *governor, const struct hook_site sites[static HOOK_SITES], double seconds,
                   const struct governor_cost *cost, uint64_t ret_rates[static HOOK_SITES])
{
    look(governor, sites, fmax(seconds, 1e-3));
    double allowed = cost->budget_ns_per_sec / cost->sample_ns;
    struct governor_status *status = &governor->status;
    bool all = status->allocs_per_sec <= allowed;
    double heap = heap_bytes(governor), k = all ? 0 : find_k(governor, allowed, heap);
    /* A site that was not seen yet: dense enough to be seen soon; the stub's limits stop it if it turns out
     * to be busy. */
    double unseen = all ? 0 : status->alloc_bytes_per_sec / allowed / UNSEEN_DENSITY;
    uint64_t unseen_rate = rate_of_interval(unseen * restraint(governor->occupancy));
    for (size_t i = 0; i < HOOK_SITES; i++)
        ret_rates[i] = unseen_rate;
    status->exact = all && governor->occupancy <= SET_COMFORT;
    for (size_t i = 0; i < governor->active_count; i++) {
        struct site *site = &governor->sites[governor->active[i]];
        site->interval = restrained(governor, site, all ? 0 : site_interval(site, k, heap));
        ret_rates[governor->active[i]] = rate_of_interval(site->interval);
        status->samples_per_sec += site_samples(site, site->interval);
    }
    if (!status->exact && status->samples_per_sec > 0)
        status->mean_interval_bytes = status->alloc_bytes_per_sec / status->samples_per_sec;
}

struct governor_limits governor_limits(const struct governor_cost *cost, double tick_seconds)
{
    double samples = 2 * cost->budget_ns_per_sec / cost->sample_ns * tick_seconds;
    uint32_t grant = (uint32_t)fmin(fmax(samples, 64), 1e9);
    return (struct governor_limits){.quota = grant / 2, .grant = grant};
}

struct governor_status governor_status(const struct governor *governor)
{
    return governor->status;
}
