#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "lsp/documents.h"
#include "lsp/uri.h"

#define BUILT 1000 /* seconds: when the executable was written */

static const char source[] = "fn main() {\n"            /* 1 */
                             "    let a = first(1);\n"  /* 2 */
                             "    let b = second(a);\n" /* 3 */
                             "    third(a, b);\n"       /* 4 */
                             "}\n";                     /* 5 */

struct fixture {
    char folder[32], path[64];
    char *uri;
    struct documents documents;
    struct document *document;
};

static void write_file(struct fixture *f, const char *text, time_t mtime_sec)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
    struct timespec times[2] = {{.tv_sec = mtime_sec}, {.tv_sec = mtime_sec}};
    assert_int_equal(utimensat(AT_FDCWD, f->path, times, 0), 0);
}

static void open_document(struct fixture *f, const char *text)
{
    assert_int_equal(documents_open(&f->documents, f->uri, 1, text, strlen(text), &f->document), 0);
}

static void set_build(struct fixture *f, time_t written_sec, const char *md5)
{
    struct file_build build = {(uint64_t)written_sec * NS_PER_SEC, md5};
    assert_int_equal(document_set_build(f->document, &build), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->folder, sizeof(f->folder), "%s/rsprof-test-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/a b.rs", f->folder);
    assert_int_equal(uri_from_path(f->path, &f->uri), 0);
    documents_init(&f->documents, NULL);
    write_file(f, source, BUILT - 10);
    open_document(f, source);
    set_build(f, BUILT, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    documents_release(&f->documents);
    unlink(f->path);
    rmdir(f->folder);
    free(f->uri);
    free(f);
    return 0;
}

static void edit(struct fixture *f, uint32_t line, uint32_t character, uint32_t end_line,
                 uint32_t end_character, const char *text)
{
    assert_int_equal(documents_edit(&f->documents, f->document, (struct text_position){line, character},
                                    (struct text_position){end_line, end_character}, text, strlen(text)),
                     0);
}

/* Where lines 1 to 5 of the build are now, 1-based like these; 0: gone. */
static void expect_lines(struct fixture *f, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e)
{
    const uint32_t expected[] = {a, b, c, d, e};
    for (uint32_t line = 1; line <= 5; line++) {
        uint32_t now = document_line_of_build(f->document, line);
        assert_int_equal(now == DOCUMENT_NO_LINE ? 0 : now + 1, expected[line - 1]);
        if (now != DOCUMENT_NO_LINE)
            assert_int_equal(document_build_of_line(f->document, now), line);
    }
}

static void test_documents__unchanged(void **state)
{
    struct fixture *f = *state;
    expect_lines(f, 1, 2, 3, 4, 5);
    assert_false(f->document->stale);
    assert_int_equal(document_line_of_build(f->document, 0), DOCUMENT_NO_LINE);
    assert_int_equal(document_line_of_build(f->document, 99), DOCUMENT_NO_LINE);
    assert_int_equal(document_build_of_line(f->document, 99), 0);
}

static void test_documents_edit__inserted_lines_shift(void **state)
{
    struct fixture *f = *state;
    edit(f, 0, 0, 0, 0, "// one\n// two\n");
    expect_lines(f, 3, 4, 5, 6, 7);
    edit(f, 3, 21, 3, 21, "\n    let new = 1;");
    expect_lines(f, 3, 4, 6, 7, 8);
    assert_false(f->document->stale);
}

static void test_documents_edit__enter_before_and_after_a_line(void **state)
{
    struct fixture *f = *state;
    edit(f, 1, 0, 1, 0, "\n");
    expect_lines(f, 1, 3, 4, 5, 6);
    edit(f, 2, 21, 2, 21, "\n");
    expect_lines(f, 1, 3, 5, 6, 7);
}

static void test_documents_edit__deleted_lines_lose_theirs(void **state)
{
    struct fixture *f = *state;
    edit(f, 1, 0, 3, 0, "");
    expect_lines(f, 1, 0, 0, 2, 3);
    assert_int_equal(text_line_count(&f->document->text), 4);
}

static void test_documents_edit__undo_brings_them_back(void **state)
{
    struct fixture *f = *state;
    edit(f, 1, 0, 3, 0, "");
    edit(f, 1, 0, 1, 0, "    let a = first(1);\n    let b = second(a);\n");
    expect_lines(f, 1, 2, 3, 4, 5);
}

static void test_documents_edit__moved_lines_are_followed(void **state)
{
    struct fixture *f = *state;
    edit(f, 1, 0, 2, 0, "");
    edit(f, 3, 0, 3, 0, "    let a = first(1);\n");
    expect_lines(f, 1, 4, 2, 3, 5);
}

static void test_documents_edit__typing_keeps_the_line(void **state)
{
    struct fixture *f = *state;
    edit(f, 1, 18, 1, 19, "123");
    edit(f, 1, 8, 1, 9, "answer");
    expect_lines(f, 1, 2, 3, 4, 5);
    edit(f, 1, 0, 1, 30, "");
    expect_lines(f, 1, 0, 3, 4, 5);
}

static void test_documents_edit__splitting_and_joining(void **state)
{
    struct fixture *f = *state;
    edit(f, 3, 13, 3, 14, "\n        ");
    expect_lines(f, 1, 2, 3, 4, 6);
    edit(f, 1, 21, 2, 4, " ");
    expect_lines(f, 1, 2, 0, 3, 5);
}

static void test_documents_edit__mends_bad_ranges(void **state)
{
    struct fixture *f = *state;
    edit(f, 3, 0, 1, 0, "");
    expect_lines(f, 1, 0, 0, 2, 3);
    edit(f, 4000000000u, 7, 4000000000u, 9, "// end");
    expect_lines(f, 1, 0, 0, 2, 3);
}

static void test_documents_replace__follows_a_formatter(void **state)
{
    struct fixture *f = *state;
    const char *formatted =
        "//! doc\nfn main() {\n  let a = first(1);\n  let b =\n    second(a);\n  third(a, b);\n}\n";
    assert_int_equal(documents_replace(&f->documents, f->document, formatted, strlen(formatted)), 0);
    expect_lines(f, 2, 3, 4, 6, 7);
}

static void test_documents_open__text_that_differs_from_disk_is_stale(void **state)
{
    struct fixture *f = *state;
    open_document(
        f, "// unsaved\nfn main() {\n    let a = first(1);\n    let b = second(a);\n    third(a, b);\n}\n");
    expect_lines(f, 2, 3, 4, 5, 6);
    set_build(f, BUILT, NULL);
    assert_true(f->document->stale);
    assert_int_equal(f->documents.items.len, 1);
}

static void test_documents__a_file_newer_than_the_build_is_stale(void **state)
{
    struct fixture *f = *state;
    write_file(f, source, BUILT + 10);
    open_document(f, source);
    assert_false(f->document->stale); /* nothing says yet that the process has it */
    set_build(f, BUILT, NULL);
    assert_true(f->document->stale);
    expect_lines(f, 1, 2, 3, 4, 5);
    set_build(f, BUILT - 5, NULL); /* an older library has it too: the newest module counts */
    assert_true(f->document->stale);
    set_build(f, BUILT + 20, NULL);
    assert_false(f->document->stale);
}

static void save(struct fixture *f, time_t mtime_sec)
{
    write_file(f, f->document->text.bytes.data, mtime_sec);
    assert_int_equal(document_observe_disk(f->document), 0);
}

static void test_documents__the_md5_of_the_build_outweighs_times(void **state)
{
    struct fixture *f = *state;
    struct md5_text md5 = md5_of(source, strlen(source));
    documents_close(&f->documents, f->document);
    write_file(f, source, BUILT + 10); /* touched: by its time it is not what was built */
    open_document(f, source);
    set_build(f, BUILT, NULL);
    assert_true(f->document->stale);
    set_build(f, BUILT, md5.hex);
    assert_false(f->document->stale);
    write_file(f, "fn main() {}\n", BUILT - 5); /* an old file put in its place */
    document_observe_disk(f->document);
    assert_true(f->document->stale);
    assert_int_equal(document_line_of_build(f->document, 3), 2);
    write_file(f, source, BUILT + 20);
    document_observe_disk(f->document);
    assert_false(f->document->stale);
    documents_forget_builds(&f->documents);
    assert_null(f->document->build.md5);
}

static void test_documents__saving_makes_stale_and_keeps_lines(void **state)
{
    struct fixture *f = *state;
    save(f, BUILT + 5);
    assert_false(f->document->stale); /* touched, not changed */
    edit(f, 0, 0, 0, 0, "// new\n");
    assert_false(f->document->stale);
    save(f, BUILT + 10);
    assert_true(f->document->stale);
    expect_lines(f, 2, 3, 4, 5, 6);
}

static void test_documents__a_new_build_is_what_was_saved_last_before_it(void **state)
{
    struct fixture *f = *state;
    edit(f, 0, 0, 0, 0, "// new\n");
    save(f, BUILT + 10);
    set_build(f, BUILT + 20, NULL);
    assert_false(f->document->stale);
    assert_int_equal(document_line_of_build(f->document, 2), 1);
    edit(f, 0, 0, 0, 0, "// newer\n");
    save(f, BUILT + 30);
    assert_true(f->document->stale);
    assert_int_equal(document_line_of_build(f->document, 2), 2);
    documents_forget_builds(&f->documents);
    set_build(f, BUILT, NULL); /* the old build runs again */
    expect_lines(f, 3, 4, 5, 6, 7);
}

static void test_documents__many_saves_keep_the_first_and_the_last(void **state)
{
    struct fixture *f = *state;
    for (int i = 1; i <= 3 * DOCUMENT_STATES_MAX; i++) {
        edit(f, 0, 0, 0, 0, "// new\n");
        save(f, BUILT + i);
    }
    assert_int_equal(f->document->state_count, DOCUMENT_STATES_MAX);
    uint32_t shift = 3 * DOCUMENT_STATES_MAX;
    expect_lines(f, shift + 1, shift + 2, shift + 3, shift + 4, shift + 5);
    assert_true(f->document->stale);
}

static void test_documents__a_file_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    open_document(f, source);
    set_build(f, BUILT, NULL);
    assert_true(f->document->stale);
    expect_lines(f, 1, 2, 3, 4, 5);
    assert_int_equal(documents_open(&f->documents, "untitled:1", 1, "x", 1, &f->document), 0);
    assert_string_equal(f->document->path, "");
}

