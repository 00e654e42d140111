#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/annotations.h"

static const char source[] = "a1\nb2\nc3\nd4\n";

struct fixture {
    struct documents documents;
    struct document *document;
    struct annotations *annotations;
    struct view view;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->view = VIEW_DEFAULT;
    documents_init(&f->documents, NULL);
    assert_int_equal(documents_open(&f->documents, "untitled:1", 1, source, strlen(source), &f->document), 0);
    assert_int_equal(annotations_new(&f->annotations), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    annotations_free(f->annotations);
    documents_release(&f->documents);
    free(f);
    return 0;
}

static struct snapshot_line line_of(uint32_t line, double cpu, double bytes)
{
    return (struct snapshot_line){.line = line,
                                  .file = "/f.rs",
                                  .function = "f",
                                  .yours = true,
                                  .window = {.self = cpu, .total = cpu, .samples = (uint64_t)(cpu * 2000)},
                                  .heap = {.self_live_bytes = bytes, .live_bytes = bytes}};
}

static void tick(struct fixture *f, const struct snapshot_line *lines, size_t count)
{
    struct snapshot snapshot = {.lines = lines, .line_count = count, .heap = {.live_bytes = 1 << 20}};
    struct view_scale scale = view_scale_of(&f->view, &snapshot);
    annotations_begin(f->annotations);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(annotations_add(f->annotations, &lines[i]), 0);
    assert_int_equal(annotations_finish(f->annotations, f->document, &f->view, &scale), 0);
}

static void tick_one(struct fixture *f, double cpu, double bytes)
{
    /* The second line keeps the scale, so that the first one's heat is its share. */
    const struct snapshot_line lines[] = {line_of(2, cpu, bytes), line_of(4, 1, 0)};
    tick(f, lines, 2);
}

static const char *label_of(struct fixture *f, uint32_t line)
{
    const struct annotation *annotation = annotations_find(f->annotations, line);
    return annotation ? annotation->label.text : NULL;
}

static bool would_send(struct fixture *f)
{
    bool differs = annotations_differ_from_sent(f->annotations);
    annotations_mark_sent(f->annotations);
    return differs;
}

static void test_annotations__nothing_is_not_sent(void **state)
{
    struct fixture *f = *state;
    tick(f, NULL, 0);
    assert_false(would_send(f));
    tick_one(f, 0.5, 0);
    assert_true(would_send(f));
    tick(f, NULL, 0);
    assert_true(would_send(f));
    assert_null(label_of(f, 1));
}

static void test_annotations__are_in_line_order_with_labels_and_heat(void **state)
{
    struct fixture *f = *state;
    const struct snapshot_line lines[] = {line_of(3, 0.5, 0), line_of(1, 0.25, 1 << 19), line_of(99, 0.1, 0)};
    tick(f, lines, 3);
    assert_int_equal(f->annotations->lines.len, 2);
    assert_int_equal(f->annotations->lines.items[0].line, 0);
    assert_int_equal(f->annotations->lines.items[1].line, 2);
    assert_string_equal(label_of(f, 0), "25.0%   512 KiB");
    assert_string_equal(label_of(f, 2), "50.0%");
    assert_true(f->annotations->lines.items[0].heat == 1);
    assert_true(f->annotations->lines.items[1].heat == 1);
}

static void test_annotations__small_steps_are_not_shown(void **state)
{
    struct fixture *f = *state;
    tick_one(f, 0.400, 0);
    assert_true(would_send(f));
    for (int i = 0; i < 20; i++) {
        tick_one(f, i % 2 ? 0.405 : 0.396, 0);
        assert_false(would_send(f));
    }
    assert_string_equal(label_of(f, 1), "40.0%");
    tick_one(f, 0.430, 0);
    assert_true(would_send(f));
    assert_string_equal(label_of(f, 1), "43.0%");
}

static void test_annotations__steps_within_the_standard_error_are_not_shown(void **state)
{
    struct fixture *f = *state;
    struct snapshot_line lines[] = {line_of(2, 0.40, 0), line_of(4, 1, 0)};
    lines[0].window.samples = 40; /* of 100: the standard error is 0.05 */
    tick(f, lines, 2);
    assert_true(would_send(f));
    lines[0].window.self = lines[0].window.total = 0.44;
    lines[0].window.samples = 44;
    tick(f, lines, 2);
    assert_false(would_send(f));
    lines[0].window.self = lines[0].window.total = 0.46;
    lines[0].window.samples = 46;
    tick(f, lines, 2);
    assert_true(would_send(f));
    assert_string_equal(label_of(f, 1), "46.0%");
}

static void test_annotations__a_value_that_stands_still_is_shown(void **state)
{
    struct fixture *f = *state;
    tick_one(f, 0.400, 0);
    for (int i = 0; i < ANNOTATION_SETTLE_TICKS - 1; i++) {
        tick_one(f, 0.402, 0);
        assert_string_equal(label_of(f, 1), "40.0%");
    }
    tick_one(f, 0.402, 0);
    assert_string_equal(label_of(f, 1), "40.2%");
}

static void test_annotations__lines_stay_until_well_below_the_threshold(void **state)
{
    struct fixture *f = *state;
    f->view.min_share = 0.01;
    tick_one(f, 0.009, 0);
    assert_null(label_of(f, 1));
    tick_one(f, 0.011, 0);
    assert_non_null(label_of(f, 1));
    tick_one(f, 0.008, 0);
    assert_non_null(label_of(f, 1));
    tick_one(f, 0.006, 0);
    assert_null(label_of(f, 1));
}

static void test_annotations__follow_edits_and_are_sent_again(void **state)
{
    struct fixture *f = *state;
    tick_one(f, 0.4, 0);
    assert_true(would_send(f));
    assert_int_equal(documents_edit(&f->documents, f->document, (struct text_position){0, 0},
                                    (struct text_position){0, 0}, "new line\n", 9),
                     0);
    tick_one(f, 0.4, 0);
    assert_true(would_send(f));
    assert_null(label_of(f, 1));
    assert_string_equal(label_of(f, 2), "40.0%");
    assert_int_equal(documents_edit(&f->documents, f->document, (struct text_position){2, 0},
                                    (struct text_position){3, 0}, "", 0),
                     0);
    tick_one(f, 0.4, 0);
    assert_true(would_send(f));
    assert_null(label_of(f, 2));
}

static void test_annotations__another_view_shows_at_once(void **state)
{
    struct fixture *f = *state;
    tick_one(f, 0.400, 1 << 19);
    assert_string_equal(label_of(f, 1), "40.0%   512 KiB");
    f->view.metric = METRIC_HEAP;
    tick_one(f, 0.401, 1 << 19);
    assert_string_equal(label_of(f, 1), " 512 KiB");
    assert_null(label_of(f, 3));
    f->view.metric = METRIC_CPU;
    tick_one(f, 0.401, 1 << 19);
    assert_string_equal(label_of(f, 1), "40.1%");
}

static void test_annotations_to_json__is_what_the_protocol_says(void **state)
{
    struct fixture *f = *state;
    tick_one(f, 0.4, 0);
    f->document->version = 7;
    cJSON *json = annotations_to_json(f->annotations, f->document);
    char *text = json_print(json);
    const char *expected =
        "{\"uri\":\"untitled:1\",\"version\":7,\"stale\":false,\"lines\":[{\"line\":1,\"heat\":0.4,\"label\":"
        "\"40.0%\","
        "\"cpu\":{\"self\":0.4,\"total\":0.4,\"samples\":800},\"heap\":{\"selfLiveBytes\":0,\"liveBytes\":0,"
        "\"liveBlocks\":0,\"allocBytesPerSec\":0,\"allocsPerSec\":0,\"relStdErr\":0}},";
    assert_memory_equal(text, expected, strlen(expected));
    free(text);
    cJSON_Delete(json);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_annotations__nothing_is_not_sent),
        TEST(test_annotations__are_in_line_order_with_labels_and_heat),
        TEST(test_annotations__small_steps_are_not_shown),
        TEST(test_annotations__steps_within_the_standard_error_are_not_shown),
        TEST(test_annotations__a_value_that_stands_still_is_shown),
        TEST(test_annotations__lines_stay_until_well_below_the_threshold),
        TEST(test_annotations__follow_edits_and_are_sent_again),
        TEST(test_annotations__another_view_shows_at_once),
        TEST(test_annotations_to_json__is_what_the_protocol_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
