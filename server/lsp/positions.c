#include "lsp/positions.h"

cJSON *position_to_json(struct text_position position)
{
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_number(json, "line", position.line) &&
              json_put_number(json, "character", position.character);
    return json_finish(json, ok);
}

/* Blanks are one unit in every encoding. */
static uint32_t indentation(const struct text *text, uint32_t line)
{
    struct text_slice slice = text_line(text, line);
    uint32_t blanks = 0;
    while (blanks < slice.len && (slice.data[blanks] == ' ' || slice.data[blanks] == '\t'))
        blanks++;
    return blanks;
}

cJSON *line_range_to_json(const struct text *text, uint32_t line, enum position_encoding encoding)
{
    struct text_position start = {line, indentation(text, line)},
                         end = {line, text_line_units(text, line, encoding)};
    cJSON *json = cJSON_CreateObject();
    bool ok = json_put_item(json, "start", position_to_json(start)) &&
              json_put_item(json, "end", position_to_json(end));
    return json_finish(json, ok);
}

static bool number_from_json(const cJSON *json, uint32_t *ret_number)
{
    if (!cJSON_IsNumber(json) || !(json->valuedouble >= 0))
        return false;
    *ret_number = json->valuedouble < UINT32_MAX ? (uint32_t)json->valuedouble : UINT32_MAX;
    return true;
}

bool position_from_json(const cJSON *json, struct text_position *ret_position)
{
    struct text_position position;
    if (!number_from_json(json_get(json, "line"), &position.line) ||
        !number_from_json(json_get(json, "character"), &position.character))
        return false;
    *ret_position = position;
    return true;
}
