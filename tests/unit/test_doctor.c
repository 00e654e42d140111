#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "doctor/machine.h"
#include "doctor/target.h"

static void the_first_check_that_failed_decides(void **state)
{
    (void)state;
    CLEANUP(checkup_release) struct checkup checkup = {0};
    checkup_add(&checkup, "good", "there are %d", 3);
    check_warn(checkup_add(&checkup, "poor", "little"), "get %s", "more");
    assert_int_equal(checkup_error(&checkup), 0);
    check_fail(checkup_add(&checkup, "bad", "none"), -EPERM, "get some");
    check_fail(checkup_add(&checkup, "worse", "less"), -ENODATA, "get lots");
    assert_int_equal(checkup_error(&checkup), -EPERM);
    assert_int_equal(checkup.checks.len, 4);
    assert_string_equal(checkup.checks.items[0].seen, "there are 3");
    assert_string_equal(checkup.checks.items[0].remedy, "");
    assert_string_equal(checkup.checks.items[1].remedy, "get more");
    assert_string_equal(check_state_name(checkup.checks.items[1].state), "warn");
}

static const struct check *find(const struct checkup *checkup, const char *name)
{
    for (size_t i = 0; i < checkup->checks.len; i++)
        if (!strcmp(checkup->checks.items[i].name, name))
            return &checkup->checks.items[i];
    fail_msg("there is no check of %s", name);
    return NULL;
}

static void what_is_bad_on_this_machine_has_a_remedy(void **state)
{
    (void)state;
    CLEANUP(checkup_release) struct checkup checkup = {0};
    machine_examine(&checkup);
    assert_true(checkup.checks.len >= 10);
    for (size_t i = 0; i < checkup.checks.len; i++) {
        const struct check *check = &checkup.checks.items[i];
        assert_true(*check->seen);
        assert_int_equal(check->state == CHECK_OK, !*check->remedy);
        assert_int_equal(check->state == CHECK_FAIL, check->error < 0);
    }
}

static void a_process_without_rust_code_is_told_from_none(void **state)
{
    (void)state;
    CLEANUP(checkup_release) struct checkup checkup = {0}, nobody = {0};
    struct loop *loop;
    assert_int_equal(loop_new(&loop), 0);
    target_examine(&checkup, loop, getpid());
    assert_int_equal(checkup_error(&checkup), -ENOEXEC);
    assert_int_equal(find(&checkup, "architecture")->state, CHECK_OK);
    assert_non_null(strstr(find(&checkup, "allocator")->seen, "libc.so"));
    target_examine(&nobody, loop, 0x3fffffff);
    assert_int_equal(checkup_error(&nobody), -ESRCH);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_check_that_failed_decides),
        cmocka_unit_test(what_is_bad_on_this_machine_has_a_remedy),
        cmocka_unit_test(a_process_without_rust_code_is_told_from_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
