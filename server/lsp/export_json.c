#include "lsp/export_json.h"

#include "base/cleanup.h"

/* Source: RFC 4648, section 4. NULL: out of memory. */
static char *base64(const unsigned char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((len + 2) / 3 * 4 + 1), *end = text;
    for (size_t i = 0; text && i < len; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16 | (uint32_t)(i + 1 < len ? bytes[i + 1] : 0) << 8 |
                         (i + 2 < len ? bytes[i + 2] : 0);
        for (unsigned shift = 24; shift > 0; shift -= 6)
            *end++ = digits[group >> (shift - 6) & 63];
    }
    if (!text)
        return NULL;
    *end = '\0';
    for (size_t unused = (3 - len % 3) % 3; unused > 0; unused--)
        end[-(ptrdiff_t)unused] = '=';
    return text;
}

static cJSON *file_to_json(const char *bytes, size_t len, bool binary)
{
    OWNED_MEM char *encoded = binary ? base64((const unsigned char *)bytes, len) : NULL;
    cJSON *json = cJSON_CreateObject();
    bool ok =
        binary ? encoded && json_put_string(json, "base64", encoded) : json_put_string(json, "text", bytes);
    return json_finish(json, ok);
}

cJSON *export_to_json(struct session *session, enum snapshot_format format)
{
    OWNED_MEM char *bytes = NULL;
    size_t len;
    FILE *file = open_memstream(&bytes, &len);
    if (!file)
        return NULL;
    int r = export_session(session, format, file);
    bool ok = fclose(file) == 0 && r == 0;
    return ok ? file_to_json(bytes, len, format == SNAPSHOT_PPROF) : NULL;
}
