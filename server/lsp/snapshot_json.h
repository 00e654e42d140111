/* One snapshot as one JSON object: what `rsprof snapshot --format json` prints and `rsprof/snapshot` answers.
 * Lines are 1-based here; CPU shares are of the whole time since attach or reset. */
#ifndef RSPROF_LSP_SNAPSHOT_JSON_H
#define RSPROF_LSP_SNAPSHOT_JSON_H

#include "rpc/json.h"
#include "session/session.h"

/* NULL when out of memory. The caller deletes it. */
cJSON *snapshot_to_json(const struct snapshot *snapshot, const struct session_status *status);

#endif
