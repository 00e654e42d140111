#include "rpc/params.h"

#include "base/buf.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_MAX 9007199254740991.0 /* 2^53 − 1: past it a double skips whole numbers */

static const char *type_name(const cJSON *item)
{
    if (cJSON_IsBool(item))
        return "a boolean";
    if (cJSON_IsNumber(item))
        return "a number";
    if (cJSON_IsString(item))
        return "a string";
    if (cJSON_IsArray(item))
        return "an array";
    return cJSON_IsNull(item) ? "null" : "an object";
}

static int find_name(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

static double upper_bound(const struct param_field *field)
{
    if (field->min != 0 || field->max != 0)
        return field->max;
    return field->type == PARAM_UINT ? WHOLE_MAX : HUGE_VAL;
}

static double lower_bound(const struct param_field *field)
{
    if (field->min != 0 || field->max != 0)
        return field->min;
    return field->type == PARAM_UINT ? 0 : -HUGE_VAL;
}

static bool is_in_range(const struct param_field *field, double value)
{
    return isfinite(value) && value >= lower_bound(field) && value <= upper_bound(field);
}

static bool fits(const struct param_field *field, const cJSON *item)
{
    switch (field->type) {
    case PARAM_BOOL:
        return cJSON_IsBool(item);
    case PARAM_STRING:
        return cJSON_IsString(item);
    case PARAM_UINT:
        return cJSON_IsNumber(item) && is_in_range(field, item->valuedouble) &&
               item->valuedouble == floor(item->valuedouble);
    case PARAM_DOUBLE:
        return cJSON_IsNumber(item) && is_in_range(field, item->valuedouble);
    case PARAM_ENUM:
        return cJSON_IsString(item) && find_name(field->names, item->valuestring) >= 0;
    case PARAM_OBJECT:
        return cJSON_IsObject(item);
    case PARAM_ARRAY:
        return cJSON_IsArray(item);
    }
    return false;
}

static void describe_wanted(const struct param_field *field, char *text, size_t size)
{
    static const char *const plain[] = {
        [PARAM_BOOL] = "a boolean", [PARAM_STRING] = "a string", [PARAM_UINT] = "",
        [PARAM_DOUBLE] = "",        [PARAM_ENUM] = "",           [PARAM_OBJECT] = "an object",
        [PARAM_ARRAY] = "an array"};
    const char *kind = field->type == PARAM_UINT ? "a whole number" : "a number";
    bool bounded = field->min != 0 || field->max != 0;
    if (field->type == PARAM_ENUM) {
        size_t len = (size_t)snprintf(text, size, "one of");
        for (int i = 0; field->names[i] && len < size; i++)
            len += (size_t)snprintf(text + len, size - len, "%s \"%s\"", i ? "," : "", field->names[i]);
    } else if (field->type != PARAM_UINT && field->type != PARAM_DOUBLE) {
        snprintf(text, size, "%s", plain[field->type]);
    } else if (bounded) {
        snprintf(text, size, "%s from %.15g to %.15g", kind, field->min, field->max);
    } else {
        snprintf(text, size, "%s", field->type == PARAM_UINT ? "a whole number, not negative" : kind);
    }
}

static void describe_given(const cJSON *item, char *text, size_t size)
{
    if (cJSON_IsNumber(item))
        snprintf(text, size, "%.15g", item->valuedouble);
    else if (cJSON_IsString(item) && strlen(item->valuestring) <= 24)
        snprintf(text, size, "\"%s\"", item->valuestring);
    else
        snprintf(text, size, "%s", type_name(item));
}

static int check(const cJSON *params, const struct param_field *field, struct param_error *ret_error)
{
    const cJSON *item = json_get_path(params, field->name);
    if (item && cJSON_IsNull(item))
        item = NULL;
    if (item ? fits(field, item) : !field->required)
        return 0;
    char wanted[128], given[64];
    describe_wanted(field, wanted, sizeof(wanted));
    if (!item) {
        snprintf(ret_error->message, sizeof(ret_error->message), "'%s' is missing: it must be %s",
                 field->name, wanted);
        return -EINVAL;
    }
    describe_given(item, given, sizeof(given));
    snprintf(ret_error->message, sizeof(ret_error->message), "'%s' must be %s, but is %s", field->name,
             wanted, given);
    return -EINVAL;
}

static void store(const cJSON *item, const struct param_field *field, void *ret)
{
    void *target = (char *)ret + field->offset;
    switch (field->type) {
    case PARAM_BOOL:
        *(bool *)target = cJSON_IsTrue(item);
        break;
    case PARAM_STRING:
        *(const char **)target = item->valuestring;
        break;
    case PARAM_UINT:
        *(uint64_t *)target = (uint64_t)item->valuedouble;
        break;
    case PARAM_DOUBLE:
        *(double *)target = item->valuedouble;
        break;
    case PARAM_ENUM:
        *(int *)target = find_name(field->names, item->valuestring);
        break;
    case PARAM_OBJECT:
    case PARAM_ARRAY:
        *(const cJSON **)target = item;
        break;
    }
}

int params_parse(const cJSON *params, const struct param_field *fields, size_t count, void *ret,
                 struct param_error *ret_error)
{
    if (params && !cJSON_IsObject(params) && !cJSON_IsNull(params)) {
        snprintf(ret_error->message, sizeof(ret_error->message), "params must be an object, but is %s",
                 type_name(params));
        return -EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        int r = check(params, &fields[i], ret_error);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < count; i++) {
        const cJSON *item = json_get_path(params, fields[i].name);
        if (item && !cJSON_IsNull(item))
            store(item, &fields[i], ret);
    }
    return 0;
}