static void test_documents_find__by_uri_and_path(void **state)
{
    struct fixture *f = *state;
    char uri[128], link[96];
    snprintf(uri, sizeof(uri), "file://%s/a b.rs", f->folder);
    assert_ptr_equal(documents_find(&f->documents, uri), f->document);
    assert_ptr_equal(documents_find(&f->documents, f->uri), f->document);
    assert_ptr_equal(documents_find_path(&f->documents, f->path), f->document);
    assert_null(documents_find(&f->documents, "file:///none.rs"));
    assert_null(documents_find(&f->documents, "untitled:x"));
    assert_null(documents_find_path(&f->documents, ""));

    snprintf(link, sizeof(link), "%s.link", f->folder);
    assert_int_equal(symlink(f->folder, link), 0);
    snprintf(uri, sizeof(uri), "file://%s/a%%20b.rs", link);
    struct document *linked;
    assert_int_equal(documents_open(&f->documents, uri, 1, source, strlen(source), &linked), 0);
    documents_close(&f->documents, f->document);
    assert_ptr_equal(documents_find_path(&f->documents, f->path), linked);
    unlink(link);
}

static void test_documents_open__is_bounded(void **state)
{
    struct fixture *f = *state;
    struct document *document;
    char uri[32];
    for (int i = 1; i < DOCUMENTS_MAX; i++) {
        snprintf(uri, sizeof(uri), "untitled:%d", i);
        assert_int_equal(documents_open(&f->documents, uri, 1, "", 0, &document), 0);
    }
    assert_int_equal(documents_open(&f->documents, "untitled:more", 1, "", 0, &document), -E2BIG);
    documents_close(&f->documents, document);
    assert_int_equal(documents_open(&f->documents, "untitled:more", 1, "", 0, &document), 0);
}

