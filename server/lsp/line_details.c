#include "lsp/line_details.h"

#include "base/cleanup.h"
#include "lsp/line_json.h"
#include "lsp/server_state.h"
#include "lsp/uri.h"

#include <string.h>
#include <unistd.h>

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
    char *path OWNED_MEM = NULL;
    if (line == UINT32_MAX || uri_to_path(uri, &path) < 0)
        return false;
    uint32_t build_line = document ? document_build_of_line(document, line) : line + 1;
    const struct snapshot_line *source =
        build_line ? find_line(snapshot, path, document ? document->real_path : path, build_line) : NULL;
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

/* Where a line of the build is now: in the open document, or else in the file. False if it is nowhere, as are
 * the sources of Rust's own library where they are not installed. */
static bool locate(const struct lsp_server *server, const char *file, uint32_t build_line, char **ret_uri,
                   uint32_t *ret_line)
{
    struct document *document = documents_find_path(&server->documents, file);
    uint32_t line = document ? document_line_of_build(document, build_line) : build_line - 1;
    if (!build_line || line == DOCUMENT_NO_LINE || (!document && access(file, R_OK) < 0) ||
        uri_from_path(file, ret_uri) < 0)
        return false;
    *ret_line = line;
    return true;
}

static cJSON *relation_to_json(const struct lsp_server *server, const struct session_relation *relation)
{
    char *uri OWNED_MEM = NULL;
    uint32_t line;
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_string(json, "function", relation->function) &&
              json_put_fraction(json, "share", relation->share);
    if (*relation->file && locate(server, relation->file, relation->line, &uri, &line))
        ok = ok && json_put_string(json, "uri", uri) && json_put_number(json, "line", line);
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

/* The snapshot has it as a share of the whole process, people want to know it of the line. */
static double kernel_share(const struct line_cpu *cpu)
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
              json_put_fraction(cpu_json, "kernelShare", kernel_share(cpu));
    ok = json_put_item(json, "cpu", cpu_json) && ok;
    ok = ok && json_put_string(json, "uri", details->uri) && json_put_number(json, "line", details->line) &&
         json_put_string(json, "function", source->function) &&
         json_put_fraction(json, "heat", details->heat) && json_put_string(json, "label", label.text) &&
         json_put_item(json, "heap", line_heap_to_json(&source->heap)) &&
         json_put_item(json, "callers", relations_to_json(server, details->callers, details->caller_count)) &&
         json_put_item(json, "callees", relations_to_json(server, details->callees, details->callee_count));
    return json_finish(json, ok);
}

static int append_cpu(struct buf *out, const struct line_details *details, const struct line_cpu *cpu)
{
    char self[LABEL_MAX], total[LABEL_MAX], kernel[LABEL_MAX];
    if (!cpu->samples)
        return 0;
    label_format_share(cpu->self, self);
    label_format_share(cpu->total, total);
    label_format_share(kernel_share(cpu), kernel);
    return buf_appendf(out, "CPU: %s self, %s total (%.2f cores, %s of it in the kernel)\n\n",
                       *self ? self : "0%", *total ? total : "0%", cpu->total * details->process_cores,
                       *kernel ? kernel : "0%");
}

static int append_heap(struct buf *out, const struct line_heap *heap)
{
    char self[LABEL_MAX], total[LABEL_MAX], rate[LABEL_MAX], error[LABEL_MAX] = "";
    if (heap->live_bytes < 1 && heap->alloc_bytes_per_sec < 1)
        return 0;
    label_format_bytes(heap->self_live_bytes, self);
    label_format_bytes(heap->live_bytes, total);
    label_format_bytes(heap->alloc_bytes_per_sec, rate);
    if (heap->rel_std_err > 0)
        snprintf(error, sizeof(error), " ± %.1f%%", heap->rel_std_err * 100);
    return buf_appendf(out, "Heap: %s self, %s total%s in %.0f blocks; allocates %s/s in %.0f blocks/s\n\n",
                       self, total, error, heap->live_blocks, rate, heap->allocs_per_sec);
}

static int append_relation(struct buf *out, const struct lsp_server *server,
                           const struct session_relation *relation, bool markdown)
{
    char *uri OWNED_MEM = NULL, share[LABEL_MAX];
    const char *name = *relation->function ? relation->function : "?";
    uint32_t line;
    label_format_share(relation->share, share);
    if (!*relation->file || !locate(server, relation->file, relation->line, &uri, &line))
        return buf_appendf(out, markdown ? "- %s `%s`\n" : "  %s %s\n", share, name);
    if (!markdown)
        return buf_appendf(out, "  %s %s (line %u)\n", share, name, (unsigned)line + 1);
    return buf_appendf(out, "- %s [`%s`](%s#L%u)\n", share, name, uri, (unsigned)line + 1);
}

static int append_relations(struct buf *out, const struct lsp_server *server, const char *title,
                            const struct session_relation *relations, size_t count)
{
    bool markdown = server->client.markdown;
    int r = count ? buf_appendf(out, markdown ? "%s:\n\n" : "%s:\n", title) : 0;
    for (size_t i = 0; i < count && r >= 0; i++)
        r = append_relation(out, server, &relations[i], markdown);
    return count && r >= 0 ? buf_append_str(out, "\n") : r;
}

cJSON *line_details_to_hover(struct lsp_server *server, const struct line_details *details)
{
    struct buf text OWNED_BUF = BUF_INIT;
    const struct snapshot_line *source = details->source;
    bool markdown = server->client.markdown;
    int r = buf_appendf(&text, markdown ? "**rsprof** `%s`\n\n" : "rsprof: %s\n\n", source->function);
    if (r >= 0)
        r = append_cpu(&text, details, view_cpu_of(&server->settings.view, source));
    if (r >= 0)
        r = append_heap(&text, &source->heap);
    if (r >= 0)
        r = append_relations(&text, server, "Called from", details->callers, details->caller_count);
    if (r >= 0)
        r = append_relations(&text, server, "Calls", details->callees, details->callee_count);
    if (r < 0)
        return NULL;
    cJSON *json = cJSON_CreateObject(), *contents = cJSON_CreateObject();
    bool ok = json_put_string(contents, "kind", markdown ? "markdown" : "plaintext") &&
              json_put_string(contents, "value", text.data);
    ok = json_put_item(json, "contents", contents) && ok;
    return json_finish(json, ok);
}
