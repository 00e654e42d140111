#include "lsp/errors.h"

#include "lsp/protocol.h"
#include "rpc/params.h"

#include <errno.h>
#include <string.h>

/* The session says more. */
#define MISSING_HINT "`rsprof doctor` says what is missing on this machine."

static const struct {
    int error;
    struct protocol_problem problem;
} problems[] = {
    {ESRCH, {ERROR_NO_SUCH_PROCESS, "no such process", "List the processes again and choose one that runs."}},
    {EPERM, {ERROR_PERMISSION_DENIED, "not allowed to profile this process", MISSING_HINT}},
    {EACCES, {ERROR_PERMISSION_DENIED, "not allowed to profile this process", MISSING_HINT}},
    {EXDEV, {ERROR_PERMISSION_DENIED, "not allowed to profile this process", MISSING_HINT}},
    {ENOEXEC,
     {ERROR_NOT_RUST, "no Rust code in the process", "Choose a process whose program was built by rustc."}},
    {ENODATA,
     {ERROR_NO_DEBUG_INFO, "nothing in the process says which line code came from",
      "Add these lines to Cargo.toml, build again and restart the process: [profile.release] "
      "debug = \"line-tables-only\""}},
    {ENOTCONN, {ERROR_NOT_ATTACHED, "no process is attached", "Attach to a process first (rsprof/attach)."}},
    {EOPNOTSUPP, {ERROR_UNSUPPORTED, "this kernel or machine cannot do it", MISSING_HINT}},
    {ENOSYS, {ERROR_UNSUPPORTED, "this kernel or machine cannot do it", MISSING_HINT}},
    {EBUSY,
     {ERROR_BUSY, "another attach is under way, or another rsprof holds the process",
      "Wait for the other attach, or detach the other rsprof."}},
    {ENOMEM, {RPC_INTERNAL_ERROR, "out of memory", "Close other programs and try again."}},
};

struct protocol_problem errors_describe(int error)
{
    if (error < 0)
        error = -error;
    for (size_t i = 0; i < ARRAY_LEN(problems); i++)
        if (problems[i].error == error)
            return problems[i].problem;
    return (struct protocol_problem){
        RPC_INTERNAL_ERROR, strerror(error),
        "Look at the server's log, and try again; if it stays, please report it."};
}

void errors_answer(struct rpc_request *request, int error, const char *message, const char *hint)
{
    struct protocol_problem problem = errors_describe(error);
    rpc_answer_error(request, problem.code, message && *message ? message : problem.message,
                     hint && *hint ? hint : problem.hint);
}
