#include "lsp/annotations.h"

#include "lsp/line_json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* A value moved noticeably when it changed by more than these, and by more than its standard error. */
#define CPU_STEP      0.003
#define CPU_STEP_REL  0.05
#define HEAP_STEP_REL 0.02
#define HEAT_STEP     0.1
/* A line that is shown stays down to this part of the threshold. */
#define STAY_FACTOR 0.7

int annotations_new(struct annotations **ret_annotations)
{
    struct annotations *annotations = calloc(1, sizeof(*annotations));
    if (!annotations)
        return -ENOMEM;
    *ret_annotations = annotations;
    return 0;
}

void annotations_free(struct annotations *annotations)
{
    if (!annotations)
        return;
    vec_release(&annotations->lines);
    vec_release(&annotations->shown);
    vec_release(&annotations->pending);
    free(annotations);
}

void annotations_begin(struct annotations *annotations)
{
    annotations->pending.len = 0;
}

int annotations_add(struct annotations *annotations, const struct snapshot_line *line)
{
    const struct snapshot_line **slot = vec_push(&annotations->pending);
    if (!slot)
        return -ENOMEM;
    *slot = line;
    return 0;
}

static bool moved(double from, double to, double step, double step_rel)
{
    double larger = from > to ? from : to, relative = step_rel * larger;
    return fabs(to - from) > (step > relative ? step : relative);
}

static bool moved_noticeably(const struct view *view, struct view_value from, struct view_value to,
                             struct view_value error)
{
    double cpu_step = error.cpu > CPU_STEP ? error.cpu : CPU_STEP;
    return (view->metric != METRIC_HEAP && moved(from.cpu, to.cpu, cpu_step, CPU_STEP_REL)) ||
           (view->metric != METRIC_CPU &&
            moved(from.heap_bytes, to.heap_bytes, error.heap_bytes, HEAP_STEP_REL));
}

static bool same_label(const struct label *a, const struct label *b)
{
    return !strcmp(a->text, b->text);
}

/* Decides whether a line that is shown already shows the new value. */
static void settle(struct shown_line *shown, const struct view *view, const struct snapshot_line *source,
                   struct view_value value, double heat)
{
    struct label label = label_format(view->metric, value);
    bool show = false;
    if (same_label(&label, &shown->label)) {
        shown->next_ticks = 0;
    } else if (moved_noticeably(view, shown->value, value, view_error_of(view, source))) {
        show = true;
    } else {
        shown->next_ticks = same_label(&label, &shown->next) ? shown->next_ticks + 1 : 1;
        shown->next = label;
        show = shown->next_ticks >= ANNOTATION_SETTLE_TICKS;
    }
    if (show) {
        shown->value = value;
        shown->label = label;
        shown->next_ticks = 0;
    }
    if (show || fabs(heat - shown->heat) >= HEAT_STEP)
        shown->heat = heat;
}

static struct shown_line show_first(uint32_t build_line, const struct view *view, struct view_value value,
                                    double heat)
{
    return (struct shown_line){
        .build_line = build_line, .value = value, .heat = heat, .label = label_format(view->metric, value)};
}

static int by_build_line(const void *a, const void *b)
{
    uint32_t left = (*(const struct snapshot_line *const *)a)->line;
    uint32_t right = (*(const struct snapshot_line *const *)b)->line;
    return left < right ? -1 : left > right;
}

static int by_line(const void *a, const void *b)
{
    uint32_t left = ((const struct annotation *)a)->line, right = ((const struct annotation *)b)->line;
    return left < right ? -1 : left > right;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *data = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ data[i]) * 1099511628211ull; /* FNV-1a */
    return hash;
}

/* 0 for nothing at all, so that a document without annotations needs no message. */
static uint64_t hash_drawn(const struct annotations *annotations, bool stale)
{
    if (!annotations->lines.len && !stale)
        return 0;
    uint64_t hash = hash_bytes(14695981039346656037ull, &stale, sizeof(stale));
    for (size_t i = 0; i < annotations->lines.len; i++) {
        const struct annotation *line = &annotations->lines.items[i];
        hash = hash_bytes(hash, &line->line, sizeof(line->line));
        hash = hash_bytes(hash, &line->heat, sizeof(line->heat));
        hash = hash_bytes(hash, line->label.text, strlen(line->label.text));
    }
    return hash | 1;
}

/* The next state of annotations, while it is being made. */
struct update {
    VEC(struct annotation) lines;
    VEC(struct shown_line) shown;
};

