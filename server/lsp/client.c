#include "lsp/client.h"

#include <string.h>

static const char *const encoding_names[] = {
    [ENCODING_UTF16] = "utf-16", [ENCODING_UTF8] = "utf-8", [ENCODING_UTF32] = "utf-32"};

const char *position_encoding_name(enum position_encoding encoding)
{
    return encoding_names[encoding];
}

enum trace_level trace_level_parse(const cJSON *value)
{
    if (!cJSON_IsString(value))
        return TRACE_OFF;
    if (!strcmp(value->valuestring, "verbose"))
        return TRACE_VERBOSE;
    return !strcmp(value->valuestring, "messages") ? TRACE_MESSAGES : TRACE_OFF;
}

/* The first encoding of the client's list that we know; without a list, UTF-16 is the rule. */
static enum position_encoding choose_encoding(const cJSON *params)
{
    const cJSON *item, *list = json_get_path(params, "capabilities.general.positionEncodings");
    if (!cJSON_IsArray(list))
        return ENCODING_UTF16;
    cJSON_ArrayForEach (item, list) {
        for (int i = ENCODING_UTF16; cJSON_IsString(item) && i <= ENCODING_UTF32; i++)
            if (!strcmp(item->valuestring, encoding_names[i]))
                return (enum position_encoding)i;
    }
    return ENCODING_UTF16;
}

static bool list_has(const cJSON *list, const char *wanted)
{
    const cJSON *item;
    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach (item, list) {
        if (cJSON_IsString(item) && !strcmp(item->valuestring, wanted))
            return true;
    }
    return false;
}

struct client client_parse(const cJSON *params)
{
    return (struct client){
        .annotations = json_is_true_at(params, "capabilities.experimental.rsprof.annotations"),
        .progress = json_is_true_at(params, "capabilities.window.workDoneProgress"),
        .inlay_hint_refresh = json_is_true_at(params, "capabilities.workspace.inlayHint.refreshSupport"),
        .code_lens_refresh = json_is_true_at(params, "capabilities.workspace.codeLens.refreshSupport"),
        .markdown =
            list_has(json_get_path(params, "capabilities.textDocument.hover.contentFormat"), "markdown"),
        .encoding = choose_encoding(params),
        .trace = trace_level_parse(json_get(params, "trace")),
    };
}
