#include "lsp/process_query.h"

#include "base/cleanup.h"
#include "lsp/errors.h"
#include "lsp/server_state.h"
#include "session/attach_error.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

/* Choices in a question: more do not fit into an editor's dialog. */
#define CHOICES_MAX 8

struct process_query {
    struct lsp_server *server;
    struct process_query *next;
    struct process_survey *survey;
    struct rpc_request *request; /* NULL: none */
    process_survey_done_fn done;
};

static void query_free(struct process_query *query)
{
    for (struct process_query **link = &query->server->queries; *link; link = &(*link)->next)
        if (*link == query) {
            *link = query->next;
            break;
        }
    free(query);
}

static void on_done(void *userdata, const struct surveyed_process *items, size_t count)
{
    struct process_query *query = userdata;
    void *target = query->request ? (void *)query->request : (void *)query->server;
    process_survey_done_fn done = query->done;
    query_free(query);
    done(target, items, count);
}

static void on_cancel(void *userdata)
{
    struct process_query *query = userdata;
    process_survey_cancel(query->survey);
    query_free(query);
}

int process_query_start(struct lsp_server *server, bool all, process_survey_done_fn done,
                        struct rpc_request *request)
{
    size_t count = 0;
    for (struct process_query *query = server->queries; query; query = query->next)
        count++;
    if (count >= PROCESS_QUERIES_MAX)
        return -EBUSY;
    struct process_query *query = calloc(1, sizeof(*query));
    if (!query)
        return -ENOMEM;
    *query =
        (struct process_query){.server = server, .next = server->queries, .request = request, .done = done};
    server->queries = query;
    int r = process_survey_start(server->loop, (const char *const *)server->folders.items,
                                 server->folders.len, all, on_done, query, &query->survey);
    if (r < 0) {
        query_free(query);
        return r;
    }
    if (request)
        rpc_request_on_cancel(request, on_cancel, query);
    return 0;
}

void process_query_release_all(struct lsp_server *server)
{
    while (server->queries)
        on_cancel(server->queries);
}

static const char *debug_name(const struct surveyed_process *item)
{
    if (!item->known)
        return "unknown";
    return item->debug == DEBUG_LINES ? "lines" : item->debug == DEBUG_NONE ? "none" : "symbols";
}

static bool put_user(cJSON *json, uid_t uid)
{
    char buffer[4096], number[16];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
        return json_put_string(json, "user", found->pw_name);
    snprintf(number, sizeof(number), "%u", (unsigned)uid);
    return json_put_string(json, "user", number);
}

static bool put_attachable(cJSON *json, const struct surveyed_process *item)
{
    char reason[sizeof(struct session_error)];
    struct session_error error;
    if (item->attachable == 0)
        return json_put_bool(json, "attachable", true);
    attach_error_fill(item->attachable, ATTACH_FIND, item->process->pid, &error);
    snprintf(reason, sizeof(reason), "%s %s", error.message, error.hint);
    return json_put_bool(json, "attachable", false) && json_put_string(json, "reason", reason);
}

static cJSON *process_to_json(const struct surveyed_process *item)
{
    const struct process *process = item->process;
    cJSON *json = cJSON_CreateObject();
    bool ok =
        json_put_number(json, "pid", process->pid) && json_put_string(json, "name", process->name) &&
        json_put_string(json, "exe", process->exe) && json_put_string(json, "command", process->command) &&
        put_user(json, process->uid) && json_put_fraction(json, "uptimeSec", process->uptime_sec) &&
        json_put_fraction(json, "cpuCores", item->cpu_cores) && json_put_bool(json, "rust", item->rust) &&
        json_put_string(json, "debugInfo", debug_name(item)) &&
        json_put_bool(json, "workspace", item->workspace) && put_attachable(json, item);
    return json_finish(json, ok);
}

static void answer_list(void *userdata, const struct surveyed_process *items, size_t count)
{
    struct rpc_request *request = userdata;
    cJSON *json = cJSON_CreateObject(), *processes = cJSON_CreateArray();
    bool ok = json && processes;
    for (size_t i = 0; ok && i < count; i++)
        ok = json_append(processes, process_to_json(&items[i]));
    ok = json_put_item(json, "processes", processes) && ok;
    rpc_answer(request, json_finish(json, ok));
}

void process_query_list(struct lsp_server *server, struct rpc_request *request, bool all)
{
    int r = process_query_start(server, all, answer_list, request);
    if (r < 0)
        errors_answer(request, r, r == -EBUSY ? "too many process lists are being made" : NULL,
                      r == -EBUSY ? "Wait for the answers to the earlier requests." : NULL);
}

static void on_choice(void *userdata, const cJSON *result, const cJSON *error)
{
    struct lsp_server *server = userdata;
    const cJSON *title = json_get(result, "title");
    int pid;
    (void)error;
    if (!cJSON_IsString(title))
        return;
    const char *number = strrchr(title->valuestring, '(');
    if (number && sscanf(number, "(%d)", &pid) == 1)
        attach_start(server, (pid_t)pid, &server->settings.session, NULL);
}

static cJSON *choice_to_json(const struct surveyed_process *item)
{
    char title[64];
    cJSON *json = cJSON_CreateObject();
    snprintf(title, sizeof(title), "%s (%d)", item->process->name, (int)item->process->pid);
    return json_finish(json, json_put_string(json, "title", title));
}

static void ask(void *userdata, const struct surveyed_process *items, size_t count)
{
    struct lsp_server *server = userdata;
    cJSON *json = cJSON_CreateObject(), *actions = cJSON_CreateArray();
    bool ok = json && actions;
    size_t choices = 0;
    for (size_t i = 0; ok && i < count && choices < CHOICES_MAX; i++)
        if (items[i].attachable == 0) {
            ok = json_append(actions, choice_to_json(&items[i]));
            choices++;
        }
    const char *message = choices ? "Attach rsprof to which process?"
                                  : "rsprof: no Rust process of yours runs. Start one, then try again.";
    ok = json_put_item(json, "actions", actions) && ok;
    ok = ok && json_put_number(json, "type", MESSAGE_INFO) && json_put_string(json, "message", message);
    json = json_finish(json, ok);
    if (!json)
        return;
    if (choices) {
        rpc_call(server->rpc, "window/showMessageRequest", json, on_choice, server);
        return;
    }
    cJSON_Delete(json);
    server_show_message(server, MESSAGE_WARNING, message);
}

void process_query_ask(struct lsp_server *server)
{
    if (process_query_start(server, false, ask, NULL) < 0)
        server_show_message(server, MESSAGE_WARNING,
                            "rsprof: the processes could not be listed. Try again in a moment.");
}
