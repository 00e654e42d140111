#include "doctor/target.h"

#include "base/clock.h"
#include "base/rights.h"
#include "hook/remote.h"
#include "probe/probe.h"
#include "session/attach_error.h"
#include "session/heap_start.h"
#include "session/modules.h"
#include "target/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_LIMIT_NS (20 * NS_PER_SEC)

struct examination {
    struct checkup *checkup;
    pid_t pid;
    struct process process;
    struct symbolizer *symbolizer;
    struct modules modules;
    char debug_file[256]; /* the first that was found beside a Rust module; "": it has its own */
    char allocators[256];
};

static void fail_as_attach(struct check *check, int error, enum attach_step step, pid_t pid)
{
    struct session_error why;
    attach_error_fill(error, step, pid, &why);
    check_fail(check, error, "%s", why.hint);
}

/* ---- what the symbolizer says ---- */

static void note_allocator(struct examination *examination, const char *name, const char *path)
{
    char text[128];
    const char *slash = strrchr(path, '/');
    snprintf(text, sizeof(text), "%s in %.80s", name, slash ? slash + 1 : path);
    size_t len = strlen(examination->allocators);
    if (!strstr(examination->allocators, text))
        snprintf(examination->allocators + len, sizeof(examination->allocators) - len, "%s%s",
                 len ? ", " : "", text);
}

static void on_module_opened(void *userdata, uint32_t module, const struct module_info *info)
{
    struct examination *examination = userdata;
    modules_set_info(&examination->modules, module, info);
    const struct target_module *known = &examination->modules.items.items[module];
    if (!known->heap_symbols.len)
        return;
    for (size_t i = 0; i < info->allocator_symbol_count; i++) {
        const char *name = info->allocator_symbols[i].name;
        note_allocator(examination,
                       !strncmp(name, "_rjem", 5) || !strncmp(name, "je_", 3) ? "jemalloc"
                       : !strncmp(name, "mi_", 3)                             ? "mimalloc"
                                                                              : "malloc",
                       known->path);
    }
}

static void on_slots_scanned(void *userdata, uint32_t module, int error, const struct hook_scan *scan)
{
    (void)error; /* a module that cannot be scanned has no slots */
    struct examination *examination = userdata;
    modules_set_slots(&examination->modules, module, scan);
}

static void on_unwind_table(void *userdata, uint32_t module, int error, const union unwind_element *elements,
                            uint32_t element_count, uint32_t page_count, uint64_t start)
{
    (void)elements, (void)element_count;
    struct examination *examination = userdata;
    modules_set_table(&examination->modules, module, error == 0 ? page_count : 0, start);
}

static void on_file_found(void *userdata, uint32_t module, int fd)
{
    struct examination *examination = userdata;
    char link[64];
    (void)module;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (!examination->debug_file[0])
        (void)!readlink(link, examination->debug_file, sizeof(examination->debug_file) - 1);
}

static const struct symbolizer_observer observer = {
    .module_opened = on_module_opened,
    .slots_scanned = on_slots_scanned,
    .unwind_table = on_unwind_table,
    .file_found = on_file_found,
};

/* ---- checks ---- */

static void examine_architecture(struct examination *examination)
{
    bool known = false;
    for (size_t i = 0; i < examination->modules.items.len; i++) {
        const struct target_module *module = &examination->modules.items.items[i];
        known |=
            !strcmp(module->path, examination->process.exe) && (module->text_address || module->text_offset);
    }
    struct check *check =
        checkup_add(examination->checkup, "architecture", known ? "x86-64" : "not x86-64, or not readable");
    if (!known)
        fail_as_attach(check, -ENOEXEC, ATTACH_CODE, examination->pid);
}

static void examine_code(struct examination *examination)
{
    static const char *const levels[] = {"lines", "lines of Rust's own library only", "function names only",
                                         "none"};
    enum debug_level best = DEBUG_NONE;
    bool rust = modules_have_rust(&examination->modules, &best);
    struct check *check = checkup_add(examination->checkup, "Rust code", rust ? "yes" : "none found");
    if (!rust) {
        fail_as_attach(check, -ENOEXEC, ATTACH_CODE, examination->pid);
        return;
    }
    const char *file = examination->debug_file;
    check = checkup_add(examination->checkup, "debug information", "%s%s%s", levels[best],
                        best == DEBUG_NONE ? ""
                        : *file            ? ", in "
                                           : ", in the program itself",
                        best == DEBUG_NONE ? "" : file);
    if (best != DEBUG_LINES)
        fail_as_attach(check, -ENODATA, ATTACH_CODE, examination->pid);
}

