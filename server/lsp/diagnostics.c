#include "lsp/diagnostics.h"

#include "lsp/positions.h"
#include "lsp/server_state.h"

enum { SEVERITY_HINT = 4 };

static bool is_hot(const struct lsp_server *server, const struct annotation *line)
{
    const struct snapshot *snapshot = session_snapshot(server->session);
    bool total = server->settings.view.attribution == ATTRIBUTION_TOTAL;
    double cpu = total ? line->cpu.total : line->cpu.self;
    double heap = total ? line->heap.live_bytes : line->heap.self_live_bytes;
    double least = server->settings.diagnostics_min_share;
    return cpu >= least || (snapshot->heap.live_bytes > 0 && heap / snapshot->heap.live_bytes >= least);
}

static cJSON *diagnostic_to_json(const struct document *document, const struct annotation *line,
                                 enum position_encoding encoding)
{
    const char *label = line->label.text;
    while (*label == ' ')
        label++;
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_item(json, "range", line_range_to_json(&document->text, line->line, encoding)) &&
              json_put_number(json, "severity", SEVERITY_HINT) && json_put_string(json, "source", "rsprof") &&
              json_put_string(json, "message", label);
    return json_finish(json, ok);
}

static void send_list(struct lsp_server *server, const struct document *document, cJSON *list, bool ok)
{
    cJSON *params = cJSON_CreateObject();
    ok = json_put_item(params, "diagnostics", list) && ok;
    ok = ok && json_put_string(params, "uri", document->uri);
    params = json_finish(params, ok);
    if (params)
        rpc_notify_state(server->rpc, "textDocument/publishDiagnostics", document->uri, params);
}

void diagnostics_publish(struct lsp_server *server, const struct document *document,
                         const struct annotations *annotations)
{
    if (server->settings.diagnostics_min_share <= 0)
        return;
    cJSON *list = cJSON_CreateArray();
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < annotations->lines.len; i++) {
        const struct annotation *line = &annotations->lines.items[i];
        if (is_hot(server, line))
            ok = json_append(list, diagnostic_to_json(document, line, server->client.encoding));
    }
    send_list(server, document, list, ok);
}

void diagnostics_clear(struct lsp_server *server, const struct document *document)
{
    cJSON *list = cJSON_CreateArray();
    send_list(server, document, list, list != NULL);
}
