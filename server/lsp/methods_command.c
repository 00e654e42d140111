#include "lsp/errors.h"
#include "lsp/methods.h"
#include "lsp/protocol.h"
#include "lsp/server_state.h"
#include "rpc/params.h"

#include <string.h>

#define PID_LARGEST 4194304 /* the kernel's PID_MAX_LIMIT */

/* The first argument is a process id, or an object with one. Without arguments the person is asked, which may
 * take long: the request is answered before, since many clients wait for commands. */
static void command_attach(struct lsp_server *server, struct rpc_request *request, const cJSON *arguments)
{
    const cJSON *argument = cJSON_IsArray(arguments) ? arguments->child : NULL;
    const cJSON *pid = cJSON_IsObject(argument) ? json_get(argument, "pid") : argument;
    if (!argument || cJSON_IsNull(argument)) {
        rpc_answer(request, cJSON_CreateNull());
        process_query_ask(server);
    } else if (!cJSON_IsNumber(pid) || !(pid->valuedouble >= 1 && pid->valuedouble <= PID_LARGEST)) {
        answer_invalid_params(request, "the argument of " COMMAND_ATTACH " must be a process id");
    } else {
        attach_start(server, (pid_t)pid->valuedouble, &server->settings.session, request);
    }
}

void method_execute_command(struct lsp_server *server, struct rpc_request *request)
{
    const char *command = NULL;
    static const struct param_field fields[] = {{"command", PARAM_STRING, 0, .required = true}};
    struct param_error error;
    const cJSON *params = rpc_request_params(request);
    if (params_parse(params, fields, ARRAY_LEN(fields), &command, &error) < 0)
        answer_invalid_params(request, error.message);
    else if (!strcmp(command, COMMAND_ATTACH))
        command_attach(server, request, json_get(params, "arguments"));
    else if (!strcmp(command, COMMAND_DETACH))
        method_detach(server, request);
    else if (!strcmp(command, COMMAND_RESET))
        method_reset(server, request);
    else
        answer_invalid_params(request, "'command' must be one of \"" COMMAND_ATTACH "\", \"" COMMAND_DETACH
                                       "\", \"" COMMAND_RESET "\"");
}
