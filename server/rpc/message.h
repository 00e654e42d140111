/* One JSON-RPC message: taking apart what came, putting together what goes. Source: JSON-RPC 2.0, LSP 3.17
 * "Base Protocol". */
#ifndef RSPROF_RPC_MESSAGE_H
#define RSPROF_RPC_MESSAGE_H

#include "rpc/json.h"

enum message_kind {
    MESSAGE_REQUEST,
    MESSAGE_NOTIFICATION,
    MESSAGE_RESPONSE,
    MESSAGE_NOT_JSON,
    MESSAGE_INVALID
};

/* Everything points into `json`, which the message owns. Absent members are NULL. */
struct message {
    cJSON *json;
    const cJSON *id;
    const char *method;
    const cJSON *params, *result, *error;
    const char *problem; /* of MESSAGE_INVALID, for people */
};

/* Fills in `*ret_message`, to be released by the caller, except for MESSAGE_NOT_JSON. `body` is changed as
 * json_parse() says. */
enum message_kind message_parse(char *body, size_t len, struct message *ret_message);
void message_release(struct message *message);

/* Whether two ids are the same string or the same number. */
bool message_same_id(const cJSON *a, const cJSON *b);

/* Each returns a whole message, or NULL when out of memory. `params` and `result` are taken; an `id` is
 * copied (NULL: null). */
cJSON *message_request(uint64_t id, const char *method, cJSON *params);
cJSON *message_notification(const char *method, cJSON *params);
cJSON *message_result(const cJSON *id, cJSON *result);
cJSON *message_error(const cJSON *id, int code, const char *text, const char *hint);

#endif
