/* The status as `rsprof/status` and `rsprof snapshot` write it. */
#ifndef RSPROF_LSP_STATUS_H
#define RSPROF_LSP_STATUS_H

#include "rpc/json.h"
#include "session/session.h"

/* NULL when out of memory. */
cJSON *status_to_json(const struct session_status *status);

#endif
