/* What labels and heat show: chosen by the client (rsprof/setView). */
#ifndef RSPROF_LSP_VIEW_H
#define RSPROF_LSP_VIEW_H

#include "profile/snapshot.h"
#include "rpc/params.h"

enum view_metric { METRIC_BOTH = 0, METRIC_CPU, METRIC_HEAP };
enum view_attribution { ATTRIBUTION_SELF = 0, ATTRIBUTION_TOTAL };
enum view_period { PERIOD_WINDOW = 0, PERIOD_ATTACH };

struct view {
    int metric;       /* enum view_metric; int because params_parse() writes them */
    int attribution;  /* enum view_attribution */
    int period;       /* enum view_period */
    double min_share; /* of CPU or of live heap: lines below are not shown */
};

#define VIEW_DEFAULT ((struct view){.min_share = 0.001})

/* Changes the members that `params` has. On −EINVAL the view is as it was, and the error says which member is
 * wrong. */
int view_parse(const cJSON *params, struct view *view, struct param_error *ret_error);

/* The two numbers of a line that the view looks at. */
struct view_value {
    double cpu;        /* share of the process's CPU time */
    double heap_bytes; /* live */
};

struct view_value view_value_of(const struct view *view, const struct snapshot_line *line);

/* Standard errors of these two: what they may move by chance. The CPU's is that of a share of so many
 * samples. */
struct view_value view_error_of(const struct view *view, const struct snapshot_line *line);

/* CPU numbers of the period that the view looks at. */
const struct line_cpu *view_cpu_of(const struct view *view, const struct snapshot_line *line);

/* What the numbers are measured against: the largest of any line in your code (of any line, if none is
 * yours), and the heap of the whole process. */
struct view_scale {
    struct view_value hottest;
    double process_heap_bytes;
};

struct view_scale view_scale_of(const struct view *view, const struct snapshot *snapshot);

/* 0…1, relative to the hottest line, by the view's metric. */
double view_heat(const struct view *view, const struct view_scale *scale, struct view_value value);

/* Whether the line is worth showing: its share of CPU or of live heap, whatever the metric asks, is at least
 * `min_share`. */
bool view_shows(const struct view *view, const struct view_scale *scale, struct view_value value,
                double min_share);

#endif
