/* The stub's integer mathematics against libm. */
#include "hook/stub/math.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HAZARD_ONE ((double)(1ull << HOOK_HAZARD_BITS))

static void assert_close(double seen, double truth, double relative)
{
    if (fabs(seen - truth) > relative * fabs(truth))
        fail_msg("%.17g instead of %.17g", seen, truth);
}

enum { DRAWS = 4000000 };

static void exponential_draws_have_mean_and_variance_one(void **state)
{
    (void)state;
    uint64_t random = 12345;
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = (double)hook_exponential(&random) / HAZARD_ONE;
        sum += x;
        squares += x * x;
    }
    double mean = sum / DRAWS;
    assert_true(fabs(mean - 1) < 0.002); /* four standard errors */
    assert_true(fabs(squares / DRAWS - mean * mean - 1) < 0.006);
}

static void exponential_draws_follow_the_distribution_everywhere(void **state)
{
    (void)state;
    enum { BINS = 400 }; /* of 1/50; the last one is for all that is beyond */
    static unsigned seen[BINS];
    uint64_t random = 987654321;
    for (int i = 0; i < DRAWS; i++) {
        double bin = (double)hook_exponential(&random) / HAZARD_ONE * 50;
        seen[bin < BINS ? (int)bin : BINS - 1]++;
    }
    double square = 0; /* chi-squared */
    for (int i = 0; i < BINS; i++) {
        double p = exp(-i / 50.0) - (i < BINS - 1 ? exp(-(i + 1) / 50.0) : 0), expected = p * DRAWS;
        square += (seen[i] - expected) * (seen[i] - expected) / expected;
    }
    assert_true(fabs(square - BINS) < 5 * sqrt(2.0 * BINS));
}

static void probability_is_one_minus_the_exponential(void **state)
{
    (void)state;
    for (double hazard = 0x1p-40; hazard < 60; hazard *= 1.013) {
        uint64_t fixed = (uint64_t)(hazard * HAZARD_ONE);
        double truth = -expm1(-(double)fixed / HAZARD_ONE);
        assert_close((double)hook_probability(fixed) / 0x1p63, truth, 0x1p-22);
    }
    assert_true(hook_probability(UINT64_MAX) == HOOK_PROBABILITY_ONE);
}

static void weights_are_size_and_one_by_probability(void **state)
{
    (void)state;
    for (uint64_t size = 1; size < 1ull << 46; size = size * 7 + 3) {
        for (double p = 1; p > 0x1p-39; p /= 3.7) {
            uint64_t probability = (uint64_t)(p * 0x1p63);
            double exact = (double)probability / 0x1p63;
            double bytes = (double)size / exact;
            if (bytes < 0x1p62) {
                double error = fabs((double)hook_weight_bytes(size, probability) - bytes);
                assert_true(error <= 0.51 || error / bytes < 1e-15);
            }
            assert_close((double)hook_weight_blocks(probability) / 65536, 1 / exact, 1e-5);
        }
        assert_int_equal(hook_weight_bytes(size, HOOK_PROBABILITY_ONE), size);
    }
    assert_int_equal(hook_weight_blocks(HOOK_PROBABILITY_ONE), 65536);
    assert_true(hook_weight_bytes(UINT64_MAX, 1) == UINT64_MAX);
}

static void hazards_saturate(void **state)
{
    (void)state;
    assert_int_equal(hook_hazard(3, 8), 24);
    assert_int_equal(hook_hazard(3, 0), 0);
    assert_true(hook_hazard(HOOK_RATE_ALL, 16) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponential_draws_have_mean_and_variance_one),
        cmocka_unit_test(exponential_draws_follow_the_distribution_everywhere),
        cmocka_unit_test(probability_is_one_minus_the_exponential),
        cmocka_unit_test(weights_are_size_and_one_by_probability),
        cmocka_unit_test(hazards_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
