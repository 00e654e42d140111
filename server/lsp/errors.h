/* What a negative errno of the session means to a client: a code of the protocol, and a sentence that says
 * what to do. This is the one place where errno becomes protocol. */
#ifndef RSPROF_LSP_ERRORS_H
#define RSPROF_LSP_ERRORS_H

#include "rpc/rpc.h"

struct protocol_problem {
    int code;            /* enum protocol_error or enum rpc_code */
    const char *message; /* what went wrong */
    const char *hint;    /* what to do */
};

/* Never fails: what is not known is an InternalError that names the errno. */
struct protocol_problem errors_describe(int error);

/* Answers with what `error` means; a `message` or `hint` that is neither NULL nor empty replaces the general
 * one. */
void errors_answer(struct rpc_request *request, int error, const char *message, const char *hint);

#endif
