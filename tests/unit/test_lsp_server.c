/* The server above a session that does what the test says: what happens late, out of order, or to a client
 * that sends nonsense. */
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
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "lsp/server.h"
#include "rpc/framing.h"
#include "rpc/json.h"
#include "../lsp/fake_session.h"

struct fixture {
    struct loop *loop;
    struct lsp_server *server;
    struct session *session;
    int to_server, from_server; /* our ends of the pipes */
    int server_in, server_out;
    struct framing framing;
    int exit_code; /* −1: not ended */
};

static void on_ended(void *userdata, int exit_code)
{
    struct fixture *f = userdata;
    f->exit_code = exit_code;
    loop_stop(f->loop);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int in[2], out[2];
    assert_non_null(f);
    fake_survey = NULL;
    f->exit_code = -1;
    framing_init(&f->framing);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_true(fcntl(in[1], F_SETPIPE_SZ, 1 << 20) > 0);
    f->to_server = in[1];
    f->server_in = in[0];
    f->from_server = out[0];
    f->server_out = out[1];
    fcntl(f->from_server, F_SETFL, O_NONBLOCK);
    assert_int_equal(loop_new(&f->loop), 0);
    struct lsp_server_options options = {
        .in = in[0], .out = out[1], .settings = SETTINGS_DEFAULT, .ended = on_ended, .userdata = f};
    assert_int_equal(lsp_server_new(f->loop, &options, &f->server), 0);
    f->session = fake_session;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    lsp_server_free(f->server);
    loop_free(f->loop);
    framing_release(&f->framing);
    close(f->to_server);
    close(f->server_in);
    close(f->from_server);
    close(f->server_out);
    free(f);
    return 0;
}

static void stop_loop(void *userdata)
{
    loop_stop(userdata);
}

/* Lets the server handle what it was sent. */
static void run(struct fixture *f)
{
    struct loop_event timer = {0};
    assert_int_equal(loop_timer_start(f->loop, &timer, 20 * NS_PER_MS, 0, stop_loop, f->loop), 0);
    loop_run(f->loop);
    loop_event_stop(&timer);
}

static void send_bytes(struct fixture *f, const char *bytes, size_t len)
{
    assert_int_equal(write(f->to_server, bytes, len), (ssize_t)len);
}

static void send_body(struct fixture *f, const char *body)
{
    struct buf framed = BUF_INIT;
    assert_int_equal(framing_write(&framed, body, strlen(body)), 0);
    send_bytes(f, framed.data, framed.len);
    buf_release(&framed);
}

/* The next message of the server; NULL: none. The caller deletes it. */
static cJSON *receive(struct fixture *f)
{
    char bytes[65536], *body;
    size_t len;
    ssize_t n;
    while ((n = read(f->from_server, bytes, sizeof(bytes))) > 0)
        assert_int_equal(framing_feed(&f->framing, bytes, (size_t)n), 0);
    if (framing_next(&f->framing, &body, &len) <= 0)
        return NULL;
    cJSON *json = NULL;
    assert_int_equal(json_parse(body, len, &json), 0);
    return json;
}

/* Skips to the answer with this id, or the notification or request with this method. The caller deletes it.
 */
static cJSON *receive_until(struct fixture *f, double id, const char *method)
{
    run(f);
    for (cJSON *json; (json = receive(f)); cJSON_Delete(json)) {
        const cJSON *got_id = json_get(json, "id"), *got_method = json_get(json, "method");
        if (method ? got_method && !strcmp(got_method->valuestring, method)
                   : !got_method && cJSON_IsNumber(got_id) && got_id->valuedouble == id)
            return json;
    }
    return NULL;
}

static void expect_error(struct fixture *f, double id, int code)
{
    cJSON *json = receive_until(f, id, NULL);
    assert_non_null(json);
    assert_int_equal(json_get_path(json, "error.code")->valueint, code);
    assert_true(strlen(json_get_path(json, "error.data.hint")->valuestring) > 0);
    cJSON_Delete(json);
}

static void expect_result(struct fixture *f, double id)
{
    cJSON *json = receive_until(f, id, NULL);
    assert_non_null(json);
    assert_non_null(json_get(json, "result"));
    cJSON_Delete(json);
}

static void expect_message(struct fixture *f, const char *method)
{
    cJSON *json = receive_until(f, 0, method);
    assert_non_null(json);
    cJSON_Delete(json);
}

static void expect_nothing(struct fixture *f, double id)
{
    assert_null(receive_until(f, id, NULL));
}

static const char initialize_annotating[] =
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"processId\":null,\"capabilities\":"
    "{"
    "\"experimental\":{\"rsprof\":{\"annotations\":true}},\"window\":{\"workDoneProgress\":true}}}}";
