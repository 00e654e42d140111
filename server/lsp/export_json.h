/* A snapshot in another tool's format, as a result of `rsprof/snapshot`: an object with the file's content,
 * as `text`, or where that is binary (pprof) as `base64`. */
#ifndef RSPROF_LSP_EXPORT_JSON_H
#define RSPROF_LSP_EXPORT_JSON_H

#include "export/export.h"
#include "rpc/json.h"

/* NULL when out of memory. The caller deletes it. */
cJSON *export_to_json(struct session *session, enum snapshot_format format);

#endif
