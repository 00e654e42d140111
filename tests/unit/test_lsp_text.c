#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/line_diff.h"
#include "lsp/text.h"

static struct text make(const char *bytes)
{
    struct text text;
    assert_int_equal(text_init(&text, bytes, strlen(bytes)), 0);
    return text;
}

static void expect_line(const struct text *text, size_t line, const char *expected)
{
    struct text_slice slice = text_line(text, line);
    assert_int_equal(slice.len, strlen(expected));
    assert_memory_equal(slice.data, expected, slice.len);
}

static void test_text_init__knows_all_line_ends(void **state)
{
    struct text text = make("a\nbc\r\nd\re\n");
    (void)state;
    assert_int_equal(text_line_count(&text), 5);
    expect_line(&text, 0, "a");
    expect_line(&text, 1, "bc");
    expect_line(&text, 2, "d");
    expect_line(&text, 3, "e");
    expect_line(&text, 4, "");
    expect_line(&text, 5, "");
    text_release(&text);
}

static void test_text_init__has_one_line_when_empty(void **state)
{
    struct text text = make("");
    (void)state;
    assert_int_equal(text_line_count(&text), 1);
    assert_int_equal(text_offset(&text, (struct text_position){7, 7}, ENCODING_UTF16), 0);
    text_release(&text);
}

static void test_text_offset__counts_in_the_encoding(void **state)
{
    /* ä: 2 bytes, 1 unit; €: 3 bytes, 1 unit; 😀: 4 bytes, 2 units of UTF-16 */
    struct text text = make("x\nä€😀z\ny");
    (void)state;
    assert_int_equal(text_offset(&text, (struct text_position){1, 4}, ENCODING_UTF16), 2 + 9);
    assert_int_equal(text_offset(&text, (struct text_position){1, 3}, ENCODING_UTF32), 2 + 9);
    assert_int_equal(text_offset(&text, (struct text_position){1, 9}, ENCODING_UTF8), 2 + 9);
    assert_int_equal(text_line_units(&text, 1, ENCODING_UTF16), 5);
    assert_int_equal(text_line_units(&text, 1, ENCODING_UTF32), 4);
    assert_int_equal(text_line_units(&text, 1, ENCODING_UTF8), 10);
    /* In the middle of a character: before it. */
    assert_int_equal(text_offset(&text, (struct text_position){1, 3}, ENCODING_UTF16), 2 + 5);
    text_release(&text);
}

static void test_text_offset__clamps_to_line_and_text(void **state)
{
    struct text text = make("ab\r\ncd");
    (void)state;
    assert_int_equal(text_offset(&text, (struct text_position){0, 99}, ENCODING_UTF16), 2);
    assert_int_equal(text_offset(&text, (struct text_position){1, UINT32_MAX}, ENCODING_UTF16), 6);
    assert_int_equal(text_offset(&text, (struct text_position){UINT32_MAX, 0}, ENCODING_UTF16), 6);
    text_release(&text);
}

/* Origins of the lines of `to`, as "0 - 1": the numbers of the lines of `from`, or '-'. */
static void expect_diff(const char *from, const char *to, const char *expected)
{
    struct text old = make(from), new = make(to);
    uint32_t origins[64];
    char text[256] = "";
    assert_int_equal(line_diff((struct line_range){&old, 0, text_line_count(&old)},
                               (struct line_range){&new, 0, text_line_count(&new)}, origins),
                     0);
    for (size_t i = 0; i < text_line_count(&new); i++) {
        char number[16] = "-";
        if (origins[i] != LINE_DIFF_NONE)
            snprintf(number, sizeof(number), "%u", origins[i]);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "", number);
    }
    assert_string_equal(text, expected);
    text_release(&old);
    text_release(&new);
}

static void test_line_diff__finds_what_stayed(void **state)
{
    (void)state;
    expect_diff("a1\nb2\nc3", "a1\nb2\nc3", "0 1 2");
    expect_diff("a1\nb2\nc3", "a1\nc3", "0 2");
    expect_diff("a1\nc3", "a1\nxx\nyy\nc3", "0 - - 1");
    expect_diff("a1\nb2\nc3\nd4\ne5", "b2\nd4\nxx\ne5", "1 3 - 4");
    expect_diff("", "", "0");
    expect_diff("a1\nb2", "", "-");
    expect_diff("", "a1\nb2", "- -");
}

static void test_line_diff__ignores_indentation(void **state)
{
    (void)state;
    expect_diff("a1\nb2", "{\n    a1\n\tb2  \n}", "- 0 1 -");
}

