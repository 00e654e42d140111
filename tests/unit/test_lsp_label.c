#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lsp/label.h"

#define KIB 1024.0
#define MIB (1024 * KIB)

static void expect_label(int metric, double cpu, double bytes, const char *expected)
{
    assert_string_equal(label_format(metric, (struct view_value){cpu, bytes}).text, expected);
}

static void expect_bytes(double bytes, const char *expected)
{
    char text[LABEL_MAX];
    label_format_bytes(bytes, text);
    assert_string_equal(text, expected);
    assert_true(strlen(text) <= LABEL_HEAP_WIDTH);
}

static void test_label_format__both(void **state)
{
    (void)state;
    expect_label(METRIC_BOTH, 0.382, 12 * MIB, "38.2%  12.0 MiB");
    expect_label(METRIC_BOTH, 0.051, 512, " 5.1%     512 B");
    expect_label(METRIC_BOTH, 0.382, 0, "38.2%");
    expect_label(METRIC_BOTH, 0, 12 * MIB, "       12.0 MiB");
    expect_label(METRIC_BOTH, 1, 1023 * KIB, " 100%  1023 KiB");
    expect_label(METRIC_BOTH, 0.0004, 0, "<0.1%");
}

static void test_label_format__one_metric(void **state)
{
    (void)state;
    expect_label(METRIC_CPU, 0.382, 12 * MIB, "38.2%");
    expect_label(METRIC_HEAP, 0.382, 12 * MIB, "12.0 MiB");
    expect_label(METRIC_HEAP, 0.382, 7, "     7 B");
}

static void test_label_format_bytes__has_three_digits(void **state)
{
    (void)state;
    expect_bytes(1, "1 B");
    expect_bytes(1023, "1023 B");
    expect_bytes(1023.6, "1.00 KiB");
    expect_bytes(1536, "1.50 KiB");
    expect_bytes(9.994 * KIB, "9.99 KiB");
    expect_bytes(9.999 * KIB, "10.0 KiB");
    expect_bytes(99.96 * KIB, "100 KiB");
    expect_bytes(1023.7 * KIB, "1.00 MiB");
    expect_bytes(2048 * MIB, "2.00 GiB");
}

static void test_label_format__keeps_its_width(void **state)
{
    (void)state;
    for (double cpu = 0.0001; cpu <= 1; cpu *= 1.07)
        for (double bytes = 1; bytes < 1e15; bytes *= 1.9) {
            const char *both = label_format(METRIC_BOTH, (struct view_value){cpu, bytes}).text;
            assert_int_equal(strlen(both), LABEL_CPU_WIDTH + 2 + LABEL_HEAP_WIDTH);
            assert_int_equal(strlen(label_format(METRIC_CPU, (struct view_value){cpu, bytes}).text),
                             LABEL_CPU_WIDTH);
        }
}

static struct snapshot_line line(double self, double total, double self_bytes, double bytes, bool yours)
{
    return (struct snapshot_line){.window = {.self = self, .total = total},
                                  .since_attach = {.self = self / 2, .total = total / 2},
                                  .heap = {.self_live_bytes = self_bytes, .live_bytes = bytes},
                                  .yours = yours};
}

static void test_view_heat__is_relative_to_the_hottest_line_of_your_code(void **state)
{
    const struct snapshot_line lines[] = {line(0.4, 0.9, 100, 1000, true), line(0.2, 0.2, 400, 400, true),
                                          line(0.8, 0.8, 900, 900, false)};
    const struct snapshot snapshot = {.lines = lines, .line_count = 3, .heap = {.live_bytes = 1000}};
    struct view view = VIEW_DEFAULT;
    (void)state;
    struct view_scale scale = view_scale_of(&view, &snapshot);
    assert_true(view_heat(&view, &scale, view_value_of(&view, &lines[0])) == 1);
    assert_true(view_heat(&view, &scale, view_value_of(&view, &lines[1])) == 1); /* of the heap */
    view.metric = METRIC_CPU;
    assert_true(view_heat(&view, &scale, view_value_of(&view, &lines[1])) == 0.5);
    assert_true(view_heat(&view, &scale, view_value_of(&view, &lines[2])) == 1);
    view.metric = METRIC_HEAP;
    assert_true(view_heat(&view, &scale, view_value_of(&view, &lines[0])) == 0.25);
}

static void test_view_shows__by_share_of_cpu_or_heap(void **state)
{
    struct view view = {.min_share = 0.1};
    struct view_scale scale = {.process_heap_bytes = 1000};
    (void)state;
    assert_true(view_shows(&view, &scale, (struct view_value){0.1, 0}, 0.1));
    assert_true(view_shows(&view, &scale, (struct view_value){0, 100}, 0.1));
    assert_false(view_shows(&view, &scale, (struct view_value){0.09, 99}, 0.1));
    assert_false(view_shows(&view, &scale, (struct view_value){0, 0}, 0));
    view.metric = METRIC_CPU;
    assert_false(view_shows(&view, &scale, (struct view_value){0, 100}, 0.1));
    view.metric = METRIC_HEAP;
    assert_false(view_shows(&view, &scale, (struct view_value){1, 0}, 0.1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label_format__both),
        cmocka_unit_test(test_label_format__one_metric),
        cmocka_unit_test(test_label_format_bytes__has_three_digits),
        cmocka_unit_test(test_label_format__keeps_its_width),
        cmocka_unit_test(test_view_heat__is_relative_to_the_hottest_line_of_your_code),
        cmocka_unit_test(test_view_shows__by_share_of_cpu_or_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
