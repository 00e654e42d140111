#include "lsp/progress.h"

#include "lsp/protocol.h"
#include "lsp/server_state.h"

static void send_value(struct lsp_server *server, cJSON *value, bool ok, bool is_report)
{
    cJSON *params = cJSON_CreateObject();
    ok = json_put_item(params, "value", value) && ok;
    ok = json_put_string(params, "token", PROGRESS_TOKEN) && ok;
    params = json_finish(params, ok);
    if (!params)
        return;
    if (is_report)
        rpc_notify_state(server->rpc, "$/progress", PROGRESS_TOKEN, params);
    else
        rpc_notify(server->rpc, "$/progress", params);
}

static void send_begin(struct lsp_server *server)
{
    cJSON *value = cJSON_CreateObject();
    bool ok = json_put_string(value, "kind", "begin") &&
              json_put_string(value, "title", "rsprof: loading symbols") &&
              json_put_bool(value, "cancellable", false) && json_put_number(value, "percentage", 0);
    send_value(server, value, ok, false);
}

static void send_report(struct lsp_server *server)
{
    cJSON *value = cJSON_CreateObject();
    bool ok = json_put_string(value, "kind", "report") &&
              json_put_number(value, "percentage", server->progress.percentage);
    send_value(server, value, ok, true);
}

static void send_end(struct lsp_server *server)
{
    cJSON *value = cJSON_CreateObject();
    send_value(server, value, json_put_string(value, "kind", "end"), false);
}

static bool is_loading(struct lsp_server *server)
{
    const struct session_status *status = session_status(server->session);
    return status->state == SESSION_ATTACHING ||
           (status->state == SESSION_RUNNING && status->symbols.progress < 1);
}

static void on_created(void *userdata, const cJSON *result, const cJSON *error)
{
    struct lsp_server *server = userdata;
    bool created = result && !error;
    if (server->progress.phase != PROGRESS_CREATING)
        return;
    if (!created || !is_loading(server)) {
        server->progress.phase = PROGRESS_IDLE;
        return;
    }
    server->progress = (struct progress){.phase = PROGRESS_SHOWN};
    send_begin(server);
}

static void create(struct lsp_server *server)
{
    cJSON *params = cJSON_CreateObject();
    params = json_finish(params, json_put_string(params, "token", PROGRESS_TOKEN));
    server->progress.phase = PROGRESS_CREATING;
    if (!params || rpc_call(server->rpc, "window/workDoneProgress/create", params, on_created, server) < 0)
        server->progress.phase = PROGRESS_IDLE;
}

void progress_start(struct lsp_server *server)
{
    if (server->progress.phase == PROGRESS_IDLE && server->client.progress)
        server->progress.phase = PROGRESS_WANTED;
}

void progress_update(struct lsp_server *server)
{
    struct progress *progress = &server->progress;
    bool loading = is_loading(server);
    if (progress->phase == PROGRESS_WANTED) {
        if (loading)
            create(server);
        else
            progress->phase = PROGRESS_IDLE;
        return;
    }
    if (progress->phase != PROGRESS_SHOWN)
        return;
    int percentage = (int)(session_status(server->session)->symbols.progress * 100);
    if (!loading) {
        progress->phase = PROGRESS_IDLE;
        send_end(server);
    } else if (percentage > progress->percentage) {
        progress->percentage = percentage;
        send_report(server);
    }
}
