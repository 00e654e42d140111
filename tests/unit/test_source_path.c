/* File names of DWARF become files of this machine. */
#include "temporary_folder.h"

#include "profile/source_path.h"

#include <errno.h>
#include <string.h>

struct fixture {
    char folder[FOLDER_LEN];
    struct source_paths paths;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    temporary_folder_make(fixture->folder);
    temporary_folder_write(fixture->folder, "main.rs", "");
    assert_int_equal(source_paths_init(&fixture->paths), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    source_paths_release(&fixture->paths);
    temporary_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

static void assert_mapped(const struct fixture *fixture, const char *name, const char *expected)
{
    OWNED_BUF struct buf path = BUF_INIT;
    assert_int_equal(source_paths_map(&fixture->paths, name, &path), 0);
    assert_string_equal(path.data, expected);
}

static void the_first_rule_whose_prefix_ends_at_a_slash_applies(void **state)
{
    struct fixture *fixture = *state;
    const char *rules[] = {"/build/src=/home/me", "/build=/other"};
    assert_int_equal(source_paths_set_rules(&fixture->paths, rules, 2), 0);
    assert_mapped(fixture, "/build/src/a.rs", "/home/me/a.rs");
    assert_mapped(fixture, "/build/srcs/a.rs", "/other/srcs/a.rs");
    assert_mapped(fixture, "/elsewhere/a.rs", "/elsewhere/a.rs");
}

static void new_rules_take_the_place_of_the_old_ones(void **state)
{
    struct fixture *fixture = *state;
    const char *before[] = {"/build=/before"}, *after[] = {"/other=/after"};
    assert_int_equal(source_paths_set_rules(&fixture->paths, before, 1), 0);
    assert_int_equal(source_paths_set_rules(&fixture->paths, after, 1), 0);
    assert_mapped(fixture, "/build/a.rs", "/build/a.rs");
    assert_mapped(fixture, "/other/a.rs", "/after/a.rs");
    assert_int_equal(source_paths_set_rules(&fixture->paths, NULL, 0), 0);
    assert_mapped(fixture, "/other/a.rs", "/other/a.rs");
}

static void a_wrong_rule_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *good[] = {"/build=/good"}, *wrong[] = {"/build=/bad", "none"}, *nothing_before[] = {"=/bad"};
    assert_int_equal(source_paths_set_rules(&fixture->paths, good, 1), 0);
    assert_int_equal(source_paths_set_rules(&fixture->paths, wrong, 2), -EINVAL);
    assert_int_equal(source_paths_set_rules(&fixture->paths, nothing_before, 1), -EINVAL);
    assert_mapped(fixture, "/build/a.rs", "/good/a.rs");
}

static void the_longest_suffix_that_exists_in_a_folder_is_the_file(void **state)
{
    struct fixture *fixture = *state;
    const char *folders[] = {fixture->folder};
    char expected[FOLDER_LEN + 16];
    snprintf(expected, sizeof(expected), "%s/main.rs", fixture->folder);
    assert_int_equal(source_paths_set_folders(&fixture->paths, folders, 1), 0);
    assert_mapped(fixture, "/build/src/main.rs", expected);
    assert_mapped(fixture, "/build/src/none.rs", "/build/src/none.rs");
}

static void your_code_lies_in_a_folder_and_in_no_library(void **state)
{
    struct fixture *fixture = *state;
    const char *folders[] = {"/ws/"};
    assert_true(source_paths_yours(&fixture->paths, "/anywhere/a.rs"));
    assert_int_equal(source_paths_set_folders(&fixture->paths, folders, 1), 0);
    assert_true(source_paths_yours(&fixture->paths, "/ws/src/a.rs"));
    assert_false(source_paths_yours(&fixture->paths, "/wsx/src/a.rs"));
    assert_false(source_paths_yours(&fixture->paths, "/ws/.cargo/registry/src/a.rs"));
    assert_false(source_paths_yours(&fixture->paths, "/rustc/0123/library/core/src/a.rs"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_first_rule_whose_prefix_ends_at_a_slash_applies),
        T(new_rules_take_the_place_of_the_old_ones),
        T(a_wrong_rule_changes_nothing),
        T(the_longest_suffix_that_exists_in_a_folder_is_the_file),
        T(your_code_lies_in_a_folder_and_in_no_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
