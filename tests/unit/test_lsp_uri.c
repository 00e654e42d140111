#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "lsp/uri.h"

static void expect_path(const char *uri, const char *expected)
{
    char *path = NULL;
    assert_int_equal(uri_to_path(uri, &path), 0);
    assert_string_equal(path, expected);
    free(path);
}

static void expect_no_path(const char *uri)
{
    char *path = NULL;
    assert_int_equal(uri_to_path(uri, &path), -EINVAL);
    assert_null(path);
}

static void test_uri_to_path__decodes(void **state)
{
    (void)state;
    expect_path("file:///home/me/a.rs", "/home/me/a.rs");
    expect_path("file:/a.rs", "/a.rs");
    expect_path("FILE://localhost/a.rs", "/a.rs");
    expect_path("file:///with%20blank/%C3%A4%2B%25.rs", "/with blank/\xc3\xa4+%.rs");
    expect_path("file:///a%2fb", "/a/b");
    expect_path("file:///a.rs?query#fragment", "/a.rs");
}

static void test_uri_to_path__refuses_what_is_no_local_file(void **state)
{
    (void)state;
    expect_no_path("untitled:Untitled-1");
    expect_no_path("http://localhost/a.rs");
    expect_no_path("file://server/share/a.rs");
    expect_no_path("file:relative.rs");
    expect_no_path("file:///a%2");
    expect_no_path("file:///a%zz");
    expect_no_path("file:///a%00b");
    expect_no_path("");
}

static void test_uri_from_path__is_read_back(void **state)
{
    char *uri = NULL;
    (void)state;
    assert_int_equal(uri_from_path("/with blank/\xc3\xa4+%?#.rs", &uri), 0);
    assert_string_equal(uri, "file:///with%20blank/%C3%A4%2B%25%3F%23.rs");
    expect_path(uri, "/with blank/\xc3\xa4+%?#.rs");
    free(uri);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri_to_path__decodes),
        cmocka_unit_test(test_uri_to_path__refuses_what_is_no_local_file),
        cmocka_unit_test(test_uri_from_path__is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
