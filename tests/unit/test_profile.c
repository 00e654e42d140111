#include "profile_fixture.h"

static const struct snapshot_line *line(struct fixture *f, const char *file, uint32_t number)
{
    const struct snapshot *snapshot = profile_snapshot(f->profile);
    for (size_t i = 0; i < snapshot->line_count; i++)
        if (snapshot->lines[i].line == number && !strcmp(snapshot->lines[i].file, file))
            return &snapshot->lines[i];
    fail_msg("%s:%u has no numbers", file, number);
    return NULL;
}

static void assert_close(double seen, double truth)
{
    if (seen < truth - 1e-9 || seen > truth + 1e-9)
        fail_msg("%g instead of %g", seen, truth);
}

static void time_in_a_library_is_charged_to_the_line_of_yours_that_called_it(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1, 2, 3}, 3);
    resolve(f, 1, "core::memcpy", "/rustc/abc/library/core/src/mem.rs", 10);
    resolve(f, 2, "app::work", "/ws/src/work.rs", 5);
    resolve(f, 3, "app::main", "/ws/src/main.rs", 7);
    tick(f);
    f->cpu[0].user = 30;
    f->cpu[0].kernel = 10;
    tick(f);
    assert_close(line(f, "/ws/src/work.rs", 5)->window.self, 1);
    assert_close(line(f, "/ws/src/work.rs", 5)->window.kernel, 0.25);
    assert_close(line(f, "/ws/src/main.rs", 7)->window.self, 0);
    assert_close(line(f, "/ws/src/main.rs", 7)->window.total, 1);
    assert_true(line(f, "/ws/src/main.rs", 7)->yours);
    /* A file that is not your code shows its plain innermost frames. */
    assert_close(line(f, "/rustc/abc/library/core/src/mem.rs", 10)->window.self, 1);
}

static void a_line_knows_the_newest_build_that_has_it(void **state)
{
    struct fixture *f = *state;
    struct source_frame summed = {.function = "f", .file = "/ws/a.c", .line = 1, .file_md5 = "abc"};
    struct source_frame plain = {.function = "f", .file = "/ws/a.c", .line = 1};
    add_stack(f, 0, (uint64_t[]){1, 2, 3, 4}, 4);
    assert_int_equal(profile_set_source_frames(f->profile, 1, &summed, 1, 1000), 0);
    assert_int_equal(profile_set_source_frames(f->profile, 2, &plain, 1, 1000), 0);
    assert_int_equal(profile_set_source_frames(f->profile, 3, &plain, 1, 500), 0);
    resolve(f, 4, "app::main", "/ws/src/main.rs", 2);
    tick(f);
    f->cpu[0].user = 1;
    tick(f);
    assert_int_equal(line(f, "/ws/a.c", 1)->built.written_ns, 1000);
    assert_string_equal(line(f, "/ws/a.c", 1)->built.md5, "abc");
    assert_int_equal(line(f, "/ws/src/main.rs", 2)->built.written_ns, 0);
    assert_null(line(f, "/ws/src/main.rs", 2)->built.md5);
    summed.file_md5 = "def";
    assert_int_equal(profile_set_source_frames(f->profile, 2, &summed, 1, 2000), 0);
    assert_string_equal(line(f, "/ws/a.c", 1)->built.md5, "def");
}

static void recursion_counts_once_in_total(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1, 2, 2, 2}, 4);
    resolve(f, 1, "app::leaf", "/ws/src/a.rs", 1);
    resolve(f, 2, "app::recurse", "/ws/src/a.rs", 2);
    tick(f);
    f->cpu[0].user = 8;
    tick(f);
    assert_close(line(f, "/ws/src/a.rs", 2)->window.total, 1);
    assert_int_equal(line(f, "/ws/src/a.rs", 2)->window.samples, 8);
}

static void samples_counted_before_symbols_came_are_attributed_when_they_come(void **state)
{
    struct fixture *f = *state;
    tick(f);
    add_stack(f, 0, (uint64_t[]){1}, 1);
    f->cpu[0].user = 5;
    f->heap[0].alloc_bytes = 1000 * 256;
    f->heap[0].alloc_blocks = 10 * 256;
    tick(f);
    assert_int_equal(profile_snapshot(f->profile)->line_count, 0);
    const uint64_t *frames;
    assert_int_equal(profile_take_unknown_frames(f->profile, &frames), 1);
    assert_int_equal(frames[0], 1);
    assert_int_equal(profile_take_unknown_frames(f->profile, &frames), 0);
    resolve(f, 1, "app::f", "/ws/src/a.rs", 3);
    assert_close(line(f, "/ws/src/a.rs", 3)->window.self, 1);
    assert_close(line(f, "/ws/src/a.rs", 3)->heap.live_bytes, 1000);
    assert_close(line(f, "/ws/src/a.rs", 3)->heap.live_blocks, 10);
}

static void counts_that_come_before_their_stack_are_kept_for_it(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1}, 1);
    resolve(f, 1, "app::f", "/ws/src/a.rs", 3);
    tick(f);
    f->cpu[1].user = 5; /* of the next stack, which also has only frames that are known */
    tick(f);
    add_stack(f, 1, (uint64_t[]){1}, 1);
    tick(f);
    assert_int_equal(line(f, "/ws/src/a.rs", 3)->since_attach.samples, 5);
}

