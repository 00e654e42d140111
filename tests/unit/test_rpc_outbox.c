#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "rpc/framing.h"
#include "rpc/outbox.h"

struct fixture {
    int pipe[2];
    struct outbox outbox;
    struct framing framing; /* of what came through the pipe */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC), 0);
    outbox_init(&f->outbox);
    framing_init(&f->framing);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    outbox_release(&f->outbox);
    framing_release(&f->framing);
    close(f->pipe[0]);
    close(f->pipe[1]);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *body)
{
    assert_int_equal(outbox_put(&f->outbox, body, strlen(body)), 0);
}

static void put_replaceable(struct fixture *f, const char *key, const char *body)
{
    assert_int_equal(outbox_put_replaceable(&f->outbox, key, body, strlen(body)), 0);
}

static bool read_pipe(struct fixture *f)
{
    char bytes[65536];
    ssize_t n = read(f->pipe[0], bytes, sizeof(bytes));
    if (n > 0)
        assert_int_equal(framing_feed(&f->framing, bytes, (size_t)n), 0);
    return n > 0;
}

static void drain(struct fixture *f)
{
    do
        assert_int_equal(outbox_write(&f->outbox, f->pipe[1]), 0);
    while (read_pipe(f));
}

static void expect_next(struct fixture *f, const char *expected)
{
    char *body;
    size_t len;
    assert_int_equal(framing_next(&f->framing, &body, &len), 1);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(body, expected, len);
}

static void expect_no_more(struct fixture *f)
{
    char *body;
    size_t len;
    assert_int_equal(framing_next(&f->framing, &body, &len), 0);
}

static void test_outbox_write__keeps_order(void **state)
{
    struct fixture *f = *state;
    put(f, "1");
    put_replaceable(f, "k", "2");
    put(f, "3");
    drain(f);
    expect_next(f, "1");
    expect_next(f, "2");
    expect_next(f, "3");
    expect_no_more(f);
    assert_true(outbox_is_empty(&f->outbox));
    assert_int_equal(f->outbox.bytes, 0);
}

static void test_outbox_put_replaceable__replaces_same_key_only(void **state)
{
    struct fixture *f = *state;
    put_replaceable(f, "a", "old a");
    put_replaceable(f, "b", "b");
    put(f, "answer");
    put_replaceable(f, "a", "new a");
    assert_int_equal(f->outbox.replaced, 1);
    assert_int_equal(f->outbox.count, 3);
    drain(f);
    expect_next(f, "b");
    expect_next(f, "answer");
    expect_next(f, "new a");
    expect_no_more(f);
}

static void test_outbox_put_replaceable__finishes_what_is_begun(void **state)
{
    struct fixture *f = *state;
    size_t size = 1u << 20; /* more than a pipe holds */
    char *large = malloc(size + 1);
    assert_non_null(large);
    memset(large, 'x', size);
    large[size] = '\0';
    put_replaceable(f, "a", large);
    assert_int_equal(outbox_write(&f->outbox, f->pipe[1]), 0);
    assert_true(f->outbox.written > 0);
    put_replaceable(f, "a", "newer");
    assert_int_equal(f->outbox.replaced, 0);
    put_replaceable(f, "a", "newest");
    assert_int_equal(f->outbox.replaced, 1);
    drain(f);
    expect_next(f, large);
    expect_next(f, "newest");
    expect_no_more(f);
    free(large);
}

static void test_outbox__is_bounded_for_a_client_that_never_reads(void **state)
{
    struct fixture *f = *state;
    char body[4096];
    memset(body, 'x', sizeof(body));
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(outbox_put_replaceable(&f->outbox, i % 2 ? "a" : "b", body, sizeof(body)), 0);
        assert_int_equal(outbox_write(&f->outbox, f->pipe[1]), 0);
        int r = outbox_put_optional(&f->outbox, body, sizeof(body));
        assert_true(r == 0 || r == -ENOBUFS);
        assert_true(f->outbox.bytes < OUTBOX_FULL_BYTES + 4 * sizeof(body));
    }
    assert_true(outbox_is_full(&f->outbox));
    assert_true(f->outbox.dropped > 8000);
}

static void test_outbox__keeps_answers_when_full(void **state)
{
    struct fixture *f = *state;
    size_t size = OUTBOX_FULL_BYTES + 1;
    char *large = malloc(size);
    assert_non_null(large);
    memset(large, 'x', size);
    assert_int_equal(outbox_put(&f->outbox, large, size), 0);
    assert_true(outbox_is_full(&f->outbox));
    assert_int_equal(outbox_put_optional(&f->outbox, "log", 3), -ENOBUFS);
    put(f, "answer");
    drain(f);
    char *body;
    size_t len;
    assert_int_equal(framing_next(&f->framing, &body, &len), 1);
    assert_int_equal(len, size);
    expect_next(f, "answer");
    expect_no_more(f);
    free(large);
}

static void test_outbox_write__tells_of_a_closed_pipe(void **state)
{
    struct fixture *f = *state;
    put(f, "lost");
    close(f->pipe[0]);
    f->pipe[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(outbox_write(&f->outbox, f->pipe[1]), -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_outbox_write__keeps_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outbox_put_replaceable__replaces_same_key_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_outbox_put_replaceable__finishes_what_is_begun, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_outbox__is_bounded_for_a_client_that_never_reads, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_outbox__keeps_answers_when_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outbox_write__tells_of_a_closed_pipe, set_up, tear_down),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