static const char initialize_standard[] =
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"processId\":null,\"capabilities\":"
    "{\"workspace\":{"
    "\"inlayHint\":"
    "{\"refreshSupport\":true}}},\"initializationOptions\":{\"codeLens\":true,\"diagnosticsMinShare\":0.1}}}";
static const char attach_1[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rsprof/attach\",\"params\":{\"pid\":7}}";
static const char attach_2[] =
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"rsprof/attach\",\"params\":{\"pid\":8}}";
static const char detach_3[] = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"rsprof/detach\",\"params\":{}}";
static const char list_4[] = "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"rsprof/listProcesses\"}";
static const char cancel_1[] = "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":1}}";
static const char cancel_4[] = "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":4}}";
static const char open_a[] =
    "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":\"file://"
    "/ws/a.rs\","
    "\"languageId\":\"rust\",\"version\":1,\"text\":\"fn f() {\\n    x();\\n    y();\\n}\\n\"}}}";

static void initialize(struct fixture *f, const char *message)
{
    send_body(f, message);
    expect_result(f, 0);
}

static void test_attach__is_answered_when_sampling_runs(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    expect_nothing(f, 1);
    fake_session_set_state(f->session, SESSION_RUNNING);
    expect_result(f, 1);
}

static void test_attach__another_one_meanwhile_is_busy(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    send_body(f, attach_2);
    expect_error(f, 2, 1007);
    fake_session_set_state(f->session, SESSION_RUNNING);
    expect_result(f, 1);
    assert_int_equal(f->session->attach_count, 1);
}

static void test_attach__a_request_id_in_use_is_refused(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    send_body(f, attach_1);
    expect_error(f, 1, -32600);
    fake_session_set_state(f->session, SESSION_RUNNING);
    expect_result(f, 1);
}

static void test_attach__can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    send_body(f, cancel_1);
    expect_error(f, 1, -32800);
    assert_int_equal(f->session->status.state, SESSION_DETACHED);
    send_body(f, attach_2);
    run(f);
    fake_session_set_state(f->session, SESSION_RUNNING);
    expect_result(f, 2);
}

static void test_attach__detach_ends_it(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    send_body(f, detach_3);
    expect_error(f, 1, -32800);
    expect_result(f, 3);
}

static void test_attach__a_target_that_ends_before_sampling(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    run(f);
    fake_session_set_state(f->session, SESSION_LOST);
    expect_error(f, 1, 1001);
    f->session->status.hints[0] = "do this";
    f->session->status.hint_count = 1;
    send_body(f, attach_1);
    run(f);
    fake_session_set_state(f->session, SESSION_LOST);
    expect_error(f, 1, -32603);
}

static void test_attach__errors_become_codes(void **state)
{
    static const struct {
        int error, code;
    } cases[] = {{-ESRCH, 1001},   {-EPERM, 1002},    {-EACCES, 1002},     {-ENOEXEC, 1003},
                 {-ENODATA, 1004}, {-ENOTCONN, 1005}, {-EOPNOTSUPP, 1006}, {-ENOSYS, 1006},
                 {-EBUSY, 1007},   {-ENOMEM, -32603}, {-EIO, -32603}};
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        f->session->attach_result = cases[i].error;
        send_body(f, attach_1);
        expect_error(f, 1, cases[i].code);
    }
}

static void test_list_processes__can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, list_4);
    run(f);
    assert_non_null(fake_survey);
    send_body(f, cancel_4);
    expect_error(f, 4, -32800);
    assert_null(fake_survey);
    send_body(f, cancel_4);
    send_body(f, list_4);
    run(f);
    fake_survey_finish(NULL, 0);
    expect_result(f, 4);
}

static void test_list_processes__says_what_is_known(void **state)
{
    struct fixture *f = *state;
    struct process process = {
        .pid = 7, .uid = 0, .name = "svc", .exe = (char *)"/x", .command = (char *)"/x\xff", .uptime_sec = 1};
    struct surveyed_process items[] = {
        {.process = &process, .known = true, .rust = true, .debug = DEBUG_LINES},
        {.process = &process, .known = true, .debug = DEBUG_LIBRARY_LINES, .attachable = -EPERM},
        {.process = &process, .known = true, .debug = DEBUG_NONE},
        {.process = &process},
    };
    static const char *const expected[] = {"lines", "symbols", "none", "unknown"};
    initialize(f, initialize_annotating);
    send_body(f, list_4);
    run(f);
    fake_survey_finish(items, 4);
    cJSON *json = receive_until(f, 4, NULL);
    const cJSON *processes = json_get_path(json, "result.processes");
    assert_int_equal(cJSON_GetArraySize(processes), 4);
    for (int i = 0; i < 4; i++) {
        const cJSON *item = cJSON_GetArrayItem(processes, i);
        assert_string_equal(json_get(item, "debugInfo")->valuestring, expected[i]);
        assert_int_equal(json_get(item, "reason") != NULL, i == 1);
        assert_string_equal(json_get(item, "command")->valuestring, "/x?");
    }
    cJSON_Delete(json);
}

