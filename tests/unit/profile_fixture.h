/* A profile, and the counters that it is fed from. Your code lies in /ws. */
#ifndef RSPROF_TESTS_PROFILE_FIXTURE_H
#define RSPROF_TESTS_PROFILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "profile/profile.h"

#define SLOTS   4
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

struct fixture {
    struct source_paths paths;
    struct profile *profile;
    struct cpu_counts cpu[SLOTS];
    struct heap_counts heap[SLOTS];
    uint64_t now_ns, cpu_ns;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const char *folders[] = {"/ws"};
    fixture = (struct fixture){.now_ns = NS_PER_SEC};
    assert_int_equal(source_paths_init(&fixture.paths), 0);
    assert_int_equal(source_paths_set_folders(&fixture.paths, folders, 1), 0);
    assert_int_equal(profile_new(10, &fixture.paths, &fixture.profile), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    profile_free(f->profile);
    source_paths_release(&f->paths);
    return 0;
}

/* A second passes, in which the process used a second of CPU. */
static void tick(struct fixture *f)
{
    struct profile_counters counters = {f->now_ns, f->cpu_ns, f->cpu, f->heap, SLOTS};
    assert_int_equal(profile_tick(f->profile, &counters), 0);
    f->now_ns += NS_PER_SEC;
    f->cpu_ns += NS_PER_SEC;
}

static void add_stack(struct fixture *f, uint32_t slot, const uint64_t *frames, uint32_t count)
{
    struct stack_event event = {.slot = slot, .frame_count = count};
    memcpy(event.frames, frames, count * sizeof(*frames));
    assert_int_equal(profile_add_stack(f->profile, &event), 0);
}

static void resolve(struct fixture *f, uint64_t frame, const char *function, const char *file, uint32_t line)
{
    struct source_frame source = {.function = function, .file = file, .line = line};
    assert_int_equal(profile_set_source_frames(f->profile, frame, &source, 1, 0), 0);
}

#endif
