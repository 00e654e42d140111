#include "base/cleanup.h"
#include "lsp/diagnostics.h"
#include "lsp/methods.h"
#include "lsp/positions.h"
#include "lsp/server_state.h"
#include "lsp/workspace.h"

#include <errno.h>
#include <string.h>

static struct document *document_of(const struct lsp_server *server, const cJSON *params)
{
    const cJSON *uri = json_get_path(params, "textDocument.uri");
    return cJSON_IsString(uri) ? documents_find(&server->documents, uri->valuestring) : NULL;
}

static void log_problem(struct lsp_server *server, const char *text)
{
    cJSON *params = cJSON_CreateObject();
    bool ok = json_put_number(params, "type", MESSAGE_WARNING) && json_put_string(params, "message", text);
    params = json_finish(params, ok);
    if (params)
        rpc_notify_optional(server->rpc, "window/logMessage", params);
}

void notify_did_open(struct lsp_server *server, const cJSON *params)
{
    const cJSON *uri = json_get_path(params, "textDocument.uri"),
                *text = json_get_path(params, "textDocument.text");
    const cJSON *version = json_get_path(params, "textDocument.version");
    struct document *document;
    if (!cJSON_IsString(uri) || !cJSON_IsString(text) || !cJSON_IsNumber(version)) {
        log_problem(server, "textDocument/didOpen was ignored: 'textDocument' needs uri, version and text");
        return;
    }
    int r = documents_open(&server->documents, uri->valuestring, version->valueint, text->valuestring,
                           strlen(text->valuestring), &document);
    if (r < 0)
        log_problem(server, r == -E2BIG
                                ? "a document was not opened: too many or too large documents are open"
                                : "a document was not opened: out of memory");
    else
        publish_all(server, PUBLISH_CHANGED);
}

/* Applies one content change: the whole text, or a range of it. */
static int apply_change(struct lsp_server *server, struct document *document, const cJSON *change)
{
    const cJSON *text = json_get(change, "text"), *range = json_get(change, "range");
    struct text_position start, end;
    if (!cJSON_IsString(text))
        return -EINVAL;
    size_t len = strlen(text->valuestring);
    if (!range || cJSON_IsNull(range))
        return documents_replace(&server->documents, document, text->valuestring, len);
    if (!position_from_json(json_get(range, "start"), &start) ||
        !position_from_json(json_get(range, "end"), &end))
        return -EINVAL;
    return documents_edit(&server->documents, document, start, end, text->valuestring, len);
}

void notify_did_change(struct lsp_server *server, const cJSON *params)
{
    struct document *document = document_of(server, params);
    const cJSON *changes = json_get(params, "contentChanges"), *change;
    const cJSON *version = json_get_path(params, "textDocument.version");
    int r = 0;
    if (!document || !cJSON_IsArray(changes)) {
        log_problem(
            server,
            "textDocument/didChange was ignored: the document is not open, or 'contentChanges' is no list");
        return;
    }
    cJSON_ArrayForEach (change, changes) {
        if (r >= 0)
            r = apply_change(server, document, change);
    }
    if (cJSON_IsNumber(version))
        document->version = version->valueint;
    if (r < 0) {
        /* The text here is no longer the client's: better no annotations than annotations on wrong lines. */
        log_problem(
            server,
            "a change of a document could not be applied; close and open it to see annotations again");
        diagnostics_clear(server, document);
        documents_close(&server->documents, document);
    }
}

void notify_did_save(struct lsp_server *server, const cJSON *params)
{
    struct document *document = document_of(server, params);
    if (!document)
        return;
    document_observe_disk(document);
    publish_all(server, PUBLISH_CHANGED);
}

void notify_did_close(struct lsp_server *server, const cJSON *params)
{
    struct document *document = document_of(server, params);
    if (!document)
        return;
    if (server->settings.diagnostics_min_share > 0)
        diagnostics_clear(server, document);
    documents_close(&server->documents, document);
}

/* Takes what `json` has, all of it or nothing. */
static int take_settings(struct lsp_server *server, const cJSON *json, struct param_error *ret_error)
{
    struct settings settings = server->settings;
    int r = settings_parse(json, &settings, ret_error);
    if (r >= 0 && json_get(json, "sourceMap"))
        r = workspace_map_sources(server, json, ret_error);
    if (r >= 0)
        server->settings = settings;
    return r;
}

void notify_configuration(struct lsp_server *server, const cJSON *params)
{
    struct param_error error = {"out of memory"};
    char text[512];
    const cJSON *json = json_get_path(params, "settings.rsprof");
    bool lenses = server->settings.code_lens;
    if (!json || cJSON_IsNull(json))
        return;
    if (take_settings(server, json, &error) < 0) {
        snprintf(text, sizeof(text), "rsprof: the settings were not taken: %s", error.message);
        server_show_message(server, MESSAGE_ERROR, text);
        return;
    }
    publish_all(server, PUBLISH_CHANGED);
    if (server->settings.code_lens != lenses)
        publish_refresh_lenses(server);
    attach_by_itself(server);
}

void notify_workspace_folders(struct lsp_server *server, const cJSON *params)
{
    const cJSON *folder, *removed = json_get_path(params, "event.removed"),
                         *added = json_get_path(params, "event.added");
    cJSON_ArrayForEach (folder, removed) {
        const cJSON *uri = json_get(folder, "uri");
        if (cJSON_IsString(uri) && workspace_remove_folder(server, uri->valuestring) < 0)
            log_problem(server, "a workspace folder was not removed: out of memory");
    }
    cJSON_ArrayForEach (folder, added) {
        const cJSON *uri = json_get(folder, "uri");
        if (cJSON_IsString(uri) && workspace_add_folder(server, uri->valuestring) < 0)
            log_problem(server, "a workspace folder was not added: out of memory");
    }
    if (workspace_apply(server) < 0)
        log_problem(server, "the workspace folders were not changed: out of memory");
}

void notify_set_trace(struct lsp_server *server, const cJSON *params)
{
    server->client.trace = trace_level_parse(json_get(params, "value"));
}
