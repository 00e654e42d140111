#include "lsp/status.h"

static cJSON *cpu_to_json(const struct session_status *status)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_count(json, "samples", (double)status->cpu.samples) &&
              json_put_count(json, "lost", (double)status->cpu.lost) &&
              json_put_number(json, "freqHz", status->cpu.freq_hz) &&
              json_put_fraction(json, "stacksComplete", status->cpu.stacks_complete) &&
              json_put_fraction(json, "processCores", status->cpu.process_cores);
    return json_finish(json, ok);
}

static cJSON *heap_to_json(const struct session_status *status)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_string(json, "mode", heap_mode_name(status->heap.mode)) &&
              json_put_count(json, "intervalBytes", (double)status->heap.interval_bytes) &&
              json_put_count(json, "samples", (double)status->heap.samples) &&
              json_put_count(json, "kernelSamples", (double)status->heap.kernel_samples) &&
              json_put_count(json, "liveBytes", status->heap.live_bytes) &&
              json_put_count(json, "liveBlocks", status->heap.live_blocks) &&
              json_put_count(json, "allocBytesPerSec", status->heap.alloc_bytes_per_sec) &&
              json_put_fraction(json, "allocsPerSec", status->heap.allocs_per_sec) &&
              json_put_count(json, "lost", (double)status->heap.lost) &&
              json_put_count(json, "processHeapBytes", (double)status->heap.process_heap_bytes);
    return json_finish(json, ok);
}

static cJSON *overhead_to_json(const struct session_status *status)
{
    cJSON *json = cJSON_CreateObject();
    return json_finish(json, json_put_fraction(json, "fraction", status->overhead_fraction));
}

static cJSON *symbols_to_json(const struct session_status *status)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_count(json, "firstAnnotationMs", status->symbols.first_annotation_ms) &&
              json_put_count(json, "modules", (double)status->symbols.modules);
    return json_finish(json, ok);
}

static cJSON *hints_to_json(const struct session_status *status)
{
    cJSON *json = cJSON_CreateArray();
    bool ok = json != NULL;
    for (size_t i = 0; ok && i < status->hint_count; i++)
        ok = json_append(json, cJSON_CreateString(status->hints[i]));
    return json_finish(json, ok);
}

cJSON *status_to_json(const struct session_status *status)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_string(json, "state", session_state_name(status->state)) &&
              json_put_number(json, "pid", status->pid) && json_put_string(json, "exe", status->exe) &&
              json_put_item(json, "cpu", cpu_to_json(status)) &&
              json_put_item(json, "heap", heap_to_json(status)) &&
              json_put_item(json, "overhead", overhead_to_json(status)) &&
              json_put_item(json, "symbols", symbols_to_json(status)) &&
              json_put_item(json, "hints", hints_to_json(status));
    return json_finish(json, ok);
}
