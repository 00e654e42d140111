#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/message.h"
#include "rpc/params.h"

static cJSON *parse(const char *text)
{
    cJSON *json = NULL;
    char *copy = strdup(text);
    assert_non_null(copy);
    assert_int_equal(json_parse(copy, strlen(copy), &json), 0);
    free(copy);
    return json;
}

static void expect_no_json(const char *text, size_t len)
{
    cJSON *json = NULL;
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    assert_int_equal(json_parse(copy, len, &json), -EBADMSG);
    assert_null(json);
    free(copy);
}

static void test_json_parse__refuses_what_is_not_one_json_text(void **state)
{
    (void)state;
    expect_no_json("", 0);
    expect_no_json("{", 1);
    expect_no_json("{} {}", 5);
    expect_no_json("{}\0", 3);
    expect_no_json("nul", 3);
    expect_no_json("'a'", 3);
}

static void test_json_parse__refuses_what_is_not_utf8(void **state)
{
    (void)state;
    expect_no_json("\"\xff\"", 3);
    expect_no_json("\"\xc0\x80\"", 4);
    expect_no_json("\"\xed\xa0\x80\"", 5);
    expect_no_json("\"\xf5\x80\x80\x80\"", 6);
    expect_no_json("\"\xe2\x82\"", 4);
}

static void test_json_parse__refuses_deep_nesting(void **state)
{
    size_t depth = 200000;
    char *text = malloc(depth + 1);
    (void)state;
    assert_non_null(text);
    memset(text, '[', depth);
    expect_no_json(text, depth);
    free(text);
}

static void test_json_parse__replaces_nul_and_half_surrogates(void **state)
{
    (void)state;
    cJSON *json = parse("[\"a\\u0000b\",\"\\ud800x\",\"\\udc00\",\"\\ud83d\\ude00\",\"\\\\u0000\"]");
    assert_string_equal(cJSON_GetArrayItem(json, 0)->valuestring, "a\xef\xbf\xbd"
                                                                  "b");
    assert_string_equal(cJSON_GetArrayItem(json, 1)->valuestring, "\xef\xbf\xbdx");
    assert_string_equal(cJSON_GetArrayItem(json, 2)->valuestring, "\xef\xbf\xbd");
    assert_string_equal(cJSON_GetArrayItem(json, 3)->valuestring, "\xf0\x9f\x98\x80");
    assert_string_equal(cJSON_GetArrayItem(json, 4)->valuestring, "\\u0000");
    cJSON_Delete(json);
}

static void test_json_print__is_always_utf8(void **state)
{
    (void)state;
    cJSON *json = cJSON_CreateString("a\xff\xe2\x82z");
    char *text = json_print(json);
    assert_string_equal(text, "\"a\?\?\?z\"");
    free(text);
    cJSON_Delete(json);
}

static void test_json_put_number__writes_only_numbers_json_has(void **state)
{
    (void)state;
    cJSON *json = cJSON_CreateObject();
    assert_true(json_put_number(json, "nan", 0.0 / 0.0));
    assert_true(json_put_fraction(json, "third", 1.0 / 3));
    assert_true(json_put_count(json, "half", 2.5));
    char *text = json_print(json);
    assert_string_equal(text, "{\"nan\":0,\"third\":0.333333,\"half\":3}");
    free(text);
    cJSON_Delete(json);
}

static void test_json_put__fails_without_an_object(void **state)
{
    (void)state;
    assert_false(json_put_string(NULL, "a", "b"));
    assert_false(json_put_item(NULL, "a", cJSON_CreateArray()));
    assert_null(json_finish(cJSON_CreateObject(), false));
}

static enum message_kind kind_of(const char *text, struct message *message)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    enum message_kind kind = message_parse(copy, strlen(copy), message);
    free(copy);
    return kind;
}

static void expect_kind(const char *text, enum message_kind kind)
{
    struct message message = {0};
    assert_int_equal(kind_of(text, &message), kind);
    if (kind != MESSAGE_NOT_JSON)
        message_release(&message);
}

static void test_message_parse__tells_messages_apart(void **state)
{
    (void)state;
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", MESSAGE_REQUEST);
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"m\",\"params\":[]}", MESSAGE_REQUEST);
    expect_kind("{\"jsonrpc\":\"2.0\",\"method\":\"m\"}", MESSAGE_NOTIFICATION);
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", MESSAGE_RESPONSE);
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", MESSAGE_RESPONSE);
    expect_kind("nonsense", MESSAGE_NOT_JSON);
}