static void shares_leave_the_window_but_stay_since_attach(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1}, 1);
    add_stack(f, 1, (uint64_t[]){2}, 1);
    resolve(f, 1, "app::early", "/ws/src/a.rs", 1);
    resolve(f, 2, "app::late", "/ws/src/a.rs", 2);
    tick(f);
    f->cpu[0].user = 100;
    for (int i = 0; i < 12; i++) {
        tick(f);
        f->cpu[1].user += 10;
    }
    assert_close(line(f, "/ws/src/a.rs", 1)->window.self, 0);
    assert_close(line(f, "/ws/src/a.rs", 2)->window.self, 1);
    assert_close(line(f, "/ws/src/a.rs", 1)->since_attach.self, 100.0 / 210);
    assert_close(profile_snapshot(f->profile)->window_sec, 10);
    assert_close(profile_snapshot(f->profile)->process_cores, 1);
}

/* The machine slept, or rsprof was stopped. */
static void a_gap_longer_than_the_window_empties_it(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1}, 1);
    resolve(f, 1, "app::f", "/ws/src/a.rs", 1);
    tick(f);
    f->cpu[0].user = 7;
    f->now_ns += 86400ull * NS_PER_SEC;
    tick(f);
    assert_close(line(f, "/ws/src/a.rs", 1)->window.self, 0);
    assert_close(line(f, "/ws/src/a.rs", 1)->since_attach.self, 1);
    assert_close(line(f, "/ws/src/a.rs", 1)->heap.alloc_bytes_per_sec, 0);
    assert_close(profile_snapshot(f->profile)->process_cores, 0);
    f->cpu[0].user = 9;
    tick(f);
    assert_int_equal(line(f, "/ws/src/a.rs", 1)->window.samples, 2);
}

static void reset_starts_cpu_anew_and_keeps_live_heap(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1}, 1);
    resolve(f, 1, "app::f", "/ws/src/a.rs", 1);
    tick(f);
    f->cpu[0].user = 7;
    f->heap[0] = (struct heap_counts){.alloc_bytes = 512 * 256, .alloc_blocks = 256};
    tick(f);
    profile_reset(f->profile);
    assert_close(line(f, "/ws/src/a.rs", 1)->window.total, 0);
    assert_close(line(f, "/ws/src/a.rs", 1)->since_attach.total, 0);
    assert_close(line(f, "/ws/src/a.rs", 1)->heap.live_bytes, 512);
    assert_int_equal(profile_snapshot(f->profile)->samples, 0);
}

static void forgotten_heap_is_gone_and_cpu_stays(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1}, 1);
    resolve(f, 1, "app::f", "/ws/src/a.rs", 1);
    tick(f);
    f->cpu[0].user = 7;
    f->heap[0] = (struct heap_counts){.alloc_bytes = 512 * 256, .alloc_blocks = 256};
    tick(f);
    profile_forget_heap(f->profile);
    tick(f);
    assert_close(line(f, "/ws/src/a.rs", 1)->heap.live_bytes, 0);
    assert_close(profile_snapshot(f->profile)->heap.live_blocks, 0);
    assert_close(line(f, "/ws/src/a.rs", 1)->window.self, 1);
}

static void live_heap_is_allocated_less_freed_and_rates_are_of_the_window(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1}, 1);
    resolve(f, 1, "app::f", "/ws/src/a.rs", 1);
    tick(f);
    for (int i = 0; i < 4; i++) {
        f->heap[0].alloc_bytes += 300 * 256;
        f->heap[0].alloc_blocks += 3 * 256;
        f->heap[0].freed_bytes += 200 * 256;
        f->heap[0].freed_blocks += 2 * 256;
        tick(f);
    }
    const struct line_heap *heap = &line(f, "/ws/src/a.rs", 1)->heap;
    assert_close(heap->live_bytes, 400);
    assert_close(heap->self_live_bytes, 400);
    assert_close(heap->live_blocks, 4);
    assert_close(heap->alloc_bytes_per_sec, 300);
    assert_close(heap->allocs_per_sec, 3);
    assert_close(profile_snapshot(f->profile)->heap.live_bytes, 400);
}

static void callers_and_callees_are_the_neighbours_on_the_stack(void **state)
{
    struct fixture *f = *state;
    add_stack(f, 0, (uint64_t[]){1, 2, 3}, 3);
    add_stack(f, 1, (uint64_t[]){2, 4}, 2);
    resolve(f, 1, "app::callee", "/ws/src/a.rs", 1);
    resolve(f, 2, "app::here", "/ws/src/a.rs", 2);
    resolve(f, 3, "app::one", "/ws/src/a.rs", 3);
    resolve(f, 4, "app::other", "/ws/src/a.rs", 4);
    tick(f);
    f->cpu[0].user = 30;
    f->cpu[1].user = 10;
    tick(f);
    struct profile_relation relations[4];
    assert_int_equal(profile_relations(f->profile, "/ws/src/a.rs", 2, true, relations, 4), 2);
    assert_string_equal(relations[0].function, "app::one");
    assert_close(relations[0].share, 0.75);
    assert_int_equal(profile_relations(f->profile, "/ws/src/a.rs", 2, false, relations, 4), 1);
    assert_string_equal(relations[0].function, "app::callee");
    assert_int_equal(profile_relations(f->profile, "/ws/src/none.rs", 2, false, relations, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(time_in_a_library_is_charged_to_the_line_of_yours_that_called_it),
        T(a_line_knows_the_newest_build_that_has_it),
        T(recursion_counts_once_in_total),
        T(samples_counted_before_symbols_came_are_attributed_when_they_come),
        T(counts_that_come_before_their_stack_are_kept_for_it),
        T(shares_leave_the_window_but_stay_since_attach),
        T(a_gap_longer_than_the_window_empties_it),
        T(reset_starts_cpu_anew_and_keeps_live_heap),
        T(forgotten_heap_is_gone_and_cpu_stays),
        T(live_heap_is_allocated_less_freed_and_rates_are_of_the_window),
        T(callers_and_callees_are_the_neighbours_on_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
