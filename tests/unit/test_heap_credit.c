/* What heap samples may cost: the credit that pays for them. */
#include "session/heap_credit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TICK_SEC 0.25

static const struct heap_hook_budget budget = {.ns_per_sec = 15e6, .cost = {5000, 3000}};

/* Spends what the credit allows, every sample through the kernel or none, and gives the samples a second. */
static double settle_for(struct heap_credit *credit, double seconds, bool through_kernel)
{
    double samples = 0;
    struct heap_events events = credit->seen;
    for (double passed = 0; passed < seconds; passed += TICK_SEC) {
        struct governor_cost cost = heap_credit_spending(credit, &budget);
        double now = cost.budget_ns_per_sec / cost.sample_ns * TICK_SEC;
        events.traps += through_kernel ? (uint64_t)now : 0;
        events.free_traps += through_kernel ? (uint64_t)now : 0;
        events.known += through_kernel ? 0 : (uint64_t)now;
        events.known_frees += through_kernel ? 0 : (uint64_t)now;
        events.known_frames += through_kernel ? 0 : (uint64_t)now * 10;
        heap_credit_settle(credit, TICK_SEC, &budget, &events);
        samples += now;
    }
    return samples / seconds;
}

static void a_steady_load_spends_the_budget_and_no_more(void **state)
{
    (void)state;
    struct heap_credit credit = heap_credit_start();
    settle_for(&credit, 30, true);
    double samples = settle_for(&credit, 30, true);
    assert_true(fabs(samples * 8000 / budget.ns_per_sec - 1) < 0.05);
    settle_for(&credit, 30, false);
    struct heap_events before = credit.seen;
    settle_for(&credit, 30, false);
    double cost = heap_known_cost_ns(&credit.seen) - heap_known_cost_ns(&before);
    assert_true(fabs(cost / 30 / budget.ns_per_sec - 1) < 0.05);
}

static void samples_of_known_stacks_are_as_many_more_as_they_cost_less(void **state)
{
    (void)state;
    const struct heap_events one = {.known = 1, .known_frames = 10, .known_frees = 1};
    struct heap_credit credit = heap_credit_start();
    settle_for(&credit, 30, true);
    double through_kernel = settle_for(&credit, 30, true);
    settle_for(&credit, 30, false);
    double more = settle_for(&credit, 30, false) / through_kernel;
    assert_true(fabs(more * heap_known_cost_ns(&one) / 8000 - 1) < 0.05);
}

static void the_stub_is_told_what_a_sample_through_the_kernel_costs_more(void **state)
{
    (void)state;
    struct heap_credit credit = heap_credit_start();
    struct hook_limits limits = heap_credit_limits(&credit, &budget);
    assert_true(limits.trap_price > 5 && limits.trap_price < 50);
    assert_true(limits.quota * 2 <= limits.grant + 1 && limits.grant > 0);
}

static void a_target_that_becomes_busier_is_sampled_more(void **state)
{
    (void)state;
    const struct heap_hook_budget busier = {.ns_per_sec = 3 * budget.ns_per_sec, .cost = budget.cost};
    struct heap_credit credit = heap_credit_start();
    double before = settle_for(&credit, 30, true);
    struct governor_cost cost = heap_credit_spending(&credit, &busier);
    assert_true(cost.budget_ns_per_sec / cost.sample_ns > 0.9 * before);
}

static void a_quiet_time_saves_for_a_burst(void **state)
{
    (void)state;
    struct heap_credit credit = heap_credit_start();
    uint32_t at_start = heap_credit_limits(&credit, &budget).grant;
    struct heap_events none = credit.seen;
    for (double passed = 0; passed < 20; passed += TICK_SEC)
        heap_credit_settle(&credit, TICK_SEC, &budget, &none);
    uint32_t saved = heap_credit_limits(&credit, &budget).grant;
    assert_true(saved > 5 * at_start);
    heap_credit_settle(&credit, 20, &budget, &none);
    assert_int_equal(heap_credit_limits(&credit, &budget).grant, saved); /* there is a most */
}

static void a_debt_is_paid_off_and_something_is_sampled_meanwhile(void **state)
{
    (void)state;
    struct heap_credit credit = heap_credit_start();
    struct heap_events burst = {.traps = 100000, .free_traps = 100000};
    heap_credit_settle(&credit, TICK_SEC, &budget, &burst);
    assert_true(credit.ns < 0);
    assert_true(heap_credit_spending(&credit, &budget).budget_ns_per_sec > 0);
    settle_for(&credit, 30, true);
    assert_true(credit.ns > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_load_spends_the_budget_and_no_more),
        cmocka_unit_test(samples_of_known_stacks_are_as_many_more_as_they_cost_less),
        cmocka_unit_test(the_stub_is_told_what_a_sample_through_the_kernel_costs_more),
        cmocka_unit_test(a_target_that_becomes_busier_is_sampled_more),
        cmocka_unit_test(a_quiet_time_saves_for_a_burst),
        cmocka_unit_test(a_debt_is_paid_off_and_something_is_sampled_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
