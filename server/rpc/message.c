#include "rpc/message.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum message_kind invalid(struct message *message, const char *problem)
{
    message->problem = problem;
    return MESSAGE_INVALID;
}

static bool is_id(const cJSON *id)
{
    return cJSON_IsString(id) || (cJSON_IsNumber(id) && isfinite(id->valuedouble));
}

static enum message_kind classify(struct message *message)
{
    const cJSON *json = message->json, *version = json_get(json, "jsonrpc"),
                *method = json_get(json, "method");
    const cJSON *id = json_get(json, "id");
    if (cJSON_IsArray(json))
        return invalid(message, "batches are not supported");
    if (!cJSON_IsObject(json))
        return invalid(message, "the message is not an object");
    if (is_id(id))
        message->id = id;
    if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
        return invalid(message, "'jsonrpc' must be \"2.0\"");
    message->result = json_get(json, "result");
    message->error = json_get(json, "error");
    if (!method && (message->result || message->error))
        return MESSAGE_RESPONSE;
    if (!cJSON_IsString(method))
        return invalid(message, "'method' must be a string");
    if (id && !message->id)
        return invalid(message, "'id' must be a number or a string");
    message->method = method->valuestring;
    message->params = json_get(json, "params");
    return id ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
}

enum message_kind message_parse(char *body, size_t len, struct message *ret_message)
{
    struct message message = {0};
    if (json_parse(body, len, &message.json) < 0)
        return MESSAGE_NOT_JSON;
    enum message_kind kind = classify(&message);
    *ret_message = message;
    return kind;
}

void message_release(struct message *message)
{
    cJSON_Delete(message->json);
    *message = (struct message){0};
}

static cJSON *message_new(bool *ret_ok)
{
    cJSON *json = cJSON_CreateObject();
    *ret_ok = json_put_string(json, "jsonrpc", "2.0");
    return json;
}

bool message_same_id(const cJSON *a, const cJSON *b)
{
    if (cJSON_IsString(a) && cJSON_IsString(b))
        return !strcmp(a->valuestring, b->valuestring);
    return cJSON_IsNumber(a) && cJSON_IsNumber(b) && a->valuedouble == b->valuedouble;
}

/* cJSON prints 15 digits, which are too few for the largest ids. */
static cJSON *copy_number(double id)
{
    char text[32];
    snprintf(text, sizeof(text), "%.17g", id);
    return cJSON_CreateRaw(text);
}

static bool put_id(cJSON *json, const cJSON *id)
{
    cJSON *copy = !id                  ? cJSON_CreateNull()
                  : cJSON_IsNumber(id) ? copy_number(id->valuedouble)
                                       : cJSON_CreateString(id->valuestring);
    return json_put_item(json, "id", copy);
}

cJSON *message_request(uint64_t id, const char *method, cJSON *params)
{
    bool ok, has_params = params != NULL;
    cJSON *json = message_new(&ok);
    bool put = !has_params || json_put_item(json, "params", params);
    return json_finish(json, ok && put && json_put_number(json, "id", (double)id) &&
                                 json_put_string(json, "method", method));
}

cJSON *message_notification(const char *method, cJSON *params)
{
    bool ok;
    cJSON *json = message_new(&ok);
    ok = json_put_string(json, "method", method) && ok;
    ok = json_put_item(json, "params", params) && ok;
    return json_finish(json, ok);
}

cJSON *message_result(const cJSON *id, cJSON *result)
{
    bool ok;
    cJSON *json = message_new(&ok);
    ok = put_id(json, id) && ok;
    ok = json_put_item(json, "result", result) && ok;
    return json_finish(json, ok);
}

cJSON *message_error(const cJSON *id, int code, const char *text, const char *hint)
{
    bool ok;
    cJSON *json = message_new(&ok), *error = cJSON_CreateObject(), *data = cJSON_CreateObject();
    ok = put_id(json, id) && ok;
    ok = json_put_number(error, "code", code) && json_put_string(error, "message", text) && ok;
    ok = json_put_string(data, "hint", hint) && ok;
    ok = json_put_item(error, "data", data) && ok;
    ok = json_put_item(json, "error", error) && ok;
    return json_finish(json, ok);
}
