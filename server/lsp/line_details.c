#include "lsp/line_details.h"

#include "base/cleanup.h"
#include "lsp/line_json.h"
#include "lsp/location.h"
#include "lsp/server_state.h"
#include "lsp/uri.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct snapshot_line *find_line(const struct snapshot *snapshot, const char *path,
                                             const char *real_path, uint32_t line)
{
    for (size_t i = 0; i < snapshot->line_count; i++) {
        const struct snapshot_line *candidate = &snapshot->lines[i];
        if (candidate->line == line &&
            (!strcmp(candidate->file, path) || !strcmp(candidate->file, real_path)))
            return candidate;
    }
    return NULL;
}

bool line_details_find(struct lsp_server *server, const char *uri, uint32_t line,
                       struct line_details *ret_details)
{
    const struct document *document = documents_find(&server->documents, uri);
    const struct snapshot *snapshot = session_snapshot(server->session);
    OWNED_MEM char *path = NULL;
    if (line == UINT32_MAX || uri_to_path(uri, &path) < 0)
        return false;
    char resolved[PATH_MAX];
    const char *real_path = realpath(path, resolved) ? resolved : path;
    uint32_t build_line = document ? document_build_of_line(document, line) : line + 1;
    const struct snapshot_line *source = build_line ? find_line(snapshot, path, real_path, build_line) : NULL;
    if (!source)
        return false;
    const struct view *view = &server->settings.view;
    struct view_scale scale = view_scale_of(view, snapshot);
    struct line_details details = {.uri = uri, .line = line, .source = source};
    details.heat = view_heat(view, &scale, view_value_of(view, source));
    details.process_cores = snapshot->process_cores;
    details.caller_count =
        session_callers(server->session, source->file, source->line, details.callers, DETAILS_RELATIONS_MAX);
    details.callee_count =
        session_callees(server->session, source->file, source->line, details.callees, DETAILS_RELATIONS_MAX);
    *ret_details = details;
    return true;
}

static cJSON *relation_to_json(const struct lsp_server *server, const struct session_relation *relation)
{
    OWNED_LOCATION struct location location = {0};
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_string(json, "function", relation->function) &&
              json_put_fraction(json, "share", relation->share);
    if (location_find_readable(&server->documents, relation->file, relation->line, &location) == 0)
        ok = ok && json_put_string(json, "uri", location.uri) && json_put_number(json, "line", location.line);
    return json_finish(json, ok);
}

static cJSON *relations_to_json(const struct lsp_server *server, const struct session_relation *relations,
                                size_t count)
{
    cJSON *json = cJSON_CreateArray();
    bool ok = json != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = json_append(json, relation_to_json(server, &relations[i]));
    return json_finish(json, ok);
}

double line_details_kernel_share(const struct line_cpu *cpu)
{
    return cpu->total > 0 ? cpu->kernel / cpu->total : 0;
}

cJSON *line_details_to_json(struct lsp_server *server, const struct line_details *details)
{
    const struct snapshot_line *source = details->source;
    const struct view *view = &server->settings.view;
    const struct line_cpu *cpu = view_cpu_of(view, source);
    struct label label = label_format(view->metric, view_value_of(view, source));
    cJSON *json = cJSON_CreateObject(), *cpu_json = line_cpu_to_json(cpu);
    bool ok = json_put_fraction(cpu_json, "cores", cpu->total * details->process_cores) &&
              json_put_fraction(cpu_json, "kernelShare", line_details_kernel_share(cpu));
    ok = json_put_item(json, "cpu", cpu_json) && ok;
    ok = ok && json_put_string(json, "uri", details->uri) && json_put_number(json, "line", details->line) &&
         json_put_string(json, "function", source->function) &&
         json_put_fraction(json, "heat", details->heat) && json_put_string(json, "label", label.text) &&
         json_put_item(json, "heap", line_heap_to_json(&source->heap)) &&
         json_put_item(json, "callers", relations_to_json(server, details->callers, details->caller_count)) &&
         json_put_item(json, "callees", relations_to_json(server, details->callees, details->callee_count));
    return json_finish(json, ok);
}
