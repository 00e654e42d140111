#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rpc/framing.h"

static int feed(struct framing *framing, const char *bytes)
{
    return framing_feed(framing, bytes, strlen(bytes));
}

static void expect_body(struct framing *framing, const char *expected)
{
    char *body;
    size_t len;
    assert_int_equal(framing_next(framing, &body, &len), 1);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(body, expected, len);
}

static void expect_more_is_needed(struct framing *framing)
{
    char *body;
    size_t len;
    assert_int_equal(framing_next(framing, &body, &len), 0);
}

static void expect_broken(const char *bytes, int error)
{
    struct framing framing;
    char *body;
    size_t len;
    framing_init(&framing);
    assert_int_equal(feed(&framing, bytes), 0);
    assert_int_equal(framing_next(&framing, &body, &len), error);
    assert_non_null(framing.problem);
    assert_int_equal(feed(&framing, "Content-Length: 1\r\n\r\nx"), 0);
    assert_int_equal(framing_next(&framing, &body, &len), error);
    framing_release(&framing);
}

static void test_framing_next__gives_two_messages_of_one_read(void **state)
{
    struct framing framing;
    (void)state;
    framing_init(&framing);
    assert_int_equal(feed(&framing, "Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull"), 0);
    expect_body(&framing, "{}");
    expect_body(&framing, "null");
    expect_more_is_needed(&framing);
    assert_false(framing_is_partial(&framing));
    framing_release(&framing);
}

static void test_framing_next__puts_single_bytes_together(void **state)
{
    const char *text = "content-type: application/json\r\nCONTENT-LENGTH:3 \r\n\r\nabc";
    struct framing framing;
    (void)state;
    framing_init(&framing);
    for (size_t i = 0; i + 1 < strlen(text); i++) {
        assert_int_equal(framing_feed(&framing, text + i, 1), 0);
        expect_more_is_needed(&framing);
        assert_true(framing_is_partial(&framing));
    }
    assert_int_equal(feed(&framing, "c"), 0);
    expect_body(&framing, "abc");
    framing_release(&framing);
}

static void test_framing_next__takes_an_empty_body(void **state)
{
    struct framing framing;
    (void)state;
    framing_init(&framing);
    assert_int_equal(feed(&framing, "Content-Length: 0\r\n\r\n"), 0);
    expect_body(&framing, "");
    framing_release(&framing);
}

static void test_framing_next__refuses_what_is_no_header(void **state)
{
    (void)state;
    expect_broken("GET / HTTP/1.1\r\n", -EBADMSG);
    expect_broken("{}\r\n", -EBADMSG);
    expect_broken("\r\n\r\n", -EBADMSG);
    expect_broken("Content-Type: x\r\n\r\n{}", -EBADMSG);
    expect_broken(": 4\r\n\r\nnull", -EBADMSG);
    expect_broken("Content-Length: 4\r\nContent-Length: 4\r\n\r\nnull", -EBADMSG);
}

static void test_framing_next__refuses_lengths_that_are_no_numbers(void **state)
{
    (void)state;
    expect_broken("Content-Length: \r\n\r\n", -EBADMSG);
    expect_broken("Content-Length: -1\r\n\r\n", -EBADMSG);
    expect_broken("Content-Length: +4\r\n\r\n", -EBADMSG);
    expect_broken("Content-Length: 4x\r\n\r\n", -EBADMSG);
    expect_broken("Content-Length: 0x10\r\n\r\n", -EBADMSG);
}

static void test_framing_next__bounds_bodies_and_headers(void **state)
{
    char header[64], long_header[FRAMING_HEADER_MAX + 1];
    struct framing framing;
    (void)state;
    snprintf(header, sizeof(header), "Content-Length: %u\r\n\r\n", FRAMING_BODY_MAX + 1);
    expect_broken(header, -EMSGSIZE);
    expect_broken("Content-Length: 99999999999999999999999999999999\r\n\r\n", -EMSGSIZE);
    memset(long_header, 'a', sizeof(long_header) - 1);
    long_header[sizeof(long_header) - 1] = '\0';
    expect_broken(long_header, -EMSGSIZE);

    framing_init(&framing);
    snprintf(header, sizeof(header), "Content-Length: %u\r\n\r\n", FRAMING_BODY_MAX);
    assert_int_equal(feed(&framing, header), 0);
    expect_more_is_needed(&framing);
    framing_release(&framing);
}

static void test_framing_write__is_read_back(void **state)
{
    struct buf out = BUF_INIT;
    struct framing framing;
    (void)state;
    framing_init(&framing);
    assert_int_equal(framing_write(&out, "{\"a\":1}", 7), 0);
    assert_string_equal(out.data, "Content-Length: 7\r\n\r\n{\"a\":1}");
    assert_int_equal(feed(&framing, out.data), 0);
    expect_body(&framing, "{\"a\":1}");
    framing_release(&framing);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing_next__gives_two_messages_of_one_read),
        cmocka_unit_test(test_framing_next__puts_single_bytes_together),
        cmocka_unit_test(test_framing_next__takes_an_empty_body),
        cmocka_unit_test(test_framing_next__refuses_what_is_no_header),
        cmocka_unit_test(test_framing_next__refuses_lengths_that_are_no_numbers),
        cmocka_unit_test(test_framing_next__bounds_bodies_and_headers),
        cmocka_unit_test(test_framing_write__is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
