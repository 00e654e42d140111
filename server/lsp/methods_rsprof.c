#include "base/cleanup.h"
#include "lsp/errors.h"
#include "lsp/export_json.h"
#include "lsp/line_details.h"
#include "lsp/line_json.h"
#include "lsp/location.h"
#include "lsp/methods.h"
#include "lsp/server_state.h"
#include "lsp/snapshot_json.h"
#include "rpc/params.h"

#include <errno.h>

#define PID_LARGEST     4194304 /* the kernel's PID_MAX_LIMIT */
#define HOT_LINES_LIMIT 10000

void answer_invalid_params(struct rpc_request *request, const char *message)
{
    rpc_answer_error(request, RPC_INVALID_PARAMS, message,
                     "Send the parameters that server/PROTOCOL.md describes for this method.");
}

bool require_attached(struct lsp_server *server, struct rpc_request *request)
{
    if (session_status(server->session)->state != SESSION_DETACHED)
        return true;
    errors_answer(request, -ENOTCONN, NULL, NULL);
    return false;
}

void method_list_processes(struct lsp_server *server, struct rpc_request *request)
{
    struct {
        bool all;
    } args = {0};
    static const struct param_field fields[] = {{"all", PARAM_BOOL, 0, .required = false}};
    struct param_error error;
    if (params_parse(rpc_request_params(request), fields, ARRAY_LEN(fields), &args, &error) < 0)
        answer_invalid_params(request, error.message);
    else
        process_query_list(server, request, args.all);
}

void method_attach(struct lsp_server *server, struct rpc_request *request)
{
    uint64_t pid = 0;
    static const struct param_field fields[] = {
        {"pid", PARAM_UINT, 0, .required = true, .min = 1, .max = PID_LARGEST}};
    struct session_options options = server->settings.session;
    struct param_error error;
    const cJSON *params = rpc_request_params(request);
    int r = params_parse(params, fields, ARRAY_LEN(fields), &pid, &error);
    if (r >= 0)
        r = settings_parse_session(params, &options, &error);
    if (r < 0)
        answer_invalid_params(request, error.message);
    else
        attach_start(server, (pid_t)pid, &options, request);
}

void method_detach(struct lsp_server *server, struct rpc_request *request)
{
    attach_detach(server);
    rpc_answer(request, cJSON_CreateNull());
}

void method_reset(struct lsp_server *server, struct rpc_request *request)
{
    if (!require_attached(server, request))
        return;
    session_reset(server->session);
    rpc_answer(request, cJSON_CreateNull());
}

void method_set_view(struct lsp_server *server, struct rpc_request *request)
{
    struct param_error error;
    if (view_parse(rpc_request_params(request), &server->settings.view, &error) < 0) {
        answer_invalid_params(request, error.message);
        return;
    }
    rpc_answer(request, cJSON_CreateNull());
    publish_all(server, PUBLISH_CHANGED);
}

/* One line on its way into the list of the hottest. */
struct hot_line {
    const struct snapshot_line *source;
    double weight;
};

static int hottest_first(const void *a, const void *b)
{
    double left = ((const struct hot_line *)a)->weight, right = ((const struct hot_line *)b)->weight;
    return left > right ? -1 : left < right;
}

/* Lines of your code that the metric has something to say of, hottest first; the caller frees. NULL: out of
 * memory. */
static struct hot_line *collect_hot_lines(const struct snapshot *snapshot, const struct view *view,
                                          size_t *ret_count)
{
    struct hot_line *lines = malloc((snapshot->line_count + 1) * sizeof(*lines));
    size_t count = 0;
    for (size_t i = 0; lines && i < snapshot->line_count; i++) {
        const struct snapshot_line *source = &snapshot->lines[i];
        struct view_value value = view_value_of(view, source);
        double weight = view->metric == METRIC_HEAP ? value.heap_bytes : value.cpu;
        if (source->yours && weight > 0)
            lines[count++] = (struct hot_line){source, weight};
    }
    if (lines)
        qsort(lines, count, sizeof(*lines), hottest_first);
    *ret_count = count;
    return lines;
}