static void test_message_parse__refuses_json_that_is_no_message(void **state)
{
    (void)state;
    expect_kind("[]", MESSAGE_INVALID);
    expect_kind("1", MESSAGE_INVALID);
    expect_kind("{}", MESSAGE_INVALID);
    expect_kind("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", MESSAGE_INVALID);
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", MESSAGE_INVALID);
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}", MESSAGE_INVALID);
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}", MESSAGE_INVALID);
    expect_kind("{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"m\"}", MESSAGE_INVALID);
}

struct args {
    uint64_t pid;
    const char *name;
    double share;
    int mode;
    bool all;
};

static const char *const modes[] = {"auto", "off", NULL};
static const struct param_field fields[] = {
    {"pid", PARAM_UINT, offsetof(struct args, pid), .required = true, .min = 1, .max = 100},
    {"deep.name", PARAM_STRING, offsetof(struct args, name), .required = false},
    {"share", PARAM_DOUBLE, offsetof(struct args, share), .min = 0, .max = 1},
    {"mode", PARAM_ENUM, offsetof(struct args, mode), .names = modes},
    {"all", PARAM_BOOL, offsetof(struct args, all), .required = false},
};

static void expect_wrong(const char *text, const char *message)
{
    struct args args = {.pid = 77, .share = 0.5};
    struct param_error error;
    cJSON *json = text ? parse(text) : NULL;
    assert_int_equal(params_parse(json, fields, ARRAY_LEN(fields), &args, &error), -EINVAL);
    assert_string_equal(error.message, message);
    assert_int_equal(args.pid, 77);
    assert_true(args.share == 0.5);
    cJSON_Delete(json);
}

static void test_params_parse__stores_what_is_there(void **state)
{
    struct args args = {.share = 0.25};
    struct param_error error;
    (void)state;
    cJSON *json = parse(
        "{\"pid\":7,\"deep\":{\"name\":\"n\"},\"mode\":\"off\",\"all\":true,\"share\":null,\"other\":1}");
    assert_int_equal(params_parse(json, fields, ARRAY_LEN(fields), &args, &error), 0);
    assert_int_equal(args.pid, 7);
    assert_string_equal(args.name, "n");
    assert_int_equal(args.mode, 1);
    assert_true(args.all);
    assert_true(args.share == 0.25);
    cJSON_Delete(json);
}

static void test_params_parse__names_the_wrong_field(void **state)
{
    (void)state;
    expect_wrong(NULL, "'pid' is missing: it must be a whole number from 1 to 100");
    expect_wrong("{}", "'pid' is missing: it must be a whole number from 1 to 100");
    expect_wrong("[1]", "params must be an object, but is an array");
    expect_wrong("{\"pid\":\"7\"}", "'pid' must be a whole number from 1 to 100, but is \"7\"");
    expect_wrong("{\"pid\":1.5}", "'pid' must be a whole number from 1 to 100, but is 1.5");
    expect_wrong("{\"pid\":101}", "'pid' must be a whole number from 1 to 100, but is 101");
    expect_wrong("{\"pid\":1,\"deep\":{\"name\":[]}}", "'deep.name' must be a string, but is an array");
    expect_wrong("{\"pid\":1,\"mode\":\"on\"}", "'mode' must be one of \"auto\", \"off\", but is \"on\"");
    expect_wrong("{\"pid\":1,\"share\":2,\"all\":true}", "'share' must be a number from 0 to 1, but is 2");
    expect_wrong("{\"pid\":9,\"all\":1}", "'all' must be a boolean, but is 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_parse__refuses_what_is_not_one_json_text),
        cmocka_unit_test(test_json_parse__refuses_what_is_not_utf8),
        cmocka_unit_test(test_json_parse__refuses_deep_nesting),
        cmocka_unit_test(test_json_parse__replaces_nul_and_half_surrogates),
        cmocka_unit_test(test_json_print__is_always_utf8),
        cmocka_unit_test(test_json_put_number__writes_only_numbers_json_has),
        cmocka_unit_test(test_json_put__fails_without_an_object),
        cmocka_unit_test(test_message_parse__tells_messages_apart),
        cmocka_unit_test(test_message_parse__refuses_json_that_is_no_message),
        cmocka_unit_test(test_params_parse__stores_what_is_there),
        cmocka_unit_test(test_params_parse__names_the_wrong_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
