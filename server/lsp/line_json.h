/* The numbers of a line as the protocol and `rsprof snapshot` write them. Each returns NULL when out of
 * memory. */
#ifndef RSPROF_LSP_LINE_JSON_H
#define RSPROF_LSP_LINE_JSON_H

#include "profile/snapshot.h"
#include "rpc/json.h"

/* {"self", "total", "samples"} */
cJSON *line_cpu_to_json(const struct line_cpu *cpu);

/* {"selfLiveBytes", "liveBytes", "liveBlocks", "allocBytesPerSec", "allocsPerSec", "relStdErr"} */
cJSON *line_heap_to_json(const struct line_heap *heap);

#endif
