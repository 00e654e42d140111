#include "lsp/view.h"

#include <math.h>
#include <stddef.h>

static const char *const metric_names[] = {
    [METRIC_BOTH] = "both", [METRIC_CPU] = "cpu", [METRIC_HEAP] = "heap", NULL};
static const char *const attribution_names[] = {
    [ATTRIBUTION_SELF] = "self", [ATTRIBUTION_TOTAL] = "total", NULL};
static const char *const period_names[] = {[PERIOD_WINDOW] = "window", [PERIOD_ATTACH] = "attach", NULL};

int view_parse(const cJSON *params, struct view *view, struct param_error *ret_error)
{
    static const struct param_field fields[] = {
        {"metric", PARAM_ENUM, offsetof(struct view, metric), .names = metric_names},
        {"attribution", PARAM_ENUM, offsetof(struct view, attribution), .names = attribution_names},
        {"period", PARAM_ENUM, offsetof(struct view, period), .names = period_names},
        {"minShare", PARAM_DOUBLE, offsetof(struct view, min_share), .min = 0, .max = 1},
    };
    return params_parse(params, fields, ARRAY_LEN(fields), view, ret_error);
}

const struct line_cpu *view_cpu_of(const struct view *view, const struct snapshot_line *line)
{
    return view->period == PERIOD_ATTACH ? &line->since_attach : &line->window;
}

struct view_value view_value_of(const struct view *view, const struct snapshot_line *line)
{
    const struct line_cpu *cpu = view_cpu_of(view, line);
    if (view->attribution == ATTRIBUTION_TOTAL)
        return (struct view_value){cpu->total, line->heap.live_bytes};
    return (struct view_value){cpu->self, line->heap.self_live_bytes};
}

struct view_value view_error_of(const struct view *view, const struct snapshot_line *line)
{
    const struct line_cpu *cpu = view_cpu_of(view, line);
    struct view_value value = view_value_of(view, line), error = {0};
    double samples = cpu->total > 0 ? (double)cpu->samples / cpu->total : 0; /* of the whole process */
    if (samples > 0 && value.cpu > 0 && value.cpu < 1)
        error.cpu = sqrt(value.cpu * (1 - value.cpu) / samples);
    error.heap_bytes = value.heap_bytes * line->heap.rel_std_err;
    return error;
}

static void raise_to(struct view_value *most, struct view_value value)
{
    if (value.cpu > most->cpu)
        most->cpu = value.cpu;
    if (value.heap_bytes > most->heap_bytes)
        most->heap_bytes = value.heap_bytes;
}

struct view_scale view_scale_of(const struct view *view, const struct snapshot *snapshot)
{
    struct view_scale scale = {.process_heap_bytes = snapshot->heap.live_bytes};
    struct view_value any = {0};
    bool yours = false;
    for (size_t i = 0; i < snapshot->line_count; i++) {
        const struct snapshot_line *line = &snapshot->lines[i];
        struct view_value value = view_value_of(view, line);
        raise_to(&any, value);
        if (line->yours) {
            yours = true;
            raise_to(&scale.hottest, value);
        }
    }
    if (!yours)
        scale.hottest = any;
    return scale;
}

static double ratio(double part, double whole)
{
    if (whole <= 0 || part <= 0)
        return 0;
    return part >= whole ? 1 : part / whole;
}

double view_heat(const struct view *view, const struct view_scale *scale, struct view_value value)
{
    double cpu = view->metric == METRIC_HEAP ? 0 : ratio(value.cpu, scale->hottest.cpu);
    double heap = view->metric == METRIC_CPU ? 0 : ratio(value.heap_bytes, scale->hottest.heap_bytes);
    return cpu > heap ? cpu : heap;
}

bool view_shows(const struct view *view, const struct view_scale *scale, struct view_value value,
                double min_share)
{
    double heap_share = ratio(value.heap_bytes, scale->process_heap_bytes);
    return (view->metric != METRIC_HEAP && value.cpu > 0 && value.cpu >= min_share) ||
           (view->metric != METRIC_CPU && heap_share > 0 && heap_share >= min_share);
}
