/* LSP positions and ranges as JSON, and back. Writers return NULL when out of memory. */
#ifndef RSPROF_LSP_POSITIONS_H
#define RSPROF_LSP_POSITIONS_H

#include "lsp/text.h"
#include "rpc/json.h"

cJSON *position_to_json(struct text_position position);

/* From the first character of a line that is not blank to its end. */
cJSON *line_range_to_json(const struct text *text, uint32_t line, enum position_encoding encoding);

/* {"line": …, "character": …}; false if it is none. Numbers past 32 bits are cut down to what fits. */
bool position_from_json(const cJSON *json, struct text_position *ret_position);

#endif