static void test_documents_edit__random_edits_keep_text_and_lines_together(void **state)
{
    struct fixture *f = *state;
    static const char *const pieces[] = {"", "x", "\n", "\r\n", "\r", "let q = 1;\n", "a\nb\nc", "ä😀"};
    uint32_t seed = 11;
    for (int i = 0; i < 4000; i++) {
        uint32_t lines = (uint32_t)text_line_count(&f->document->text) + 1;
        uint32_t r[5];
        for (int k = 0; k < 5; k++)
            r[k] = (seed = seed * 1664525u + 1013904223u) >> 8;
        uint32_t line = r[0] % lines;
        edit(f, line, r[1] % 24, line + r[2] % 3, r[3] % 24, pieces[r[4] % 8]);
        assert_int_equal(f->document->ids.len, text_line_count(&f->document->text));
        assert_int_equal(f->documents.bytes, f->document->text.bytes.len);
        for (uint32_t build = 1; build <= 5; build++) {
            uint32_t now = document_line_of_build(f->document, build);
            if (now != DOCUMENT_NO_LINE)
                assert_int_equal(document_build_of_line(f->document, now), build);
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_documents__unchanged),
        TEST(test_documents_edit__inserted_lines_shift),
        TEST(test_documents_edit__enter_before_and_after_a_line),
        TEST(test_documents_edit__deleted_lines_lose_theirs),
        TEST(test_documents_edit__undo_brings_them_back),
        TEST(test_documents_edit__moved_lines_are_followed),
        TEST(test_documents_edit__typing_keeps_the_line),
        TEST(test_documents_edit__splitting_and_joining),
        TEST(test_documents_edit__mends_bad_ranges),
        TEST(test_documents_replace__follows_a_formatter),
        TEST(test_documents_open__text_that_differs_from_disk_is_stale),
        TEST(test_documents__a_file_newer_than_the_build_is_stale),
        TEST(test_documents__the_md5_of_the_build_outweighs_times),
        TEST(test_documents__saving_makes_stale_and_keeps_lines),
        TEST(test_documents__a_new_build_is_what_was_saved_last_before_it),
        TEST(test_documents__many_saves_keep_the_first_and_the_last),
        TEST(test_documents__a_file_that_is_not_there),
        TEST(test_documents_find__by_uri_and_path),
        TEST(test_documents_open__is_bounded),
        TEST(test_documents_edit__random_edits_keep_text_and_lines_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