static void test_server__ends_while_requests_are_open(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    send_body(f, list_4);
    run(f);
    close(f->to_server);
    f->to_server = open("/dev/null", O_WRONLY | O_CLOEXEC);
    run(f);
    assert_int_equal(f->exit_code, 1);
}

static void test_progress__is_created_shown_and_ended(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    send_body(f, attach_1);
    cJSON *json = receive_until(f, 0, "window/workDoneProgress/create");
    assert_non_null(json);
    char answer[64];
    snprintf(answer, sizeof(answer), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":null}",
             json_get(json, "id")->valueint);
    cJSON_Delete(json);
    send_body(f, answer);
    expect_message(f, "$/progress");
    fake_session_set_state(f->session, SESSION_RUNNING);
    f->session->status.symbols.progress = 0.5;
    f->session->observer->ticked(f->session->userdata);
    json = receive_until(f, 0, "$/progress");
    assert_int_equal(json_get_path(json, "params.value.percentage")->valueint, 50);
    cJSON_Delete(json);
    f->session->status.symbols.progress = 1;
    f->session->observer->ticked(f->session->userdata);
    json = receive_until(f, 0, "$/progress");
    assert_string_equal(json_get_path(json, "params.value.kind")->valuestring, "end");
    cJSON_Delete(json);
}

static void attach_and_run(struct fixture *f)
{
    send_body(f, open_a);
    send_body(f, attach_1);
    run(f);
    fake_session_set_state(f->session, SESSION_RUNNING);
    f->session->observer->ticked(f->session->userdata);
}

static void test_annotations__are_sent_once_until_something_changes(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    attach_and_run(f);
    cJSON *json = receive_until(f, 0, "rsprof/annotations");
    assert_int_equal(cJSON_GetArraySize(json_get_path(json, "params.lines")), 2);
    cJSON_Delete(json);
    for (int i = 0; i < 5; i++)
        f->session->observer->ticked(f->session->userdata);
    assert_null(receive_until(f, 0, "rsprof/annotations"));
    send_body(f, detach_3);
    json = receive_until(f, 0, "rsprof/annotations");
    assert_int_equal(cJSON_GetArraySize(json_get_path(json, "params.lines")), 0);
    cJSON_Delete(json);
}

static void test_annotations__a_client_that_does_not_read_gets_the_newest(void **state)
{
    struct fixture *f = *state;
    initialize(f, initialize_annotating);
    attach_and_run(f);
    for (int i = 0; i < 20000; i++) {
        f->session->lines[0].window.self = i % 2 ? 0.9 : 0.1;
        f->session->observer->ticked(f->session->userdata);
    }
    f->session->lines[0].window.self = 0.777;
    f->session->observer->ticked(f->session->userdata);
    run(f);
    int count = 0;
    char label[32] = "";
    for (cJSON *json; (json = receive(f)) || (run(f), json = receive(f)); cJSON_Delete(json)) {
        const cJSON *method = json_get(json, "method");
        if (!method || strcmp(method->valuestring, "rsprof/annotations") != 0)
            continue;
        count++;
        snprintf(label, sizeof(label), "%s",
                 json_get(cJSON_GetArrayItem(json_get_path(json, "params.lines"), 0), "label")->valuestring);
    }
    assert_true(count < 1000);
    assert_string_equal(label, "77.7%");
}

/* Everything a client may send, as it is and damaged in all sorts of ways, in any order. The server may
 * answer what it likes, but must neither crash nor end. */