static void test_line_diff__follows_changed_lines(void **state)
{
    (void)state;
    expect_diff("let a = f(x);\nend", "let a = f(x, y);\nend", "0 1");
    expect_diff("let a = f(x).g(y);", "let a = f(x)\n    .g(y);", "0 -");
    expect_diff("one(1);\ntwo(2);", "one(1); two(2);", "0");
    expect_diff("alpha", "omega_omega", "-");
    expect_diff("alpha", "", "-");
}

static uint32_t next_random(uint32_t *seed)
{
    return *seed = *seed * 1664525u + 1013904223u;
}

/* Lines "L0", "L1", …: some dropped, some new ones put in between. */
static void make_random_pair(uint32_t *seed, char *from, char *to)
{
    *from = *to = '\0';
    for (int i = 0; i < 30; i++) {
        uint32_t what = next_random(seed) >> 28;
        if (what < 12)
            sprintf(from + strlen(from), "line %d\n", (int)(next_random(seed) >> 29));
        if (what > 3 && what < 14)
            sprintf(to + strlen(to), "line %d\n", (int)(next_random(seed) >> 29));
    }
}

static size_t longest_common(const struct text *a, const struct text *b)
{
    size_t table[64][64] = {0};
    for (size_t i = 1; i <= text_line_count(a); i++)
        for (size_t j = 1; j <= text_line_count(b); j++) {
            size_t up = table[i - 1][j], left = table[i][j - 1];
            bool same = line_hash(text_line(a, i - 1)) == line_hash(text_line(b, j - 1));
            table[i][j] = same ? table[i - 1][j - 1] + 1 : up > left ? up : left;
        }
    return table[text_line_count(a)][text_line_count(b)];
}

static void test_line_diff__is_a_longest_common_subsequence(void **state)
{
    uint32_t seed = 7;
    (void)state;
    for (int round = 0; round < 500; round++) {
        char from[1024], to[1024];
        uint32_t origins[64];
        make_random_pair(&seed, from, to);
        struct text old = make(from), new = make(to);
        size_t equal = 0, next = 0;
        assert_int_equal(line_diff((struct line_range){&old, 0, text_line_count(&old)},
                                   (struct line_range){&new, 0, text_line_count(&new)}, origins),
                         0);
        for (size_t i = 0; i < text_line_count(&new); i++) {
            if (origins[i] == LINE_DIFF_NONE)
                continue;
            assert_true(origins[i] >= next && origins[i] < text_line_count(&old));
            next = origins[i] + 1;
            equal += line_hash(text_line(&old, origins[i])) == line_hash(text_line(&new, i));
        }
        assert_int_equal(equal, longest_common(&old, &new));
        text_release(&old);
        text_release(&new);
    }
}

static void test_line_diff__matches_both_ends_of_texts_that_differ_too_much(void **state)
{
    size_t lines = 2 * LINE_DIFF_EDITS_MAX;
    struct buf from = BUF_INIT, to = BUF_INIT;
    (void)state;
    for (size_t i = 0; i < lines; i++) {
        bool edge = i < 5 || i >= lines - 5;
        assert_int_equal(buf_appendf(&from, "%s %zu\n", edge ? "same" : "zzzzzz", i), 0);
        assert_int_equal(buf_appendf(&to, "%s %zu\n", edge ? "same" : "aaaaaaaaaaaaaa", i), 0);
    }
    struct text old = make(from.data), new = make(to.data);
    uint32_t *origins = calloc(lines + 1, sizeof(*origins));
    assert_int_equal(
        line_diff((struct line_range){&old, 0, lines + 1}, (struct line_range){&new, 0, lines + 1}, origins),
        0);
    assert_int_equal(origins[4], 4);
    assert_int_equal(origins[5], LINE_DIFF_NONE);
    assert_int_equal(origins[lines - 5], lines - 5);
    free(origins);
    text_release(&old);
    text_release(&new);
    buf_release(&from);
    buf_release(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_init__knows_all_line_ends),
        cmocka_unit_test(test_text_init__has_one_line_when_empty),
        cmocka_unit_test(test_text_offset__counts_in_the_encoding),
        cmocka_unit_test(test_text_offset__clamps_to_line_and_text),
        cmocka_unit_test(test_line_diff__finds_what_stayed),
        cmocka_unit_test(test_line_diff__ignores_indentation),
        cmocka_unit_test(test_line_diff__follows_changed_lines),
        cmocka_unit_test(test_line_diff__is_a_longest_common_subsequence),
        cmocka_unit_test(test_line_diff__matches_both_ends_of_texts_that_differ_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
