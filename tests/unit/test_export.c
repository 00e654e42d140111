#include "profile_fixture.h"

#include "base/cleanup.h"
#include "export/formats.h"
#include "export/protobuf.h"
#include "rpc/json.h"

#define FRAME(m, addr) ((uint64_t)(m) << FRAME_ADDRESS_BITS | (addr))

static const struct session_module modules[] = {{.path = "/ws/svc"}, {.path = "/lib/libx.so.1"}};
static const struct session_status status = {.pid = 7, .exe = "/ws/svc", .cpu = {.freq_hz = 100}};

static void resolve_calls(struct fixture *f, uint64_t frame, const struct source_frame *calls, size_t count)
{
    assert_int_equal(profile_set_source_frames(f->profile, frame, calls, count, 0), 0);
}

/* A format's text; the caller frees. */
static char *text_of(struct fixture *f, int (*format)(const struct export_source *source, FILE *out),
                     size_t *ret_len)
{
    struct export_source source = {
        .stacks = profile_stacks(f->profile), .modules = modules, .module_count = 2, .status = &status};
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    assert_non_null(out);
    assert_int_equal(format(&source, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* Two stacks with the same names, of which one has kernel time; and one that was not walked to its end. */
static void fill(struct fixture *f)
{
    add_stack(f, 0, (uint64_t[]){FRAME(0, 1), FRAME(0, 3)}, 2);
    add_stack(f, 1, (uint64_t[]){FRAME(0, 2), FRAME(0, 3)}, 2);
    struct stack_event cut = {.slot = 2, .end = STACK_BAD_READ, .frame_count = 2};
    cut.frames[0] = FRAME(1, 5);
    cut.frames[1] = FRAME(FRAME_NO_MODULE, 9);
    assert_int_equal(profile_add_stack(f->profile, &cut), 0);
    struct source_frame calls[] = {
        {.function = "<[u8; 4] as svc::Sum>::sum", .file = "/ws/sum.rs", .line = 4},
        {.function = "svc::work", .file = "/ws/work.rs", .line = 8},
    };
    resolve_calls(f, FRAME(0, 1), calls, 2);
    calls[1].line = 9;
    resolve_calls(f, FRAME(0, 2), calls, 2);
    resolve(f, FRAME(0, 3), "main", "", 0);
    f->cpu[0] = (struct cpu_counts){.user = 30, .kernel = 2};
    f->cpu[1].user = 12;
    f->cpu[2].user = 5;
    f->heap[1] = (struct heap_counts){.alloc_bytes = 1000 * 256, .alloc_blocks = 256};
    tick(f);
}

static void folded_stacks_with_the_same_names_are_one(void **state)
{
    struct fixture *f = *state;
    fill(f);
    size_t len;
    OWNED_MEM char *text = text_of(f, export_folded, &len);
    assert_string_equal(text, "main;svc::work;<[u8: 4] as svc::Sum>::sum 42\n"
                              "main;svc::work;<[u8: 4] as svc::Sum>::sum;[kernel] 2\n"
                              "[incomplete];[unknown];[libx.so.1] 5\n");
}

static void calls_of_several_functions_on_one_line_keep_their_names(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){FRAME(0, 1)}, 1);
    struct source_frame calls[] = {
        {.function = "svc::f::{closure#0}", .file = "/ws/f.rs", .line = 1},
        {.function = "svc::f", .file = "/ws/f.rs", .line = 1},
    };
    resolve_calls(f, FRAME(0, 1), calls, 2);
    f->cpu[0].user = 1;
    tick(f);
    size_t len;
    OWNED_MEM char *text = text_of(f, export_folded, &len);
    assert_string_equal(text, "svc::f;svc::f::{closure#0} 1\n");
}

static int number_at(const cJSON *table, const char *column, int row)
{
    return cJSON_GetArrayItem(json_get(table, column), row)->valueint;
}

static void firefox_stacks_share_what_they_have_in_common(void **state)
{
    struct fixture *f = *state;
    fill(f);
    size_t len;
    OWNED_MEM char *text = text_of(f, export_firefox, &len);
    cJSON *json;
    assert_int_equal(json_parse(text, len, &json), 0);
    const cJSON *thread = cJSON_GetArrayItem(json_get(json, "threads"), 0);
    const cJSON *stacks = json_get(thread, "stackTable"), *samples = json_get(thread, "samples");
    /* main, two lines of svc::work, the sum in each, and the kernel; [incomplete], [unknown], [libx.so.1]. */
    assert_int_equal(json_get(stacks, "length")->valueint, 9);
    assert_int_equal(json_get(json_get(thread, "funcTable"), "length")->valueint, 7);
    assert_int_equal(json_get(samples, "length")->valueint, 4);
    assert_int_equal(number_at(samples, "weight", 0), 30);
    /* The sample that was in the kernel is a step further than the one that was not. */
    assert_int_equal(number_at(stacks, "prefix", number_at(samples, "stack", 1)),
                     number_at(samples, "stack", 0));
    assert_int_equal(number_at(samples, "time", 1), 300); /* ms, of 30 samples at 100 Hz */
    const cJSON *blocks = json_get(thread, "nativeAllocations");
    assert_int_equal(number_at(blocks, "weight", 0), 1000);
    assert_int_equal(number_at(blocks, "stack", 0), number_at(samples, "stack", 2));
    cJSON_Delete(json);
}

static void a_profile_without_samples_has_every_format(void **state)
{
    struct fixture *f = *state;
    size_t len;
    OWNED_MEM char *folded = text_of(f, export_folded, &len);
    assert_int_equal(len, 0);
    OWNED_MEM char *firefox = text_of(f, export_firefox, &len);
    cJSON *json;
    assert_int_equal(json_parse(firefox, len, &json), 0);
    cJSON_Delete(json);
    OWNED_MEM char *pprof = text_of(f, export_pprof, &len);
    assert_memory_equal(pprof, "\x1f\x8b", 2);
}

/* The examples of https://protobuf.dev/programming-guides/encoding/ */
static void messages_are_encoded_as_the_guide_has_them(void **state)
{
    (void)state;
    struct proto inner = {0}, outer = {0};
    proto_put_uint(&inner, 1, 150);
    assert_memory_equal(inner.bytes.data, "\x08\x96\x01", 3);
    proto_put_message(&outer, 3, &inner);
    assert_int_equal(outer.bytes.len, 5);
    assert_memory_equal(outer.bytes.data, "\x1a\x03\x08\x96\x01", 5);
    assert_int_equal(inner.bytes.len, 0);
    proto_put_string(&inner, 2, "testing");
    assert_memory_equal(inner.bytes.data, "\x12\x07testing", 9);
    buf_clear(&inner.bytes);
    proto_put_packed(&inner, 6, (uint64_t[]){3, 270, 86942}, 3);
    assert_int_equal(inner.bytes.len, 8);
    assert_memory_equal(inner.bytes.data, "\x32\x06\x03\x8e\x02\x9e\xa7\x05", 8);
    proto_release(&inner);
    proto_release(&outer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(folded_stacks_with_the_same_names_are_one),
        T(calls_of_several_functions_on_one_line_keep_their_names),
        T(firefox_stacks_share_what_they_have_in_common),
        T(a_profile_without_samples_has_every_format),
        cmocka_unit_test(messages_are_encoded_as_the_guide_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
