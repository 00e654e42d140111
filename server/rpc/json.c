#include "rpc/json.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool json_put_item(cJSON *object, const char *name, cJSON *item)
{
    if (object && item && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

bool json_put_string(cJSON *object, const char *name, const char *value)
{
    return json_put_item(object, name, cJSON_CreateString(value));
}

bool json_put_bool(cJSON *object, const char *name, bool value)
{
    return json_put_item(object, name, cJSON_CreateBool(value));
}

bool json_put_number(cJSON *object, const char *name, double value)
{
    return json_put_item(object, name, cJSON_CreateNumber(isfinite(value) ? value : 0));
}

bool json_put_fraction(cJSON *object, const char *name, double value)
{
    return json_put_number(object, name, round(value * 1e6) / 1e6);
}

bool json_put_count(cJSON *object, const char *name, double value)
{
    return json_put_number(object, name, round(value));
}

bool json_append(cJSON *array, cJSON *item)
{
    if (array && item && cJSON_AddItemToArray(array, item))
        return true;
    cJSON_Delete(item);
    return false;
}

cJSON *json_finish(cJSON *object, bool ok)
{
    if (ok)
        return object;
    cJSON_Delete(object);
    return NULL;
}

const cJSON *json_get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const cJSON *json_get_path(const cJSON *object, const char *path)
{
    char name[64];
    while (object) {
        size_t len = strcspn(path, ".");
        if (len >= sizeof(name))
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        object = json_get(object, name);
        if (!path[len])
            break;
        path += len + 1;
    }
    return object;
}

bool json_is_true_at(const cJSON *object, const char *path)
{
    return cJSON_IsTrue(json_get_path(object, path));
}

/* Length of the UTF-8 sequence at `text`, 0 if it is none. Source: RFC 3629, section 4. */
static size_t utf8_sequence(const unsigned char *text, size_t len)
{
    unsigned char lead = text[0], low = 0x80, high = 0xbf;
    if (lead < 0x80)
        return 1;
    size_t need = lead >= 0xc2 && lead <= 0xdf   ? 2
                  : (lead & 0xf0) == 0xe0        ? 3
                  : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                 : 0;
    if (!need || need > len)
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return need;
}

size_t utf8_valid_prefix(const char *text, size_t len)
{
    size_t pos = 0;
    while (pos < len) {
        size_t step = utf8_sequence((const unsigned char *)text + pos, len - pos);
        if (!step)
            break;
        pos += step;
    }
    return pos;
}

void utf8_mend(char *text)
{
    size_t len = strlen(text);
    for (size_t pos = utf8_valid_prefix(text, len); pos < len;
         pos += utf8_valid_prefix(text + pos, len - pos))
        text[pos++] = '?';
}

/* The value of `\uXXXX` at `text`, or −1. */
static int unicode_escape(const char *text, size_t len)
{
    int value = 0;
    if (len < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return -1;
        int digit = isdigit((unsigned char)text[i]) ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_high_surrogate(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static void mend_escapes(char *text, size_t len)
{
    char *end = text + len;
    for (char *at = text; (at = memchr(at, '\\', (size_t)(end - at)));) {
        int unit = unicode_escape(at, (size_t)(end - at));
        if (unit < 0) {
            at += end - at < 2 ? 1 : 2;
            continue;
        }
        if (is_high_surrogate(unit) && is_low_surrogate(unicode_escape(at + 6, (size_t)(end - at) - 6))) {
            at += 12;
            continue;
        }
        if (unit == 0 || is_high_surrogate(unit) || is_low_surrogate(unit))
            memcpy(at + 2, "fffd", 4);
        at += 6;
    }
}

int json_parse(char *text, size_t len, cJSON **ret_json)
{
    if (utf8_valid_prefix(text, len) != len)
        return -EBADMSG;
    mend_escapes(text, len);
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, false);
    if (!json)
        return -EBADMSG;
    while (end < text + len && strchr(" \t\r\n", *end) && *end)
        end++;
    if (end < text + len) {
        cJSON_Delete(json);
        return -EBADMSG;
    }
    *ret_json = json;
    return 0;
}

char *json_print(const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    if (!text)
        return NULL;
    utf8_mend(text);
    return text;
}
