#include "lsp/line_json.h"

cJSON *line_cpu_to_json(const struct line_cpu *cpu)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_fraction(json, "self", cpu->self) && json_put_fraction(json, "total", cpu->total) &&
              json_put_count(json, "samples", (double)cpu->samples);
    return json_finish(json, ok);
}

cJSON *line_heap_to_json(const struct line_heap *heap)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_count(json, "selfLiveBytes", heap->self_live_bytes) &&
              json_put_count(json, "liveBytes", heap->live_bytes) &&
              json_put_count(json, "liveBlocks", heap->live_blocks) &&
              json_put_count(json, "allocBytesPerSec", heap->alloc_bytes_per_sec) &&
              json_put_fraction(json, "allocsPerSec", heap->allocs_per_sec) &&
              json_put_fraction(json, "relStdErr", heap->rel_std_err);
    return json_finish(json, ok);
}
