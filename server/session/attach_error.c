#include "session/attach_error.h"

#include "base/buf.h"
#include "base/rights.h"
#include "probe/probe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define NEEDS_RIGHTS NULL /* as a hint: the setcap command */

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
    {-EACCES, ATTACH_FIND, "Process %d has rights of its own, or hides its memory.",
     "A set-user-ID or set-group-ID file, capabilities or PR_SET_DUMPABLE protect it: run rsprof as root (in "
     "a "
     "container, one with CAP_SYS_PTRACE)."},
    {-EXDEV, ATTACH_FIND, "Process %d is in another user namespace, a container perhaps.",
     "Run rsprof where the process runs, or as root."},
    {-EPERM, ATTACH_LOAD, "The kernel refused the BPF programs for process %d.", NEEDS_RIGHTS},
    {-EACCES, ATTACH_LOAD, "The kernel refused the BPF programs for process %d.", NEEDS_RIGHTS},
    {-EOPNOTSUPP, ATTACH_LOAD, "This kernel cannot run the BPF programs for process %d.",
     "rsprof needs Linux 5.15 or newer with BPF and BTF (CONFIG_DEBUG_INFO_BTF)."},
    {-EACCES, ATTACH_CLOCK, "The kernel lets nobody but root sample process %d.",
     "Run rsprof as root, or take back what Debian and Ubuntu have added to the kernel's own levels: "
     "sudo sysctl kernel.perf_event_paranoid=2"},
    {-ENOEXEC, ATTACH_CODE, "Process %d runs no Rust code.",
     "Choose a Rust process: `rsprof list` shows them. A stripped binary needs its debug information back: "
     "set strip = false."},
    {-ENODATA, ATTACH_CODE, "Process %d was built without debug information, so its code has no lines.",
     "Add `[profile.release]` with `debug = \"line-tables-only\"` (and no `strip`) to Cargo.toml, build and "
     "start it again."},
};

/* As a shell reads it. */
static void append_word(struct buf *command, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";
    if (!word[strspn(word, plain)]) {
        buf_append_str(command, word);
        return;
    }
    buf_append_str(command, "'");
    for (; *word; word++)
        buf_append_str(command, *word == '\'' ? "'\\''" : (char[]){*word, '\0'});
    buf_append_str(command, "'");
}

void setcap_command(char *ret_command, size_t size)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    OWNED_BUF struct buf command = BUF_INIT;
    buf_appendf(&command, "sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace%s+ep ",
                probe_rights() & RIGHT(CAP_SYS_ADMIN) ? ",cap_sys_admin" : "");
    append_word(&command, len > 0 ? path : "rsprof");
    snprintf(ret_command, size, "%s", command.data ? command.data : "");
}

static void fill_hint(const char *hint, struct session_error *ret_error)
{
    char command[PATH_MAX];
    if (hint != NEEDS_RIGHTS) {
        snprintf(ret_error->hint, sizeof(ret_error->hint), "%s", hint);
        return;
    }
    setcap_command(command, sizeof(command));
    snprintf(ret_error->hint, sizeof(ret_error->hint),
             "Run rsprof as root, or give it the rights once: %.400s", command);
}

int attach_error_fill(int error, enum attach_step step, pid_t pid, struct session_error *ret_error)
{
    for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++)
        if (explanations[i].error == error && explanations[i].step == step) {
            // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): the table above holds the formats
            snprintf(ret_error->message, sizeof(ret_error->message), explanations[i].message, pid);
            fill_hint(explanations[i].hint, ret_error);
            return error;
        }
    snprintf(ret_error->message, sizeof(ret_error->message), "Attaching to process %d failed: %s.", pid,
             strerror(-error));
    if (error == -ENOMEM)
        snprintf(ret_error->hint, sizeof(ret_error->hint),
                 "Free memory, or raise the limit that rsprof runs under (`ulimit -v`, a container's).");
    else
        snprintf(ret_error->hint, sizeof(ret_error->hint),
                 "`rsprof doctor %d` says what is missing. If that is nothing, try again.", pid);
    return error;
}
