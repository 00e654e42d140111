/* The governor in front of simulated programs. Allocations are not made one by one: how many of n are sampled
 * is drawn from the binomial distribution that the stub's countdown amounts to. */
#include "hook/governor.h"
#include "hook/rate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TICK_SEC 0.25
static const struct governor_cost cost = {.budget_ns_per_sec = 20e6, .sample_ns = 4000};
static const double allowed = 5000; /* samples a second that this pays for */

/* ---- randomness ---- */

static uint64_t random_state = 88172645463325252ull;

static double uniform(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return ((double)(random_state >> 11) + 0.5) / 0x1p53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

static double binomial(double n, double p)
{
    double mean = n * p, q = 1 - p;
    if (p > 0.5)
        return n - binomial(n, q);
    if (mean > 40)
        return fmin(n, fmax(0, round(mean + normal() * sqrt(mean * q))));
    if (n <= 200) {
        double hits = 0;
        for (double i = 0; i < n; i++)
            hits += uniform() < p;
        return hits;
    }
    double hits = 0, product = uniform(); /* rare hits: Poisson */
    for (double limit = exp(-mean); product > limit; product *= uniform())
        hits++;
    return hits;
}

/* ---- a program ---- */

struct line {
    const char *name;
    double bytes_per_sec, size, life_sec; /* life: 0: dies at once; INFINITY: stays */
    double from_sec;                      /* starts then */
};

enum { LINES_MAX = 4, COHORTS = 16384 };

/* Samples of one line and one tick that still live. */
struct cohort {
    double count, weight_bytes, p;
};

struct simulation {
    const struct line *lines;
    size_t line_count;
    struct hook_site sites[HOOK_SITES];
    uint64_t rates[HOOK_SITES];
    struct cohort cohorts[LINES_MAX][COHORTS];
    size_t cohort_count[LINES_MAX];
    double truth[LINES_MAX]; /* live bytes */
    double now_sec, samples;
    bool limited; /* by the stub's quota */
};

static void line_die(struct simulation *simulation, size_t i)
{
    const struct line *line = &simulation->lines[i];
    double p = line->life_sec > 0 ? -expm1(-TICK_SEC / line->life_sec) : 1;
    simulation->truth[i] *= 1 - p;
    for (size_t j = 0; j < simulation->cohort_count[i] && p > 0; j++) {
        struct cohort *cohort = &simulation->cohorts[i][j];
        double died = binomial(cohort->count, p);
        cohort->count -= died;
        simulation->sites[i].frees += (uint64_t)died;
        simulation->sites[i].freed_bytes += (uint64_t)(died * cohort->weight_bytes);
    }
}

static void line_sample(struct simulation *simulation, size_t i, double n, double p)
{
    const struct line *line = &simulation->lines[i];
    struct hook_site *site = &simulation->sites[i];
    double hits = binomial(n, p), weight = line->size / p;
    site->samples += (uint64_t)hits;
    site->bytes += (uint64_t)(hits * weight);
    site->blocks += (uint64_t)(hits / p * 65536);
    simulation->samples += hits;
    assert_true(simulation->cohort_count[i] < COHORTS);
    simulation->cohorts[i][simulation->cohort_count[i]++] = (struct cohort){hits, weight, p};
}

/* One tick's allocations; the stub lowers the rate by itself each time the site's quota is used up. */
static void line_allocate(struct simulation *simulation, size_t i)
{
    const struct line *line = &simulation->lines[i];
    double n = line->bytes_per_sec * TICK_SEC / line->size;
    double quota = simulation->limited ? governor_limits(&cost, TICK_SEC).quota : INFINITY;
    if (simulation->now_sec < line->from_sec)
        return;
    simulation->truth[i] += n * line->size;
    while (n >= 1) {
        double interval = interval_of_rate(simulation->rates[i]);
        double p = interval > 0 ? -expm1(-line->size / interval) : 1, part = fmin(n, ceil(quota / p));
        line_sample(simulation, i, part, p);
        if (part < n)
            simulation->rates[i] = rate_of_interval(interval >= 64 ? interval * 4 : 64);
        n -= part;
    }
}

/* A NULL governor: one interval for all. */
static void simulate(struct simulation *simulation, struct governor *governor, double interval,
                     double seconds)
{
    simulation->limited = governor;
    for (double end = simulation->now_sec + seconds; simulation->now_sec < end - 1e-9;
         simulation->now_sec += TICK_SEC) {
        if (governor)
            governor_tick(governor, simulation->sites, TICK_SEC, &cost, simulation->rates);
        else
            for (size_t i = 0; i < simulation->line_count; i++)
                simulation->rates[i] = rate_of_interval(interval);
        for (size_t i = 0; i < simulation->line_count; i++) {
            line_allocate(simulation, i);
            line_die(simulation, i);
        }
    }
}

static double estimate(const struct simulation *simulation, size_t line)
{
    return (double)simulation->sites[line].bytes - (double)simulation->sites[line].freed_bytes;
}

/* As a snapshot states it: the square root of the sum of weight² × (1 − p) over live samples. */
static double standard_error(const struct simulation *simulation, size_t line)
{
    double sum = 0;
    for (size_t j = 0; j < simulation->cohort_count[line]; j++) {
        const struct cohort *cohort = &simulation->cohorts[line][j];
        sum += cohort->count * cohort->weight_bytes * cohort->weight_bytes * (1 - cohort->p);
    }
    return sqrt(sum);
}

static struct simulation *simulation_new(const struct line *lines, size_t count)
{
    struct simulation *simulation = calloc(1, sizeof(*simulation));
    assert_non_null(simulation);
    simulation->lines = lines;
    simulation->line_count = count;
    for (size_t i = 0; i < HOOK_SITES; i++)
        simulation->rates[i] = HOOK_RATE_ALL;
    return simulation;
}

static struct governor *governor_make(void)
{
    struct governor *governor;
    assert_int_equal(governor_new(&governor), 0);
    return governor;
}

/* ---- tests ---- */

static void a_quiet_program_is_exact(void **state)
{
    (void)state;
    static const struct line lines[] = {{"stay", 100e3, 100, INFINITY, 0}, {"pass", 200e3, 64, 0, 0}};
    struct simulation *simulation = simulation_new(lines, 2);
    struct governor *governor = governor_make();
    simulate(simulation, governor, 0, 10);
    assert_true(governor_status(governor).exact);
    assert_int_equal(estimate(simulation, 0), simulation->truth[0]);
    assert_true(governor_status(governor).mean_interval_bytes == 0);
    governor_free(governor);
    free(simulation);
}

static void samples_stay_within_the_budget_at_any_load(void **state)
{
    (void)state;
    for (double load = 1e4; load < 2e10; load *= 7) {
        const struct line lines[] = {{"stay", load / 100, 300, INFINITY, 0},
                                     {"a while", load / 10, 100, 1, 0},
                                     {"churn", load, 48, 0, 5}};
        struct simulation *simulation = simulation_new(lines, 3);
        struct governor *governor = governor_make();
        simulate(simulation, governor, 0, 10);
        double before = simulation->samples;
        simulate(simulation, governor, 0, 10);
        if ((simulation->samples - before) / 10 > allowed * 1.1)
            fail_msg("%g samples/s at %g bytes/s", (simulation->samples - before) / 10, load);
        governor_free(governor);
        free(simulation);
    }
}

struct outcome {
    double error[LINES_MAX]; /* root mean square, relative */
    double within;           /* of all: the truth lies within two stated standard errors */
    double bias;             /* of line 0, in standard errors of the mean */
};

static struct outcome repeat(const struct line *lines, size_t count, bool govern, double interval,
                             unsigned runs)
{
    struct outcome outcome = {0};
    double sum = 0, squares = 0;
    for (unsigned run = 0; run < runs; run++) {
        struct simulation *simulation = simulation_new(lines, count);
        struct governor *governor = govern ? governor_make() : NULL;
        simulate(simulation, governor, interval, 30);
        for (size_t i = 0; i < count; i++) {
            double error = (estimate(simulation, i) - simulation->truth[i]) / fmax(simulation->truth[i], 1);
            outcome.error[i] += error * error / runs;
        }
        double error = estimate(simulation, 0) - simulation->truth[0], stated = standard_error(simulation, 0);
        outcome.within += fabs(error) <= 2 * stated + 1 ? 1.0 / runs : 0;
        sum += error;
        squares += error * error;
        governor_free(governor);
        free(simulation);
    }
    for (size_t i = 0; i < count; i++)
        outcome.error[i] = sqrt(outcome.error[i]);
    outcome.bias = sum / sqrt(squares + 1);
    return outcome;
}

static void stratification_gains_accuracy_at_the_same_cost(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct line lines[3];
    } programs[] = {
        {"3 MB/s stay, 240 MB/s die",
         {{"stay", 3e6, 1000, INFINITY, 0}, {"10 s", 3e6, 200, 10, 0}, {"die", 240e6, 64, 0, 0}}},
        {"0.3 MB/s stay, 2.4 GB/s die",
         {{"stay", 0.3e6, 100, INFINITY, 0}, {"10 s", 0.3e6, 500, 10, 0}, {"die", 2.4e9, 48, 0, 0}}},
        {"all stay", {{"stay", 30e6, 500, INFINITY, 0}, {"10 s", 30e6, 500, 10, 0}, {"die", 1e6, 64, 0, 0}}},
    };
    printf("%-30s%24s%24s%10s\n", "relative error of live bytes", "one interval for all",
           "an interval a site", "gain");
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        double rate = 0;
        for (size_t j = 0; j < 3; j++)
            rate += programs[i].lines[j].bytes_per_sec;
        struct outcome one = repeat(programs[i].lines, 3, false, rate / allowed, 40);
        struct outcome many = repeat(programs[i].lines, 3, true, 0, 40);
        for (size_t j = 0; j < 2; j++)
            printf("%-20s %-9s%23.2f%%%23.2f%%%9.1fx\n", j ? "" : programs[i].name, programs[i].lines[j].name,
                   one.error[j] * 100, many.error[j] * 100, one.error[j] / many.error[j]);
        assert_true(many.error[0] <
                    0.03); /* where all stays, the set's size bounds the samples, and that is still plenty */
        if (i < 2)
            assert_true(many.error[0] < one.error[0] / 2.5);
    }
}

