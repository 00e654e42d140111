/* `rsprof symbolize`: its output is llvm-symbolizer's, its exit codes are the command line's. */
#include "cli/symbolize.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* Runs the command in a process of its own, since it drops privileges for good. Returns its exit code. */
static int run(const char *input, const char *exe, const char *option, struct buf *out)
{
    char name[] = "symbolize";
    char *argv[] = {name, (char *)exe, (char *)option, NULL};
    int argc = exe ? (option ? 3 : 2) : 1, in[2], from[2], status;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(from), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(in[0], STDIN_FILENO) < 0 || dup2(from[1], STDOUT_FILENO) < 0)
            _exit(99);
        close(in[1]);
        close(from[0]);
        _exit(cli_symbolize(argc, argv));
    }
    close(in[0]);
    close(from[1]);
    /* A command that fails at once is gone before it has read anything. */
    ssize_t written = write(in[1], input, strlen(input));
    assert_true(written == (ssize_t)strlen(input) || errno == EPIPE);
    close(in[1]);
    assert_int_equal(buf_read_all(out, from[0]), 0);
    close(from[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_unknown_addresses_print_question_marks(void **state)
{
    (void)state;
    OWNED_BUF struct buf out = BUF_INIT;
    assert_int_equal(run("0x1\n2\n\n  0x3 \r\n", "/proc/self/exe", NULL, &out), 0);
    assert_string_equal(out.data, "??\n??:0\n\n??\n??:0\n\n??\n??:0\n\n");
}

static void test_no_input_is_no_output(void **state)
{
    (void)state;
    OWNED_BUF struct buf out = BUF_INIT;
    assert_int_equal(run("", "/proc/self/exe", NULL, &out), 0);
    assert_int_equal(out.len, 0);
}

static void test_bad_address_is_usage(void **state)
{
    (void)state;
    OWNED_BUF struct buf out = BUF_INIT;
    assert_int_equal(run("0x1\nhello\n", "/proc/self/exe", NULL, &out), 2);
    assert_string_equal(out.data, "??\n??:0\n\n"); /* what came before was answered */
    assert_int_equal(run("0x1ffffffffffffffff\n", "/proc/self/exe", NULL, &out), 2);
    assert_int_equal(run("-1\n", "/proc/self/exe", NULL, &out), 2);
}

static void test_bad_arguments_are_usage(void **state)
{
    (void)state;
    OWNED_BUF struct buf out = BUF_INIT;
    assert_int_equal(run("", NULL, NULL, &out), 2);
    assert_int_equal(run("", "/proc/self/exe", "--unknown", &out), 2);
    assert_int_equal(run("", "/proc/self/exe", "/proc/self/exe", &out), 2);
}

static void test_what_is_no_program_is_an_error(void **state)
{
    (void)state;
    OWNED_BUF struct buf out = BUF_INIT;
    assert_int_equal(run("1\n", "/nonexistent", NULL, &out), 1);
    assert_int_equal(run("1\n", "/proc/self/status", NULL, &out), 1);
    assert_int_equal(run("1\n", "/tmp", NULL, &out), 1);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_addresses_print_question_marks),
        cmocka_unit_test(test_no_input_is_no_output),
        cmocka_unit_test(test_bad_address_is_usage),
        cmocka_unit_test(test_bad_arguments_are_usage),
        cmocka_unit_test(test_what_is_no_program_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
