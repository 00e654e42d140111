#include "base/cleanup.h"
#include "lsp/line_hover.h"
#include "lsp/methods.h"
#include "lsp/positions.h"
#include "lsp/server_state.h"
#include "rpc/params.h"

#include <errno.h>
#include <string.h>

/* Finds the open document that `params.textDocument.uri` names. Answers the request itself and returns NULL
 * where there is nothing to show: a document that is not open has no hints. */
static struct document *find_document(struct lsp_server *server, struct rpc_request *request)
{
    const char *uri = NULL;
    static const struct param_field fields[] = {{"textDocument.uri", PARAM_STRING, 0, .required = true}};
    struct param_error error;
    if (params_parse(rpc_request_params(request), fields, ARRAY_LEN(fields), &uri, &error) < 0) {
        answer_invalid_params(request, error.message);
        return NULL;
    }
    struct document *document = documents_find(&server->documents, uri);
    if (!document)
        rpc_answer(request, cJSON_CreateNull());
    return document;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

static cJSON *hint_to_json(const struct lsp_server *server, const struct document *document,
                           const struct annotation *annotation)
{
    struct text_position end = {annotation->line,
                                text_line_units(&document->text, annotation->line, server->client.encoding)};
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_item(json, "position", position_to_json(end)) &&
              json_put_string(json, "label", skip_blanks(annotation->label.text)) &&
              json_put_bool(json, "paddingLeft", true);
    return json_finish(json, ok);
}

void method_inlay_hint(struct lsp_server *server, struct rpc_request *request)
{
    struct text_position start, end;
    const cJSON *params = rpc_request_params(request);
    if (!position_from_json(json_get_path(params, "range.start"), &start) ||
        !position_from_json(json_get_path(params, "range.end"), &end)) {
        answer_invalid_params(request, "'range' is missing or is no range");
        return;
    }
    struct document *document = find_document(server, request);
    if (!document)
        return;
    const struct annotations *annotations = publish_annotations_of(document);
    cJSON *list = cJSON_CreateArray();
    bool ok = annotations && list;
    for (size_t i = 0; ok && i < annotations->lines.len; i++) {
        const struct annotation *annotation = &annotations->lines.items[i];
        if (annotation->line >= start.line && annotation->line <= end.line)
            ok = json_append(list, hint_to_json(server, document, annotation));
    }
    rpc_answer(request, json_finish(list, ok));
}

void method_hover(struct lsp_server *server, struct rpc_request *request)
{
    struct text_position position;
    struct line_details details;
    if (!position_from_json(json_get(rpc_request_params(request), "position"), &position)) {
        answer_invalid_params(request, "'position' is missing or is no position");
        return;
    }
    const struct document *document = find_document(server, request);
    if (!document)
        return;
    if (line_details_find(server, document->uri, position.line, &details))
        rpc_answer(request, line_hover_to_json(server, &details));
    else
        rpc_answer(request, cJSON_CreateNull());
}

/* A function of the document: the sum of its lines. */
struct function_total {
    const char *name;
    uint32_t first_build_line;
    struct view_value value;
};

struct function_totals {
    VEC(struct function_total) items;
};

static int add_to_totals(struct function_totals *totals, const struct view *view,
                         const struct snapshot_line *line)
{
    struct function_total *found = NULL;
    for (size_t i = 0; i < totals->items.len && !found; i++)
        if (!strcmp(totals->items.items[i].name, line->function))
            found = &totals->items.items[i];
    if (!found) {
        found = vec_push(&totals->items);
        if (!found)
            return -ENOMEM;
        found->name = line->function;
        found->first_build_line = line->line;
    }
    struct view_value value = view_value_of(view, line);
    found->value.cpu += value.cpu;
    found->value.heap_bytes += value.heap_bytes;
    if (line->line < found->first_build_line)
        found->first_build_line = line->line;
    return 0;
}

/* Sums of self over the document's functions: totals of lines of one function cover the same samples, so they
 * do not add up. */
static int collect_totals(struct lsp_server *server, const struct document *document,
                          struct function_totals *totals)
{
    const struct snapshot *snapshot = session_snapshot(server->session);
    struct view view = server->settings.view;
    view.attribution = ATTRIBUTION_SELF;
    int r = 0;
    for (size_t i = 0; i < snapshot->line_count && r == 0; i++) {
        const struct snapshot_line *line = &snapshot->lines[i];
        if (*line->function &&
            (!strcmp(line->file, document->path) || !strcmp(line->file, document->real_path)))
            r = add_to_totals(totals, &view, line);
    }
    return r;
}

static bool declares(struct text_slice line, const char *name, size_t name_len)
{
    for (size_t at = 0; at + 3 + name_len <= line.len; at++)
        if (!memcmp(line.data + at, "fn ", 3) && !memcmp(line.data + at + 3, name, name_len)) {
            const char *after = line.data + at + 3 + name_len;
            return after == line.data + line.len || *after == '(' || *after == '<' || *after == ' ';
        }
    return false;
}

/* The line with `fn name` above the function's first line with numbers; else that line itself. */
static uint32_t declaration_line(struct document *document, const struct function_total *total)
{
    uint32_t first = document_line_of_build(document, total->first_build_line);
    const char *separator = NULL, *next = total->name;
    if (first == DOCUMENT_NO_LINE)
        return first;
    while ((next = strstr(next, "::")) && next[2] != '{') {
        next += 2;
        separator = next;
    }
    const char *name = separator ? separator : total->name;
    size_t name_len = strcspn(name, ":<");
    for (uint32_t line = first + 1; line-- > 0;)
        if (declares(text_line(&document->text, line), name, name_len))
            return line;
    return first;
}

static cJSON *lens_to_json(struct lsp_server *server, struct document *document,
                           const struct function_total *total, uint32_t line)
{
    char title[256];
    struct label label = label_format(server->settings.view.metric, total->value);
    snprintf(title, sizeof(title), "rsprof: %s", skip_blanks(label.text));
    cJSON *json = cJSON_CreateObject(), *command = cJSON_CreateObject();
    bool ok = json_put_string(command, "title", title) && json_put_string(command, "command", "");
    ok = json_put_item(json, "command", command) && ok;
    ok = ok &&
         json_put_item(json, "range", line_range_to_json(&document->text, line, server->client.encoding));
    return json_finish(json, ok);
}

void method_code_lens(struct lsp_server *server, struct rpc_request *request)
{
    struct document *document = find_document(server, request);
    if (!document)
        return;
    struct function_totals totals = {0};
    const struct view *view = &server->settings.view;
    struct view_scale scale = view_scale_of(view, session_snapshot(server->session));
    cJSON *list = cJSON_CreateArray();
    bool ok = list && (!server->settings.code_lens || collect_totals(server, document, &totals) == 0);
    for (size_t i = 0; ok && i < totals.items.len; i++) {
        const struct function_total *total = &totals.items.items[i];
        uint32_t line = declaration_line(document, total);
        if (line != DOCUMENT_NO_LINE && view_shows(view, &scale, total->value, view->min_share))
            ok = json_append(list, lens_to_json(server, document, total, line));
    }
    vec_release(&totals.items);
    rpc_answer(request, json_finish(list, ok));
}
