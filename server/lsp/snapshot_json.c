#include "lsp/snapshot_json.h"

#include "lsp/line_json.h"
#include "lsp/status.h"

static cJSON *line_to_json(const struct snapshot_line *line)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_string(json, "file", line->file) && json_put_number(json, "line", line->line) &&
              json_put_string(json, "function", line->function) &&
              json_put_item(json, "cpu", line_cpu_to_json(&line->since_attach)) &&
              json_put_item(json, "heap", line_heap_to_json(&line->heap));
    return json_finish(json, ok);
}

static cJSON *lines_to_json(const struct snapshot *snapshot)
{
    cJSON *json = cJSON_CreateArray();
    bool ok = json != NULL;
    for (size_t i = 0; ok && i < snapshot->line_count; i++)
        ok = json_append(json, line_to_json(&snapshot->lines[i]));
    return json_finish(json, ok);
}

cJSON *snapshot_to_json(const struct snapshot *snapshot, const struct session_status *status)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_number(json, "pid", status->pid) && json_put_string(json, "exe", status->exe) &&
              json_put_fraction(json, "durationSec", snapshot->duration_sec) &&
              json_put_item(json, "status", status_to_json(status)) &&
              json_put_item(json, "lines", lines_to_json(snapshot));
    return json_finish(json, ok);
}
