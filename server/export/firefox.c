/* The "processed profile" format of the Firefox Profiler, version 57, which later ones read too.
 *
 * All threads are one. The order of samples is not known: they lie one after the other, each as long as the
 * CPU time it stands for. Live heap is in the table of native allocations.
 * Source: https://github.com/firefox-devtools/profiler, src/types/profile.ts and
 * docs-developer/CHANGELOG-formats.md */
#include "export/calls.h"
#include "export/formats.h"

#include "base/clock.h"
#include "base/intern.h"
#include "rpc/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define FORMAT_VERSION       57
#define GECKO_FORMAT_VERSION 31

/* The category of a frame is its enum call_kind. */
static const char categories[] = "[{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]},"
                                 "{\"name\":\"Your code\",\"color\":\"green\",\"subcategories\":[\"Other\"]},"
                                 "{\"name\":\"Kernel\",\"color\":\"orange\",\"subcategories\":[\"Other\"]}]";

static const char no_markers[] = "{\"data\":[],\"name\":[],\"startTime\":[],\"endTime\":[],\"phase\":[],"
                                 "\"category\":[],\"length\":0}";
static const char no_resources[] = "{\"lib\":[],\"name\":[],\"host\":[],\"type\":[],\"length\":0}";
static const char no_symbols[] =
    "{\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[],\"length\":0}";

#define NONE (-1) /* null in a column */

/* A column of a table: its numbers, row by row. */
struct column {
    int64_t *items;
    size_t len, capacity;
};

struct firefox {
    const struct export_source *source;
    int error;
    struct intern strings; /* their ids are indices into the array of strings, whose first is "" */
    struct map functions, frames, nodes;
    struct column function_name, function_file;
    struct column frame_function, frame_line, frame_category;
    struct column node_prefix, node_frame; /* of the tree of stacks */
    struct column sample_node, sample_weight;
    struct column block_node, block_bytes;
    /* The calls of physical frame N: rows of frames, from call_row[first_call[N]] up to that of N + 1. */
    struct column call_row, first_call;
};

static void push(struct firefox *firefox, struct column *column, int64_t value)
{
    int64_t *slot = vec_push(column);
    if (slot)
        *slot = value;
    else
        firefox->error = -ENOMEM;
}

static uint32_t string_id(struct firefox *firefox, const char *string)
{
    uint32_t id = 0;
    if (intern_put(&firefox->strings, string, &id) < 0)
        firefox->error = -ENOMEM;
    return id;
}

/* The row of a table with this key; a new one is for the caller to fill in. */
static int64_t row_of(struct firefox *firefox, struct map *rows, int64_t high, int64_t low, bool *ret_new)
{
    uint64_t key = (uint64_t)high << 32 | (uint64_t)low, row;
    *ret_new = map_get(rows, key, &row) < 0;
    if (!*ret_new)
        return (int64_t)row;
    row = rows->len;
    if (map_put(rows, key, row) < 0)
        firefox->error = -ENOMEM;
    return (int64_t)row;
}

static int64_t put_function(struct firefox *firefox, const struct call *call)
{
    int64_t name = string_id(firefox, call->name), file = string_id(firefox, call->file);
    bool is_new;
    int64_t row = row_of(firefox, &firefox->functions, name, file, &is_new);
    if (is_new) {
        push(firefox, &firefox->function_name, name);
        push(firefox, &firefox->function_file, file ? file : NONE);
    }
    return row;
}

static int64_t put_frame(struct firefox *firefox, const struct call *call)
{
    int64_t function = put_function(firefox, call), line = call->line;
    bool is_new;
    int64_t row = row_of(firefox, &firefox->frames, function, line, &is_new);
    if (is_new) {
        push(firefox, &firefox->frame_function, function);
        push(firefox, &firefox->frame_line, line ? line : NONE);
        push(firefox, &firefox->frame_category, call->kind);
    }
    return row;
}

static int push_call(void *userdata, const struct call *call)
{
    struct firefox *firefox = userdata;
    push(firefox, &firefox->call_row, put_frame(firefox, call));
    return firefox->error;
}

/* Once for each frame, and not for each stack that has it: names are looked up slowly. */
static void put_calls(struct firefox *firefox)
{
    uint32_t count = (uint32_t)stack_view_frames_len(&firefox->source->stacks);
    for (uint32_t i = 0; firefox->error == 0 && i < count; i++) {
        push(firefox, &firefox->first_call, (int64_t)firefox->call_row.len);
        calls_visit_frame(firefox->source, i, push_call, firefox);
    }
    push(firefox, &firefox->first_call, (int64_t)firefox->call_row.len);
}

