/* A whole conversation with the language server, above a session that does what the input says.
 *
 * The input is lines. A line is the body of one message, unless it begins with '!': then its second character
 * does something else. !r running   !l lost   !t tick   !s end the oldest survey   !f attach fails   !w raw
 * bytes from here on, without framing Every conversation ends with the end of the input. */
#include "../fake_session.h"
#include "base/buf.h"
#include "base/loop.h"
#include "lsp/server.h"
#include "rpc/framing.h"

#include <fcntl.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct conversation {
    struct loop *loop;
    struct lsp_server *server;
    int to_server;
    bool ended;
};

static void on_ended(void *userdata, int exit_code)
{
    struct conversation *conversation = userdata;
    if (exit_code != 0 && exit_code != 1)
        __builtin_trap();
    conversation->ended = true;
    loop_stop(conversation->loop);
}

static void stop_loop(void *userdata)
{
    loop_stop(userdata);
}

/* Until everything sent so far is handled. */
static void run(struct conversation *conversation)
{
    struct loop_event timer = {0};
    if (conversation->ended ||
        loop_timer_start(conversation->loop, &timer, 0, 0, stop_loop, conversation->loop) < 0)
        return;
    loop_run(conversation->loop);
    loop_event_stop(&timer);
}

static void send_bytes(struct conversation *conversation, const char *bytes, size_t len)
{
    if (!conversation->ended && write(conversation->to_server, bytes, len) != (ssize_t)len)
        conversation->ended = true;
}

static void send_body(struct conversation *conversation, const char *body, size_t len)
{
    OWNED_BUF struct buf framed = BUF_INIT;
    if (framing_write(&framed, body, len) == 0)
        send_bytes(conversation, framed.data, framed.len);
}

static void act(struct conversation *conversation, char action)
{
    run(conversation);
    if (conversation->ended)
        return;
    enum session_state state = fake_session->status.state;
    if (action == 'r' && state == SESSION_ATTACHING)
        fake_session_set_state(fake_session, SESSION_RUNNING);
    else if (action == 'l' && (state == SESSION_ATTACHING || state == SESSION_RUNNING))
        fake_session_set_state(fake_session, SESSION_LOST);
    else if (action == 't' && state == SESSION_RUNNING)
        fake_session->observer->ticked(fake_session->userdata);
    else if (action == 's' && fake_survey)
        fake_survey_finish(NULL, 0);
    else if (action == 'f')
        fake_session->attach_result = -EPERM;
}

static void play(struct conversation *conversation, const char *text, size_t size)
{
    while (size) {
        const char *newline = memchr(text, '\n', size);
        size_t len = newline ? (size_t)(newline - text) : size;
        if (len >= 2 && text[0] == '!' && text[1] == 'w') {
            send_bytes(conversation, text + 2, size - 2);
            break;
        }
        if (len >= 2 && text[0] == '!')
            act(conversation, text[1]);
        else
            send_body(conversation, text, len);
        size -= newline ? len + 1 : len;
        text += len + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conversation conversation = {0};
    int in[2], out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fake_survey = NULL;
    if (out < 0 || pipe2(in, O_CLOEXEC) < 0 || fcntl(in[1], F_SETPIPE_SZ, 1 << 20) < 0 ||
        loop_new(&conversation.loop) < 0)
        abort();
    conversation.to_server = in[1];
    struct lsp_server_options options = {
        .in = in[0], .out = out, .settings = SETTINGS_DEFAULT, .ended = on_ended, .userdata = &conversation};
    if (lsp_server_new(conversation.loop, &options, &conversation.server) < 0)
        abort();
    play(&conversation, (const char *)data, size);
    close(in[1]);
    for (int i = 0; i < 100 && !conversation.ended; i++)
        run(&conversation);
    if (!conversation.ended)
        __builtin_trap();
    lsp_server_free(conversation.server);
    loop_free(conversation.loop);
    close(in[0]);
    close(out);
    return 0;
}