static void the_truth_lies_within_two_stated_errors_in_95_of_100_runs(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"stay", 30e6, 1000, INFINITY, 0}, {"a while", 50e6, 200, 5, 0}, {"die", 240e6, 64, 0, 0}};
    struct outcome outcome = repeat(lines, 3, true, 0, 400);
    printf("within two standard errors: %.1f %%, bias %.2f standard errors\n", outcome.within * 100,
           outcome.bias);
    assert_true(outcome.within > 0.92);
    assert_true(fabs(outcome.bias) < 3.5);
}

static void what_is_known_well_enough_is_sampled_no_more(void **state)
{
    (void)state;
    static const struct line lines[] = {{"20 s", 1e6, 1000, 20, 0}, {"die", 24e6, 64, 0, 0}};
    struct simulation *simulation = simulation_new(lines, 2);
    struct governor *governor = governor_make();
    simulate(simulation, governor, 0, 100);
    double before = simulation->samples;
    simulate(simulation, governor, 0, 10);
    assert_true((simulation->samples - before) / 10 < allowed / 4);
    assert_true(standard_error(simulation, 0) < 0.012 * simulation->truth[0]);
    governor_free(governor);
    free(simulation);
}

static void the_set_is_not_overrun(void **state)
{
    (void)state;
    static const struct line lines[] = {{"stay", 2e9, 64, INFINITY, 0}};
    struct simulation *simulation = simulation_new(lines, 1);
    struct governor *governor = governor_make();
    simulate(simulation, governor, 0, 600);
    assert_true(simulation->sites[0].samples - simulation->sites[0].frees < HOOK_SET / 10 * 9);
    governor_free(governor);
    free(simulation);
}

static void limits_are_twice_the_budget(void **state)
{
    (void)state;
    struct governor_limits limits = governor_limits(&cost, 0.5);
    assert_int_equal(limits.grant, 5000);
    assert_int_equal(limits.quota, 2500);
    limits = governor_limits(&(struct governor_cost){1, 2e6}, 1);
    assert_true(limits.grant >= 64 && limits.quota >= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_program_is_exact),
        cmocka_unit_test(samples_stay_within_the_budget_at_any_load),
        cmocka_unit_test(stratification_gains_accuracy_at_the_same_cost),
        cmocka_unit_test(the_truth_lies_within_two_stated_errors_in_95_of_100_runs),
        cmocka_unit_test(what_is_known_well_enough_is_sampled_no_more),
        cmocka_unit_test(the_set_is_not_overrun),
        cmocka_unit_test(limits_are_twice_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
