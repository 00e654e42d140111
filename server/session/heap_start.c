#include "session/heap_start.h"

#include "base/cleanup.h"
#include "session/session_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Functions to probe; owns their paths. */
struct heap_functions {
    struct heap_function *items;
    size_t len, capacity;
};

/* The file as the kernel finds it for a uprobe: the one that is mapped, whatever stands under its name today.
 */
static char *path_of_open_file(int fd)
{
    char *path;
    return asprintf(&path, "/proc/self/fd/%d", fd) < 0 ? NULL : path;
}

static void add_functions(const struct target_module *module, struct heap_functions *functions)
{
    for (size_t i = 0; i < module->heap_symbols.len; i++) {
        const struct heap_symbol *symbol = &module->heap_symbols.items[i];
        char *path = path_of_open_file(module->fd);
        struct heap_function *function = path ? vec_push(functions) : NULL;
        if (function)
            *function = (struct heap_function){
                .path = path, .file_offset = symbol->file_offset, .call = symbol->call};
        else
            free(path);
    }
}

static void release_functions(struct heap_functions *functions)
{
    for (size_t i = 0; i < functions->len; i++)
        free((char *)functions->items[i].path);
    vec_release(functions);
}

static int start_uprobes(struct session *session)
{
    struct heap_functions functions = {0};
    for (size_t i = 0; i < session->modules.items.len; i++)
        if (session->modules.items.items[i].fd >= 0)
            add_functions(&session->modules.items.items[i], &functions);
    if (!functions.len)
        hints_add(&session->run.notes,
                  "No allocator was found in the process: live heap is not tracked, CPU is.");
    int r = functions.len
                ? probe_start_heap(session->probe, session->modules.pid, functions.items, functions.len)
                : 0;
    if (r == 0 && functions.len)
        session->run.heap_mode = HEAP_UPROBE;
    release_functions(&functions);
    return r;
}

static int start_hook(struct session *session)
{
    return heap_hook_start(&session->modules, session->probe, session->options.heap_interval_bytes,
                           &session->heap_hook);
}

const char *hook_refusal(int error)
{
    switch (error) {
    case -ENODATA:
        return "no allocator call that can be hooked was found";
    case -ENOEXEC:
        return "its allocator begins with code that cannot be replaced";
    case -EBUSY:
        return "a debugger or another rsprof holds the process";
    case -ETIMEDOUT:
        return "its threads did not stop in time";
    case -ENOSYS:
        return "the process runs under a seccomp filter that does not allow it";
    case -EACCES:
        return "the kernel refuses uprobes, which take CAP_SYS_ADMIN before Linux 6.10";
    case -EPERM:
        return "the process may not be stopped, which Yama allows with CAP_SYS_PTRACE only, or runs under a "
               "seccomp filter, which only CAP_SYS_ADMIN may read";
    default:
        return strerror(-error);
    }
}

static void say_untracked(struct session *session, int error)
{
    hints_add(&session->run.notes,
              "Live heap is not tracked, CPU is: %s. `rsprof doctor %d` says what mends it.",
              hook_refusal(error), session->modules.pid);
}

/* Whether there is nothing else to try. */
static bool try_hook(struct session *session)
{
    int r = start_hook(session);
    if (r == -EAGAIN || r == -EIO ||
        r == -ETIMEDOUT) /* a thread that ended, or did not get to run: another may */
        r = start_hook(session);
    if (r == 0) {
        session->run.heap_mode = HEAP_HOOK;
        return true;
    }
    if (r == -EACCES) {
        say_untracked(session, r);
        return true;
    }
    hints_add(&session->run.notes, "Heap sampling inside the process is not possible (%s): %s",
              hook_refusal(r),
              session->options.heap == HEAP_HOOK
                  ? "live heap is not tracked. Use --heap auto to fall back to uprobes."
                  : "plain uprobes are used, which slow down a process that allocates much. Use --heap off "
                    "to avoid them.");
    return false;
}

void session_start_heap(struct session *session)
{
    enum heap_mode wanted = session->options.heap;
    session->run.heap_mode = HEAP_OFF;
    if (wanted == HEAP_OFF || (wanted != HEAP_UPROBE && try_hook(session)) || wanted == HEAP_HOOK)
        return;
    int r = start_uprobes(session);
    if (r < 0)
        say_untracked(session, r);
}
