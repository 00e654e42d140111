#include "lsp/attach.h"

#include "base/clock.h"
#include "base/cleanup.h"
#include "lsp/errors.h"
#include "lsp/server_state.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define RETRY_NS (5 * NS_PER_SEC)

static cJSON *attached_to_json(const struct session_status *status)
{
    cJSON *json = cJSON_CreateObject();
    return json_finish(json, json_put_number(json, "pid", status->pid) &&
                                 json_put_string(json, "exe", status->exe));
}

static void on_cancel(void *userdata)
{
    struct lsp_server *server = userdata;
    server->attachment.waiting = NULL;
    attach_detach(server);
}

static void tell_failure(struct lsp_server *server, struct rpc_request *request, int error,
                         const char *message, const char *hint)
{
    char text[1024];
    if (request) {
        errors_answer(request, error, message, hint);
        return;
    }
    struct protocol_problem problem = errors_describe(error);
    snprintf(text, sizeof(text), "rsprof: %s. %s", *message ? message : problem.message,
             *hint ? hint : problem.hint);
    server_show_message(server, MESSAGE_ERROR, text);
}

void attach_start(struct lsp_server *server, pid_t pid, const struct session_options *options,
                  struct rpc_request *request)
{
    struct attachment *attachment = &server->attachment;
    struct session_options wanted = *options;
    struct session_error error = {0};
    wanted.require_lines = true;
    if (attachment->under_way) {
        tell_failure(server, request, -EBUSY, "another attach is under way", "");
        return;
    }
    loop_event_stop(&attachment->retry);
    attachment->waiting = request;
    attachment->under_way = true;
    progress_start(server);
    int r = session_attach(server->session, pid, &wanted, &error);
    if (r < 0) {
        attachment->under_way = false;
        attachment->waiting = NULL;
        tell_failure(server, request, r, error.message, error.hint);
        publish_all(server, PUBLISH_CHANGED);
        return;
    }
    if (attachment->waiting)
        rpc_request_on_cancel(attachment->waiting, on_cancel, server);
}

void attach_detach(struct lsp_server *server)
{
    struct rpc_request *waiting = take_ptr(server->attachment.waiting);
    loop_event_stop(&server->attachment.retry);
    server->attachment.under_way = false;
    session_detach(server->session);
    if (waiting)
        rpc_answer_error(waiting, RPC_REQUEST_CANCELLED, "detached before sampling ran", "Attach again.");
}

static void on_retry(void *userdata)
{
    attach_by_itself(userdata);
}

static void retry_later(struct lsp_server *server)
{
    if (server->settings.attach_newest)
        loop_timer_start(server->loop, &server->attachment.retry, RETRY_NS, 0, on_retry, server);
}

static uint64_t exe_time_ns(const char *exe)
{
    struct stat info;
    if (stat(exe, &info) < 0)
        return 0;
    return (uint64_t)info.st_mtim.tv_sec * NS_PER_SEC + (uint64_t)info.st_mtim.tv_nsec;
}

/* The newest build; of one build, the process that was started last. */
static bool is_newer(const struct surveyed_process *a, const struct surveyed_process *b)
{
    uint64_t a_ns = exe_time_ns(a->process->exe), b_ns = exe_time_ns(b->process->exe);
    return a_ns != b_ns ? a_ns > b_ns : a->process->uptime_sec < b->process->uptime_sec;
}

static void on_survey_for_newest(void *userdata, const struct surveyed_process *items, size_t count)
{
    struct lsp_server *server = userdata;
    const struct surveyed_process *newest = NULL;
    for (size_t i = 0; i < count; i++)
        if (items[i].workspace && items[i].rust && items[i].attachable == 0 &&
            (!newest || is_newer(&items[i], newest)))
            newest = &items[i];
    enum session_state state = session_status(server->session)->state;
    if (state == SESSION_RUNNING || state == SESSION_ATTACHING)
        return;
    if (newest)
        attach_start(server, newest->process->pid, &server->settings.session, NULL);
    else
        retry_later(server);
}

void attach_by_itself(struct lsp_server *server)
{
    enum session_state state = session_status(server->session)->state;
    if (state == SESSION_RUNNING || state == SESSION_ATTACHING || server->phase != PHASE_INITIALIZED)
        return;
    if (server->settings.attach_pid)
        attach_start(server, server->settings.attach_pid, &server->settings.session, NULL);
    else if (server->settings.attach_newest &&
             process_query_start(server, false, on_survey_for_newest, NULL) < 0)
        retry_later(server);
}

static void tell_person(struct lsp_server *server, const struct session_status *status)
{
    char text[1024];
    const char *slash = strrchr(status->exe, '/'), *name = slash ? slash + 1 : status->exe;
    if (status->state == SESSION_RUNNING)
        snprintf(text, sizeof(text), "rsprof: profiling %s (%d)", name, (int)status->pid);
    else
        snprintf(text, sizeof(text), "rsprof: %s (%d) has ended; its last numbers stay until rsprof.detach",
                 name, (int)status->pid);
    server_show_message(server, MESSAGE_INFO, text);
}

/* The session ended up in another state than running: the attach that waits for it has failed. */
static void fail_waiting(struct lsp_server *server, const struct session_status *status)
{
    struct rpc_request *request = take_ptr(server->attachment.waiting);
    const char *hint = status->hint_count ? status->hints[0] : "";
    if (status->state == SESSION_LOST && *hint)
        tell_failure(server, request, -EIO, "sampling could not start", hint);
    else
        tell_failure(server, request, -ESRCH, "the process ended before sampling ran", "");
}

/* The standing order to follow the newest build holds again once the process it found is gone. */
static void after_end(struct lsp_server *server, const struct session_status *status)
{
    if (server->attachment.under_way) {
        server->attachment.under_way = false;
        fail_waiting(server, status);
    } else if (!server->client.annotations) {
        tell_person(server, status);
    }
    retry_later(server);
}

void attach_state_changed(struct lsp_server *server, enum session_state state)
{
    struct attachment *attachment = &server->attachment;
    const struct session_status *status = session_status(server->session);
    if (state == SESSION_RUNNING) {
        bool asked = attachment->waiting != NULL;
        attachment->under_way = false;
        attachment->was_attached = true;
        documents_forget_builds(&server->documents);
        if (asked)
            rpc_answer(take_ptr(attachment->waiting), attached_to_json(status));
        if (!server->client.annotations)
            tell_person(server, status);
    } else if (state == SESSION_LOST) {
        after_end(server, status);
    } else if (state == SESSION_DETACHED) {
        documents_forget_builds(&server->documents);
        if (attachment->was_attached)
            publish_all(server, PUBLISH_EVERYTHING);
        attachment->was_attached = false;
    }
}

void attach_release(struct lsp_server *server)
{
    loop_event_stop(&server->attachment.retry);
    server->attachment.waiting = NULL;
}
