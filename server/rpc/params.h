/* Reads the members of a JSON object into a struct by a table of fields, and says in words which one is
 * wrong.
 *
 *     static const struct param_field fields[] = {
 *         {"pid", PARAM_UINT, offsetof(struct args, pid), .required = true, .min = 1, .max = PID_MAX},
 *         {"heap", PARAM_ENUM, offsetof(struct args, heap), .names = heap_names},
 *     };
 *     r = params_parse(params, fields, ARRAY_LEN(fields), &args, &error);
 *
 * Everything is checked before anything is stored, so on failure `*ret` is untouched. Members that are absent
 * leave their field as it was (set defaults before); unknown members are ignored; `null` counts as absent.
 * Strings and items point into the JSON and live as long as it does.
 * Errors: −EINVAL, with `ret_error->message` filled in. */
#ifndef RSPROF_RPC_PARAMS_H
#define RSPROF_RPC_PARAMS_H

#include "rpc/json.h"

enum param_type {
    PARAM_BOOL,   /* bool */
    PARAM_STRING, /* const char * */
    PARAM_UINT,   /* uint64_t, from .min to .max; whole */
    PARAM_DOUBLE, /* double, from .min to .max */
    PARAM_ENUM,   /* int: index into .names */
    PARAM_OBJECT, /* const cJSON * */
    PARAM_ARRAY,  /* const cJSON * */
};

struct param_field {
    const char *name; /* a member, or a path such as "textDocument.uri" */
    enum param_type type;
    size_t offset;
    bool required;
    double min, max;          /* both 0: no bounds but those of the type */
    const char *const *names; /* PARAM_ENUM: ends with NULL */
};

struct param_error {
    char message[256];
};

int params_parse(const cJSON *params, const struct param_field *fields, size_t count, void *ret,
                 struct param_error *ret_error);

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
