#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/intern.h"
#include "base/map.h"

static void buf_stays_a_string_through_appends_and_drops(void **state)
{
    (void)state;
    OWNED_BUF struct buf buf = BUF_INIT;
    assert_int_equal(buf_append_str(&buf, "hello"), 0);
    assert_int_equal(buf_appendf(&buf, " %s %d", "world", 42), 0);
    assert_string_equal(buf.data, "hello world 42");
    buf_drop_front(&buf, 6);
    assert_string_equal(buf.data, "world 42");
    buf_drop_front(&buf, 100);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf.data, "");
}

static void buf_refuses_more_than_its_limit_and_keeps_what_it_has(void **state)
{
    (void)state;
    OWNED_BUF struct buf buf = {.limit = 4};
    assert_int_equal(buf_append_str(&buf, "abc"), 0);
    assert_int_equal(buf_append_str(&buf, "de"), -E2BIG);
    assert_string_equal(buf.data, "abc");
}

static void map_finds_what_was_put_through_growth_and_removal(void **state)
{
    (void)state;
    struct map map = {0};
    for (uint64_t key = 0; key < 10000; key++)
        assert_int_equal(map_put(&map, key * 4096, key), 0);
    for (uint64_t key = 0; key < 10000; key += 2)
        assert_int_equal(map_remove(&map, key * 4096), 0);
    assert_int_equal(map.len, 5000);
    for (uint64_t key = 0; key < 10000; key++) {
        uint64_t value = 0;
        assert_int_equal(map_get(&map, key * 4096, &value), key % 2 ? 0 : -ENOENT);
        assert_int_equal(value, key % 2 ? key : 0);
    }
    size_t cursor = 0, visited = 0;
    uint64_t key, value;
    while (map_next(&map, &cursor, &key, &value))
        visited++;
    assert_int_equal(visited, 5000);
    map_release(&map);
}

static void map_reuses_the_room_of_removed_entries(void **state)
{
    (void)state;
    struct map map = {0};
    for (uint64_t key = 0; key < 100000; key++) {
        assert_int_equal(map_put(&map, key, key), 0);
        assert_int_equal(map_remove(&map, key), 0);
    }
    assert_true(map.capacity <= 256);
    map_release(&map);
}

static void intern_gives_equal_strings_one_id_and_keeps_them(void **state)
{
    (void)state;
    struct intern intern = {0};
    uint32_t a, b, again, empty;
    assert_int_equal(intern_put(&intern, "alpha", &a), 0);
    const char *alpha = intern_str(&intern, a);
    assert_int_equal(intern_put(&intern, "beta", &b), 0);
    assert_int_equal(intern_put(&intern, "alpha", &again), 0);
    assert_int_equal(intern_put(&intern, "", &empty), 0);
    assert_int_equal(a, again);
    assert_int_not_equal(a, b);
    assert_int_equal(empty, 0);
    assert_ptr_equal(alpha, intern_str(&intern, a));
    assert_string_equal(intern_str(&intern, 99), "");
    intern_release(&intern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_stays_a_string_through_appends_and_drops),
        cmocka_unit_test(buf_refuses_more_than_its_limit_and_keeps_what_it_has),
        cmocka_unit_test(map_finds_what_was_put_through_growth_and_removal),
        cmocka_unit_test(map_reuses_the_room_of_removed_entries),
        cmocka_unit_test(intern_gives_equal_strings_one_id_and_keeps_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