static cJSON *hot_line_to_json(const struct lsp_server *server, const struct snapshot_line *source,
                               const struct location *location, const struct view *heat_view,
                               const struct view_scale *scale)
{
    const struct view *view = &server->settings.view;
    struct label label = label_format(view->metric, view_value_of(view, source));
    cJSON *json = cJSON_CreateObject();
    bool ok =
        json_put_string(json, "uri", location->uri) && json_put_number(json, "line", location->line) &&
        json_put_string(json, "function", source->function) &&
        json_put_fraction(json, "heat", view_heat(heat_view, scale, view_value_of(heat_view, source))) &&
        json_put_string(json, "label", label.text) &&
        json_put_item(json, "cpu", line_cpu_to_json(view_cpu_of(view, source))) &&
        json_put_item(json, "heap", line_heap_to_json(&source->heap));
    return json_finish(json, ok);
}

static cJSON *hot_lines_to_json(const struct lsp_server *server, const struct view *view, size_t limit)
{
    const struct snapshot *snapshot = session_snapshot(server->session);
    struct view_scale scale = view_scale_of(view, snapshot);
    size_t count, written = 0;
    OWNED_MEM struct hot_line *lines = collect_hot_lines(snapshot, view, &count);
    cJSON *json = cJSON_CreateObject(), *list = cJSON_CreateArray();
    bool ok = lines && json && list;
    for (size_t i = 0; ok && i < count && written < limit; i++) {
        const struct snapshot_line *source = lines[i].source;
        OWNED_LOCATION struct location location = {0};
        int r = location_find(&server->documents, source->file, source->line, &location);
        if (r == -ENOENT)
            continue;
        ok = r == 0 && json_append(list, hot_line_to_json(server, source, &location, view, &scale));
        written++;
    }
    ok = json_put_item(json, "lines", list) && ok;
    return json_finish(json, ok);
}

void method_hot_lines(struct lsp_server *server, struct rpc_request *request)
{
    enum { BY_CPU = 0, BY_HEAP };
    static const char *const metrics[] = {[BY_CPU] = "cpu", [BY_HEAP] = "heap", NULL};
    struct hot_args {
        int metric;
        uint64_t limit;
    } args = {.metric = BY_CPU, .limit = 20};
    static const struct param_field fields[] = {
        {"metric", PARAM_ENUM, offsetof(struct hot_args, metric), .names = metrics},
        {"limit", PARAM_UINT, offsetof(struct hot_args, limit), .min = 1, .max = HOT_LINES_LIMIT},
    };
    struct param_error error;
    if (params_parse(rpc_request_params(request), fields, ARRAY_LEN(fields), &args, &error) < 0) {
        answer_invalid_params(request, error.message);
        return;
    }
    if (!require_attached(server, request))
        return;
    struct view view = server->settings.view;
    view.metric = args.metric == BY_CPU ? METRIC_CPU : METRIC_HEAP;
    rpc_answer(request, hot_lines_to_json(server, &view, args.limit));
}

void method_line_details(struct lsp_server *server, struct rpc_request *request)
{
    struct line_args {
        const char *uri;
        uint64_t line;
    } args;
    static const struct param_field fields[] = {
        {"uri", PARAM_STRING, offsetof(struct line_args, uri), .required = true},
        {"line", PARAM_UINT, offsetof(struct line_args, line), .required = true, .min = 0, .max = UINT32_MAX},
    };
    struct param_error error;
    struct line_details details;
    if (params_parse(rpc_request_params(request), fields, ARRAY_LEN(fields), &args, &error) < 0)
        answer_invalid_params(request, error.message);
    else if (!line_details_find(server, args.uri, (uint32_t)args.line, &details))
        rpc_answer(request, cJSON_CreateNull());
    else
        rpc_answer(request, line_details_to_json(server, &details));
}

void method_snapshot(struct lsp_server *server, struct rpc_request *request)
{
    int format = SNAPSHOT_JSON;
    static const struct param_field fields[] = {{"format", PARAM_ENUM, 0, .names = snapshot_format_names}};
    struct param_error error;
    if (params_parse(rpc_request_params(request), fields, ARRAY_LEN(fields), &format, &error) < 0)
        answer_invalid_params(request, error.message);
    else if (require_attached(server, request))
        rpc_answer(request, format == SNAPSHOT_JSON ? snapshot_to_json(session_snapshot(server->session),
                                                                       session_status(server->session))
                                                    : export_to_json(server->session, format));
}