/* One step from the root. */
static int64_t descend(struct firefox *firefox, int64_t prefix, int64_t frame)
{
    bool is_new;
    int64_t node = row_of(firefox, &firefox->nodes, prefix + 1, frame, &is_new);
    if (is_new) {
        push(firefox, &firefox->node_prefix, prefix);
        push(firefox, &firefox->node_frame, frame);
    }
    return node;
}

static int64_t node_of(struct firefox *firefox, const struct viewed_stack *stack)
{
    int64_t node = stack->complete ? NONE : descend(firefox, NONE, put_frame(firefox, &call_incomplete));
    for (uint32_t i = stack->frame_count; i-- > 0;) {
        uint32_t frame = stack->frames[i];
        int64_t end = firefox->first_call.items[frame + 1];
        for (int64_t call = firefox->first_call.items[frame]; call < end; call++)
            node = descend(firefox, node, firefox->call_row.items[call]);
    }
    return node;
}

static void add_row(struct firefox *firefox, int64_t node, uint64_t weight, struct column *nodes,
                    struct column *weights)
{
    if (!weight)
        return;
    push(firefox, nodes, node);
    push(firefox, weights, (int64_t)weight);
}

static void add_stack(struct firefox *firefox, const struct viewed_stack *stack)
{
    uint64_t live_bytes = (uint64_t)round(stack->live_bytes);
    if (!stack->user && !stack->kernel && !live_bytes)
        return;
    int64_t node = node_of(firefox, stack);
    add_row(firefox, node, stack->user, &firefox->sample_node, &firefox->sample_weight);
    add_row(firefox, node, live_bytes, &firefox->block_node, &firefox->block_bytes);
    if (stack->kernel)
        node = descend(firefox, node, put_frame(firefox, &call_in_kernel));
    add_row(firefox, node, stack->kernel, &firefox->sample_node, &firefox->sample_weight);
}

static void write_column(FILE *out, const char *name, const struct column *column)
{
    fprintf(out, "\"%s\":[", name);
    for (size_t i = 0; i < column->len; i++) {
        if (i)
            fputc(',', out);
        if (column->items[i] == NONE)
            fputs("null", out);
        else
            fprintf(out, "%" PRId64, column->items[i]);
    }
    fputs("],", out);
}

/* A column that has the same in each row. */
static void write_constant(FILE *out, const char *name, const char *value, size_t len)
{
    fprintf(out, "\"%s\":[", name);
    for (size_t i = 0; i < len; i++)
        fprintf(out, i ? ",%s" : "%s", value);
    fputs("],", out);
}

/* Of a table: numbers, or where there are none the same in each row. */
struct named_column {
    const char *name;
    const struct column *numbers;
    const char *constant;
};

static void write_table(FILE *out, const char *name, const struct named_column *columns, size_t len)
{
    fprintf(out, "\"%s\":{", name);
    for (const struct named_column *column = columns; column->name; column++)
        if (column->numbers)
            write_column(out, column->name, column->numbers);
        else
            write_constant(out, column->name, column->constant, len);
    fprintf(out, "\"length\":%zu},", len);
}

static void write_tables(FILE *out, const struct firefox *firefox)
{
    const struct named_column nodes[] = {
        {.name = "prefix", .numbers = &firefox->node_prefix},
        {.name = "frame", .numbers = &firefox->node_frame},
        {0},
    };
    const struct named_column frames[] = {
        {.name = "func", .numbers = &firefox->frame_function},
        {.name = "line", .numbers = &firefox->frame_line},
        {.name = "category", .numbers = &firefox->frame_category},
        {.name = "subcategory", .constant = "0"},
        {.name = "address", .constant = "-1"},
        {.name = "inlineDepth", .constant = "0"},
        {.name = "nativeSymbol", .constant = "null"},
        {.name = "innerWindowID", .constant = "0"},
        {.name = "column", .constant = "null"},
        {0},
    };
    const struct named_column functions[] = {
        {.name = "name", .numbers = &firefox->function_name},
        {.name = "fileName", .numbers = &firefox->function_file},
        {.name = "isJS", .constant = "false"},
        {.name = "relevantForJS", .constant = "false"},
        {.name = "resource", .constant = "-1"},
        {.name = "lineNumber", .constant = "null"},
        {.name = "columnNumber", .constant = "null"},
        {0},
    };
    write_table(out, "stackTable", nodes, firefox->node_frame.len);
    write_table(out, "frameTable", frames, firefox->frame_function.len);
    write_table(out, "funcTable", functions, firefox->function_name.len);
    fprintf(out, "\"resourceTable\":%s,\"nativeSymbols\":%s,\"markers\":%s,", no_resources, no_symbols,
            no_markers);
}

