/* Helpers to build and print JSON objects with cJSON, whose allocation failures would be easy to overlook.
 *
 *     cJSON *cpu = cJSON_CreateObject();
 *     bool ok = json_put_number(cpu, "self", self) && json_put_number(cpu, "total", total);
 *     return json_finish(cpu, ok);              // the object, or NULL when out of memory
 *
 * Every `json_put_` accepts a NULL object (and fails then), and `json_put_item` consumes its item whatever
 * happens. */
#ifndef RSPROF_RPC_JSON_H
#define RSPROF_RPC_JSON_H

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool json_put_item(cJSON *object, const char *name, cJSON *item);
bool json_put_string(cJSON *object, const char *name, const char *value);
bool json_put_bool(cJSON *object, const char *name, bool value);

/* Numbers that are not finite become 0: JSON has none. */
bool json_put_number(cJSON *object, const char *name, double value);
/* Rounded to six decimals: what lies below is noise, and would only make messages longer. */
bool json_put_fraction(cJSON *object, const char *name, double value);
/* Rounded to a whole number. */
bool json_put_count(cJSON *object, const char *name, double value);

/* Appends to an array; consumes `item`. */
bool json_append(cJSON *array, cJSON *item);

/* Returns `object` if `ok`, otherwise deletes it and returns NULL. */
cJSON *json_finish(cJSON *object, bool ok);

/* The member with this exact name, or NULL, also when `object` is no object. */
const cJSON *json_get(const cJSON *object, const char *name);
/* The member at a path such as "textDocument.uri". */
const cJSON *json_get_path(const cJSON *object, const char *path);
/* Whether the member at `path` is `true`. */
bool json_is_true_at(const cJSON *object, const char *path);

/* Parses one whole JSON text, which must be UTF-8. `text` is changed where an escape stands for a NUL or for
 * half a surrogate pair (they become U+FFFD: cJSON cannot hold the first and refuses the second). −EBADMSG;
 * −ENOMEM is not told apart. */
int json_parse(char *text, size_t len, cJSON **ret_json);

/* Prints without white space, always as valid UTF-8: bytes that are none become '?'. The caller frees. NULL:
 * out of memory. */
char *json_print(const cJSON *json);

/* How many leading bytes of `text` are valid UTF-8. */
size_t utf8_valid_prefix(const char *text, size_t len);

/* Bytes that are no valid UTF-8 become '?'. */
void utf8_mend(char *text);

#endif
