#include "session/attach_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char setcap_hint[] = "Run rsprof as root, or give it the rights once: "
                                  "sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep $(command -v rsprof)";

struct explanation {
    int error;
    enum attach_step step;
    const char *message; /* one %d: the pid */
    const char *hint;
};

static const struct explanation explanations[] = {
    {-ESRCH, ATTACH_FIND, "There is no process %d.",
     "Choose a running process: `rsprof list` shows the Rust ones."},
    {-EPERM, ATTACH_FIND, "Process %d belongs to another user.",
     "Attach to a process of your own, or run rsprof as root."},
    {-EACCES, ATTACH_FIND, "Process %d may not be looked at.", setcap_hint},
    {-EPERM, ATTACH_LOAD, "The kernel refused the BPF programs for process %d.", setcap_hint},
    {-EACCES, ATTACH_LOAD, "The kernel refused the BPF programs for process %d.", setcap_hint},
    {-EOPNOTSUPP, ATTACH_LOAD, "This kernel cannot run the BPF programs for process %d.",
     "rsprof needs Linux 5.15 or newer with BPF and BTF (CONFIG_DEBUG_INFO_BTF)."},
    {-ENOEXEC, ATTACH_CODE, "Process %d runs no Rust code.",
     "Choose a Rust process: `rsprof list` shows them. A stripped binary needs its debug information back: "
     "set strip = false."},
    {-ENODATA, ATTACH_CODE, "Process %d was built without debug information, so its code has no lines.",
     "Add `[profile.release]` with `debug = \"line-tables-only\"` (and no `strip`) to Cargo.toml, build and "
     "start it again."},
};

int attach_error_fill(int error, enum attach_step step, pid_t pid, struct session_error *ret_error)
{
    for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++)
        if (explanations[i].error == error && explanations[i].step == step) {
            // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): the table above holds the formats
            snprintf(ret_error->message, sizeof(ret_error->message), explanations[i].message, pid);
            snprintf(ret_error->hint, sizeof(ret_error->hint), "%s", explanations[i].hint);
            return error;
        }
    snprintf(ret_error->message, sizeof(ret_error->message), "Attaching to process %d failed: %s.", pid,
             strerror(-error));
    snprintf(ret_error->hint, sizeof(ret_error->hint),
             "Try again; if it stays, run rsprof with --verbose and report what it says.");
    return error;
}