static int add_line(struct update *update, struct document *document, const struct snapshot_line *source,
                    const struct shown_line *shown)
{
    uint32_t line = document_line_of_build(document, source->line);
    struct shown_line *kept = vec_push(&update->shown);
    if (!kept)
        return -ENOMEM;
    *kept = *shown;
    if (line == DOCUMENT_NO_LINE)
        return 0;
    struct annotation *annotation = vec_push(&update->lines);
    if (!annotation)
        return -ENOMEM;
    *annotation =
        (struct annotation){.line = line, .heat = shown->heat, .label = shown->label, .heap = source->heap};
    return 0;
}

static int make_update(const struct annotations *annotations, struct document *document,
                       const struct view *view, const struct view_scale *scale, struct update *update)
{
    size_t next = 0;
    for (size_t i = 0; i < annotations->pending.len; i++) {
        const struct snapshot_line *source = annotations->pending.items[i];
        if (i && annotations->pending.items[i - 1]->line == source->line)
            continue; /* the same file under two names */
        while (next < annotations->shown.len && annotations->shown.items[next].build_line < source->line)
            next++;
        bool was_shown =
            next < annotations->shown.len && annotations->shown.items[next].build_line == source->line;
        struct view_value value = view_value_of(view, source);
        if (!view_shows(view, scale, value, was_shown ? view->min_share * STAY_FACTOR : view->min_share))
            continue;
        double heat = round(view_heat(view, scale, value) * 100) / 100;
        struct shown_line shown =
            was_shown ? annotations->shown.items[next] : show_first(source->line, view, value, heat);
        if (was_shown)
            settle(&shown, view, source, value, heat);
        size_t before = update->lines.len;
        int r = add_line(update, document, source, &shown);
        if (r < 0)
            return r;
        if (update->lines.len > before)
            update->lines.items[before].cpu = *view_cpu_of(view, source);
    }
    return 0;
}

static bool same_view(const struct view *a, const struct view *b)
{
    return a->metric == b->metric && a->attribution == b->attribution && a->period == b->period &&
           a->min_share == b->min_share;
}

int annotations_finish(struct annotations *annotations, struct document *document, const struct view *view,
                       const struct view_scale *scale)
{
    struct update update = {0};
    if (!same_view(&annotations->view, view))
        annotations->shown.len = 0;
    annotations->view = *view;
    if (annotations->pending.len)
        qsort(annotations->pending.items, annotations->pending.len, sizeof(*annotations->pending.items),
              by_build_line);
    int r = make_update(annotations, document, view, scale, &update);
    annotations->pending.len = 0;
    if (r < 0) {
        vec_release(&update.lines);
        vec_release(&update.shown);
        return r;
    }
    if (update.lines.len)
        qsort(update.lines.items, update.lines.len, sizeof(*update.lines.items), by_line);
    free(annotations->lines.items);
    free(annotations->shown.items);
    memcpy(&annotations->lines, &update.lines, sizeof(update.lines));
    memcpy(&annotations->shown, &update.shown, sizeof(update.shown));
    annotations->drawn_hash = hash_drawn(annotations, document->stale);
    return 0;
}

bool annotations_differ_from_sent(const struct annotations *annotations)
{
    return annotations->drawn_hash != annotations->sent_hash;
}

void annotations_mark_sent(struct annotations *annotations)
{
    annotations->sent_hash = annotations->drawn_hash;
}

const struct annotation *annotations_find(const struct annotations *annotations, uint32_t line)
{
    struct annotation key = {.line = line};
    if (!annotations->lines.len)
        return NULL;
    return bsearch(&key, annotations->lines.items, annotations->lines.len, sizeof(key), by_line);
}

static cJSON *annotation_to_json(const struct annotation *annotation)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_number(json, "line", annotation->line) &&
              json_put_fraction(json, "heat", annotation->heat) &&
              json_put_string(json, "label", annotation->label.text) &&
              json_put_item(json, "cpu", line_cpu_to_json(&annotation->cpu)) &&
              json_put_item(json, "heap", line_heap_to_json(&annotation->heap));
    return json_finish(json, ok);
}

cJSON *annotations_to_json(const struct annotations *annotations, const struct document *document)
{
    cJSON *json = cJSON_CreateObject(), *lines = cJSON_CreateArray();
    bool ok = json_put_string(json, "uri", document->uri) &&
              json_put_number(json, "version", (double)document->version) &&
              json_put_bool(json, "stale", document->stale) && lines;
    for (size_t i = 0; ok && i < annotations->lines.len; i++)
        ok = json_append(lines, annotation_to_json(&annotations->lines.items[i]));
    ok = json_put_item(json, "lines", lines) && ok;
    return json_finish(json, ok);
}