static const char *const transcript[] = {
    attach_1,
    attach_2,
    detach_3,
    list_4,
    cancel_1,
    cancel_4,
    open_a,
    "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/"
    "didChange\",\"params\":{\"textDocument\":{\"uri\":\"file:///ws/a.rs\",\"version\":2},"
    "\"contentChanges\":[{\"range\":{\"start\":{\"line\":1,\"character\":0},\"end\":{\"line\":2,"
    "\"character\":3}},\"text\":\"a\\nb\"},{\"text\":\"x\"}]}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didSave\",\"params\":{\"textDocument\":{\"uri\":\"file://"
    "/ws/a.rs\"}}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didClose\",\"params\":{\"textDocument\":{\"uri\":\"file:/"
    "//ws/a.rs\"}}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"$/setTrace\",\"params\":{\"value\":\"verbose\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"rsprof/"
    "setView\",\"params\":{\"metric\":\"heap\",\"attribution\":\"total\",\"minShare\":0}}",
    "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"rsprof/"
    "hotLines\",\"params\":{\"metric\":\"cpu\",\"limit\":3}}",
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"rsprof/lineDetails\",\"params\":{\"uri\":\"file:///ws/"
    "a.rs\",\"line\":1}}",
    "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"rsprof/snapshot\",\"params\":{\"format\":\"json\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"textDocument/"
    "inlayHint\",\"params\":{\"textDocument\":{\"uri\":\"file:///ws/a.rs\"},"
    "\"range\":{\"start\":{\"line\":0,\"character\":0},\"end\":{\"line\":9,\"character\":0}}}}",
    "{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"textDocument/"
    "hover\",\"params\":{\"textDocument\":{\"uri\":\"file:///ws/a.rs\"},"
    "\"position\":{\"line\":1,\"character\":4}}}",
    "{\"jsonrpc\":\"2.0\",\"id\":11,\"method\":\"textDocument/"
    "codeLens\",\"params\":{\"textDocument\":{\"uri\":\"file:///ws/a.rs\"}}}",
    "{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"workspace/"
    "executeCommand\",\"params\":{\"command\":\"rsprof.attach\",\"arguments\":[]}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"workspace/"
    "didChangeConfiguration\",\"params\":{\"settings\":{\"rsprof\":{\"attach\":\"newest workspace "
    "build\",\"view\":{\"metric\":\"both\"}}}}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"workspace/"
    "didChangeWorkspaceFolders\",\"params\":{\"event\":{\"added\":[{\"uri\":\"file:///w/\",\"name\":\"w\"}],"
    "\"removed\":[{\"uri\":\"file:///w\",\"name\":\"w\"}]}}}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"title\":\"svc (7)\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":1,\"message\":\"no\"}}",
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void send_damaged(struct fixture *f, uint32_t *seed)
{
    char body[1024];
    static const char interesting[] = "{}[]\",:0-9.eE\\u\x01\x7f\xff null";
    snprintf(body, sizeof(body), "%s",
             transcript[next_random(seed) % (sizeof(transcript) / sizeof(*transcript))]);
    size_t len = strlen(body);
    for (uint32_t hits = next_random(seed) % 4; hits > 0; hits--) {
        size_t at = next_random(seed) % len, part = next_random(seed) % 8;
        if (next_random(seed) % 3 == 0 && at + part < len) {
            memmove(body + at, body + at + part, len - at - part + 1);
            len -= part;
        } else {
            body[at] = interesting[next_random(seed) % (sizeof(interesting) - 1)];
        }
    }
    send_body(f, body);
}

static void play_damaged(struct fixture *f, uint32_t *seed)
{
    for (int i = 0; i < 25; i++)
        send_damaged(f, seed);
    run(f);
    if (fake_survey && next_random(seed) % 2)
        fake_survey_finish(NULL, 0);
    if (f->session->status.state == SESSION_ATTACHING)
        fake_session_set_state(f->session, next_random(seed) % 2 ? SESSION_RUNNING : SESSION_LOST);
    if (f->session->status.state == SESSION_RUNNING)
        f->session->observer->ticked(f->session->userdata);
    for (cJSON *json; (json = receive(f));)
        cJSON_Delete(json);
}

static void test_server__survives_damaged_messages(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 20261122;
    initialize(f, next_random(&seed) % 2 ? initialize_annotating : initialize_standard);
    for (int round = 0; round < 100; round++)
        play_damaged(f, &seed);
    assert_int_equal(f->exit_code, -1);
    send_body(f, "{\"jsonrpc\":\"2.0\",\"id\":999,\"method\":\"shutdown\"}");
    expect_result(f, 999);
}

static void test_server__survives_damaged_messages_of_a_standard_client(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 7;
    initialize(f, initialize_standard);
    for (int round = 0; round < 100; round++)
        play_damaged(f, &seed);
    assert_int_equal(f->exit_code, -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_attach__is_answered_when_sampling_runs),
        TEST(test_attach__another_one_meanwhile_is_busy),
        TEST(test_attach__a_request_id_in_use_is_refused),
        TEST(test_attach__can_be_cancelled),
        TEST(test_attach__detach_ends_it),
        TEST(test_attach__a_target_that_ends_before_sampling),
        TEST(test_attach__errors_become_codes),
        TEST(test_list_processes__can_be_cancelled),
        TEST(test_list_processes__says_what_is_known),
        TEST(test_server__ends_while_requests_are_open),
        TEST(test_progress__is_created_shown_and_ended),
        TEST(test_annotations__are_sent_once_until_something_changes),
        TEST(test_annotations__a_client_that_does_not_read_gets_the_newest),
        TEST(test_server__survives_damaged_messages),
        TEST(test_server__survives_damaged_messages_of_a_standard_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