/* Why the hook would not be used, as far as can be told without touching the process. */
static int foresee_hook(const struct examination *examination)
{
    OWNED_FD int mem_fd = -1;
    struct remote_thread_status status = {0};
    bool found = false;
    int r = rights_have(probe_rights()) ? 0 : -EACCES;
    if (r == 0)
        r = remote_thread_status(examination->pid, examination->pid, &status);
    if (r == 0 && status.tracer)
        r = -EBUSY;
    if (r == 0 && status.seccomp && !rights_have(RIGHT(CAP_SYS_ADMIN)))
        r = -EPERM;
    if (r == 0)
        r = remote_open_memory(examination->pid, &mem_fd);
    for (size_t i = 0; i < examination->modules.items.len; i++) {
        const struct target_module *module = &examination->modules.items.items[i];
        found |= module->hook_candidates.len || (module->rust && module->direct_functions.len);
    }
    return r < 0 ? r : found ? 0 : -ENODATA;
}

static void examine_heap(struct examination *examination)
{
    checkup_add(examination->checkup, "allocator", "%s",
                *examination->allocators ? examination->allocators : "none that is known");
    int r = foresee_hook(examination);
    bool uprobes = r != -EACCES && *examination->allocators;
    struct check *check = checkup_add(examination->checkup, "live heap", "%s",
                                      r == 0    ? "sampled inside the process (hook)"
                                      : uprobes ? "plain uprobes, within the budget"
                                                : "not tracked");
    if (r < 0)
        check_warn(check, "The hook is not possible: %s.", hook_refusal(r));
}

static int look_at_modules(struct examination *examination, struct loop *loop)
{
    bool changed;
    int r = symbolizer_new(loop, &observer, examination, &examination->symbolizer);
    if (r == 0)
        r = modules_refresh(&examination->modules, examination->symbolizer, &changed);
    uint64_t limit_ns = clock_now_ns() + ANSWER_LIMIT_NS;
    while (r == 0 && !modules_ready(&examination->modules) && clock_now_ns() < limit_ns)
        symbolizer_wait(examination->symbolizer, 50);
    return r;
}

/* Whether it may be looked at any further. */
static bool examine_process(struct examination *examination)
{
    struct checkup *checkup = examination->checkup;
    struct process *process = &examination->process;
    struct session_error why;
    pid_t pid = examination->pid;
    int r = process_read(pid, process);
    if (r < 0) {
        fail_as_attach(checkup_add(checkup, "process", "there is no process %d", pid), r, ATTACH_FIND, pid);
        return false;
    }
    checkup_add(checkup, "process", "%s, %s", process->name,
                *process->exe ? process->exe : "whose program is hidden");
    r = process_check_access(pid);
    if (r < 0)
        attach_error_fill(r, ATTACH_FIND, pid, &why);
    struct check *check = checkup_add(checkup, "owner", r < 0 ? "user %u: %s" : "user %u, may be attached to",
                                      (unsigned)process->uid, why.message);
    if (r < 0)
        check_fail(check, r, "%s", why.hint);
    return r == 0;
}

static void examine_program(struct examination *examination, struct loop *loop)
{
    modules_init(&examination->modules, examination->pid);
    int r = look_at_modules(examination, loop);
    if (r < 0) {
        fail_as_attach(checkup_add(examination->checkup, "program", "%s", strerror(-r)), r, ATTACH_FIND,
                       examination->pid);
    } else {
        examine_architecture(examination);
        examine_code(examination);
        examine_heap(examination);
    }
    symbolizer_free(examination->symbolizer);
    modules_release(&examination->modules);
}

void target_examine(struct checkup *checkup, struct loop *loop, pid_t pid)
{
    struct examination examination = {.checkup = checkup, .pid = pid};
    if (examine_process(&examination))
        examine_program(&examination, loop);
    process_release(&examination.process);
}
