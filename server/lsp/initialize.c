#include "base/cleanup.h"
#include "lsp/methods.h"
#include "lsp/parent.h"
#include "lsp/protocol.h"
#include "lsp/server_state.h"
#include "lsp/workspace.h"

#include <errno.h>
#include <stdio.h>

/* Folders: workspaceFolders, else rootUri. */
static int take_folders(struct lsp_server *server, const cJSON *params)
{
    const cJSON *folders = json_get(params, "workspaceFolders"), *root = json_get(params, "rootUri"), *folder;
    int r = 0;
    cJSON_ArrayForEach (folder, folders) {
        const cJSON *uri = json_get(folder, "uri");
        if (r >= 0 && cJSON_IsString(uri))
            r = workspace_add_folder(server, uri->valuestring);
    }
    if (r >= 0 && !server->folders.len && cJSON_IsString(root))
        r = workspace_add_folder(server, root->valuestring);
    return r < 0 ? r : workspace_apply(server);
}

static cJSON *server_info_to_json(void)
{
    cJSON *json = cJSON_CreateObject();
    return json_finish(json, json_put_string(json, "name", "rsprof") &&
                                 json_put_string(json, "version", RSPROF_VERSION));
}

static cJSON *sync_to_json(void)
{
    enum { SYNC_INCREMENTAL = 2 };
    cJSON *json = cJSON_CreateObject(), *save = cJSON_CreateObject();
    bool ok = json_put_bool(json, "openClose", true) && json_put_number(json, "change", SYNC_INCREMENTAL);
    ok = json_put_bool(save, "includeText", false) && ok;
    ok = json_put_item(json, "save", save) && ok;
    return json_finish(json, ok);
}

static cJSON *workspace_to_json(void)
{
    cJSON *json = cJSON_CreateObject(), *folders = cJSON_CreateObject();
    bool ok =
        json_put_bool(folders, "supported", true) && json_put_bool(folders, "changeNotifications", true);
    ok = json_put_item(json, "workspaceFolders", folders) && ok;
    return json_finish(json, ok);
}

static cJSON *experimental_to_json(void)
{
    cJSON *json = cJSON_CreateObject(), *rsprof = cJSON_CreateObject();
    bool ok = json_put_number(rsprof, "protocol", RSPROF_PROTOCOL_VERSION);
    ok = json_put_item(json, "rsprof", rsprof) && ok;
    return json_finish(json, ok);
}

static cJSON *commands_to_json(void)
{
    static const char *const commands[] = {COMMAND_ATTACH, COMMAND_DETACH, COMMAND_RESET};
    cJSON *json = cJSON_CreateObject();
    return json_finish(
        json, json_put_item(json, "commands", cJSON_CreateStringArray(commands, ARRAY_LEN(commands))));
}

/* What a standard client is offered. A client that draws annotations by itself would show everything twice.
 */
static bool put_standard_features(cJSON *json)
{
    return json_put_bool(json, "inlayHintProvider", true) && json_put_bool(json, "hoverProvider", true) &&
           json_put_item(json, "codeLensProvider", cJSON_CreateObject()) &&
           json_put_item(json, "executeCommandProvider", commands_to_json());
}

static cJSON *capabilities_to_json(const struct lsp_server *server)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_string(json, "positionEncoding", position_encoding_name(server->client.encoding)) &&
              json_put_item(json, "textDocumentSync", sync_to_json()) &&
              json_put_item(json, "workspace", workspace_to_json()) &&
              json_put_item(json, "experimental", experimental_to_json());
    if (!server->client.annotations)
        ok = ok && put_standard_features(json);
    return json_finish(json, ok);
}

static cJSON *result_to_json(const struct lsp_server *server)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_item(json, "serverInfo", server_info_to_json()) &&
              json_put_item(json, "capabilities", capabilities_to_json(server));
    return json_finish(json, ok);
}

void method_initialize(struct lsp_server *server, struct rpc_request *request)
{
    const cJSON *params = rpc_request_params(request), *process_id = json_get(params, "processId");
    const cJSON *options = json_get(params, "initializationOptions");
    struct param_error error = {"out of memory"};
    if (!cJSON_IsObject(json_get(params, "capabilities"))) {
        answer_invalid_params(request, "'capabilities' is missing: it must be an object");
        return;
    }
    int r = settings_parse(options, &server->settings, &error);
    if (r >= 0)
        r = workspace_map_sources(server, options, &error);
    if (r >= 0)
        r = take_folders(server, params);
    if (r < 0) {
        answer_invalid_params(request, error.message);
        return;
    }
    server->client = client_parse(params);
    server->documents.encoding = server->client.encoding;
    server->phase = PHASE_INITIALIZED;
    double parent = cJSON_IsNumber(process_id) ? process_id->valuedouble : 0;
    rpc_answer(request, result_to_json(server)); /* the params are gone after this */
    if (parent > 0)
        parent_watch(server, parent);
}
