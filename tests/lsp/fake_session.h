/* A session that does what a test says, and no more: everything of session.h and process_survey.h that the
 * language server uses. A program includes it once, and then links no other session. Its file, /ws/a.rs, has
 * CPU on line 2 and heap on line 3. */
#ifndef RSPROF_TESTS_FAKE_SESSION_H
#define RSPROF_TESTS_FAKE_SESSION_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/attach_error.h"
#include "session/process_survey.h"
#include "session/session.h"

struct session {
    struct loop *loop;
    const struct session_observer *observer;
    void *userdata;
    struct session_status status;
    struct snapshot snapshot;
    struct snapshot_line lines[3];
    int attach_result;
    unsigned attach_count;
};

struct process_survey {
    process_survey_done_fn done;
    void *userdata;
};

/* The server makes its session, and starts surveys, through functions without a test's context: the latest of
 * each. */
static struct session *fake_session;
static struct process_survey *fake_survey;

int session_new(struct loop *loop, const struct session_observer *observer, void *userdata,
                struct session **ret_session)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return -ENOMEM;
    session->loop = loop;
    session->observer = observer;
    session->userdata = userdata;
    session->status.exe = "";
    session->status.cpu.freq_hz = 99;
    session->lines[0] = (struct snapshot_line){.file = "/ws/a.rs",
                                               .line = 2,
                                               .function = "a::f",
                                               .yours = true,
                                               .window = {.self = 0.5, .total = 0.5, .samples = 9}};
    session->lines[1] = (struct snapshot_line){.file = "/ws/a.rs",
                                               .line = 3,
                                               .function = "a::g",
                                               .yours = true,
                                               .heap = {.self_live_bytes = 4096, .live_bytes = 4096}};
    session->lines[2] = (struct snapshot_line){
        .file = "/lib/\xff.rs", .line = 0, .function = "l\xff", .window = {.self = 0.4}};
    fake_session = session;
    *ret_session = session;
    return 0;
}

int attach_error_fill(int error, enum attach_step step, pid_t pid, struct session_error *ret_error)
{
    (void)step;
    snprintf(ret_error->message, sizeof(ret_error->message), "Process %d is not yours.", pid);
    snprintf(ret_error->hint, sizeof(ret_error->hint), "Choose another.");
    return error;
}

void session_free(struct session *session)
{
    free(session);
}

const char *session_state_name(enum session_state state)
{
    static const char *const names[] = {"detached", "attaching", "running", "lost"};
    return names[state];
}

const char *heap_mode_name(enum heap_mode mode)
{
    return mode == HEAP_OFF ? "off" : "hook";
}

int session_set_workspace(struct session *session, const char *const *folders, size_t count)
{
    (void)session;
    (void)folders;
    (void)count;
    return 0;
}

int session_set_source_map(struct session *session, const char *const *rules, size_t count)
{
    (void)session;
    for (size_t i = 0; i < count; i++)
        if (!strchr(rules[i], '='))
            return -EINVAL;
    return 0;
}

static void fake_session_set_state(struct session *session, enum session_state state)
{
    if (session->status.state == state)
        return;
    session->status.state = state;
    session->snapshot = (struct snapshot){.lines = session->lines, .heap = {.live_bytes = 4096}};
    session->snapshot.line_count = state == SESSION_RUNNING || state == SESSION_LOST ? 3 : 0;
    if (state == SESSION_DETACHED)
        session->status.pid = 0;
    session->observer->state_changed(session->userdata, state);
}

int session_attach(struct session *session, pid_t pid, const struct session_options *options,
                   struct session_error *ret_error)
{
    (void)options;
    session->attach_count++;
    fake_session_set_state(session, SESSION_DETACHED);
    if (session->attach_result < 0) {
        strcpy(ret_error->message, "as told");
        return session->attach_result;
    }
    session->status.pid = pid;
    fake_session_set_state(session, SESSION_ATTACHING);
    return 0;
}

void session_detach(struct session *session)
{
    fake_session_set_state(session, SESSION_DETACHED);
}

void session_reset(struct session *session)
{
    (void)session;
}

const struct session_status *session_status(struct session *session)
{
    return &session->status;
}

const struct snapshot *session_snapshot(struct session *session)
{
    return &session->snapshot;
}

struct stack_view session_stacks(const struct session *session)
{
    (void)session;
    return (struct stack_view){0};
}

bool session_module(const struct session *session, uint32_t number, struct session_module *ret_module)
{
    (void)session;
    *ret_module = (struct session_module){.path = "/ws/target/a"};
    return number == 0;
}

static size_t no_relations(struct session_relation *relations, size_t max)
{
    relations[0] = (struct session_relation){"caller\xfe", "", 0, 0.5};
    return max > 0;
}

size_t session_callers(struct session *session, const char *file, uint32_t line,
                       struct session_relation *relations, size_t max)
{
    (void)session;
    (void)file;
    (void)line;
    return no_relations(relations, max);
}

size_t session_callees(struct session *session, const char *file, uint32_t line,
                       struct session_relation *relations, size_t max)
{
    return session_callers(session, file, line, relations, max);
}

int process_survey_start(struct loop *loop, const char *const *folders, size_t folder_count, bool all,
                         process_survey_done_fn done, void *userdata, struct process_survey **ret_survey)
{
    (void)loop;
    (void)folders;
    (void)folder_count;
    (void)all;
    struct process_survey *started = calloc(1, sizeof(*started));
    if (!started)
        return -ENOMEM;
    *started = (struct process_survey){done, userdata};
    *ret_survey = fake_survey = started;
    return 0;
}

void process_survey_cancel(struct process_survey *cancelled)
{
    if (fake_survey == cancelled)
        fake_survey = NULL;
    free(cancelled);
}

static void fake_survey_finish(const struct surveyed_process *items, size_t count)
{
    struct process_survey *finished = fake_survey;
    fake_survey = NULL;
    finished->done(finished->userdata, items, count);
    free(finished);
}

#endif
