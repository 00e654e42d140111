#include "lsp/line_hover.h"

#include "base/buf.h"
#include "lsp/label.h"
#include "lsp/location.h"
#include "lsp/server_state.h"

#include <stdio.h>

static int append_cpu(struct buf *out, const struct line_details *details, const struct line_cpu *cpu)
{
    char self[LABEL_MAX], total[LABEL_MAX], kernel[LABEL_MAX];
    if (!cpu->samples)
        return 0;
    label_format_share(cpu->self, self);
    label_format_share(cpu->total, total);
    label_format_share(line_details_kernel_share(cpu), kernel);
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
    OWNED_LOCATION struct location location = {0};
    char share[LABEL_MAX];
    const char *name = *relation->function ? relation->function : "?";
    label_format_share(relation->share, share);
    if (location_find_readable(&server->documents, relation->file, relation->line, &location) < 0)
        return buf_appendf(out, markdown ? "- %s `%s`\n" : "  %s %s\n", share, name);
    if (!markdown)
        return buf_appendf(out, "  %s %s (line %u)\n", share, name, location.line + 1);
    return buf_appendf(out, "- %s [`%s`](%s#L%u)\n", share, name, location.uri, location.line + 1);
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

cJSON *line_hover_to_json(struct lsp_server *server, const struct line_details *details)
{
    OWNED_BUF struct buf text = BUF_INIT;
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