/* Rows of samples start when those before have had their time: `unit_ms` for each unit of weight. */
static void write_samples(FILE *out, const char *table, const struct column *nodes,
                          const struct column *weights, const char *weight_type, double unit_ms)
{
    fprintf(out, "\"%s\":{", table);
    write_column(out, "stack", nodes);
    write_column(out, "weight", weights);
    fputs("\"time\":[", out);
    double time_ms = 0;
    for (size_t i = 0; i < weights->len; i++) {
        fprintf(out, i ? ",%.3f" : "%.3f", time_ms);
        time_ms += (double)weights->items[i] * unit_ms;
    }
    fprintf(out, "],\"weightType\":\"%s\",\"length\":%zu}", weight_type, nodes->len);
}

static void write_string(struct firefox *firefox, FILE *out, const char *string)
{
    cJSON *json = cJSON_CreateString(string);
    char *text = json ? json_print(json) : NULL;
    cJSON_Delete(json);
    if (text)
        fputs(text, out);
    else
        firefox->error = -ENOMEM;
    cJSON_free(text);
}

static void write_strings(struct firefox *firefox, FILE *out)
{
    fputs("\"shared\":{\"stringArray\":[\"\"", out);
    for (uint32_t id = 1; id <= firefox->strings.strings.len; id++) {
        fputc(',', out);
        write_string(firefox, out, intern_str(&firefox->strings, id));
    }
    fputs("]},", out);
}

static void write_meta(struct firefox *firefox, FILE *out, double interval_ms)
{
    fprintf(out,
            "\"meta\":{\"preprocessedProfileVersion\":%d,\"version\":%d,\"interval\":%.6f,\"startTime\":%.3f,"
            "\"processType\":0,\"stackwalk\":1,\"symbolicated\":true,\"usesOnlyOneStackType\":true,"
            "\"sourceCodeIsNotOnSearchfox\":true,\"importedFrom\":\"rsprof\",\"markerSchema\":[],"
            "\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"ns\"},"
            "\"categories\":%s,\"product\":",
            FORMAT_VERSION, GECKO_FORMAT_VERSION, interval_ms, (double)firefox->source->start_ns / NS_PER_MS,
            categories);
    write_string(firefox, out, firefox->source->status->exe);
    fputs("},", out);
}

static void write_thread(struct firefox *firefox, FILE *out, double interval_ms)
{
    const struct session_status *status = firefox->source->status;
    const char *slash = strrchr(status->exe, '/');
    fprintf(out, "\"threads\":[{\"pid\":\"%d\",\"tid\":%d,\"isMainThread\":true,\"name\":", status->pid,
            status->pid);
    write_string(firefox, out, slash ? slash + 1 : status->exe);
    fputs(",\"processType\":\"default\",\"processStartupTime\":0,\"processShutdownTime\":null,"
          "\"registerTime\":0,\"unregisterTime\":null,\"pausedRanges\":[],",
          out);
    write_tables(out, firefox);
    write_samples(out, "samples", &firefox->sample_node, &firefox->sample_weight, "samples", interval_ms);
    if (firefox->block_node.len) {
        fputc(',', out);
        write_samples(out, "nativeAllocations", &firefox->block_node, &firefox->block_bytes, "bytes", 0);
    }
    fputs("}]", out);
}

static void write_profile(struct firefox *firefox, FILE *out)
{
    double interval_ms = 1000.0 / firefox->source->status->cpu.freq_hz;
    fputc('{', out);
    write_meta(firefox, out, interval_ms);
    write_strings(firefox, out);
    fputs("\"libs\":[],", out);
    write_thread(firefox, out, interval_ms);
    fputs("}\n", out);
}

static void firefox_release(struct firefox *firefox)
{
    intern_release(&firefox->strings);
    map_release(&firefox->functions);
    map_release(&firefox->frames);
    map_release(&firefox->nodes);
    vec_release(&firefox->function_name);
    vec_release(&firefox->function_file);
    vec_release(&firefox->frame_function);
    vec_release(&firefox->frame_line);
    vec_release(&firefox->frame_category);
    vec_release(&firefox->node_prefix);
    vec_release(&firefox->node_frame);
    vec_release(&firefox->sample_node);
    vec_release(&firefox->sample_weight);
    vec_release(&firefox->block_node);
    vec_release(&firefox->block_bytes);
    vec_release(&firefox->call_row);
    vec_release(&firefox->first_call);
}

int export_firefox(const struct export_source *source, FILE *out)
{
    struct firefox firefox = {.source = source};
    put_calls(&firefox);
    for (size_t i = 0; firefox.error == 0 && i < stack_view_len(&source->stacks); i++) {
        struct viewed_stack stack = stack_view_stack(&source->stacks, i);
        add_stack(&firefox, &stack);
    }
    if (firefox.error == 0)
        write_profile(&firefox, out);
    firefox_release(&firefox);
    return firefox.error;
}
