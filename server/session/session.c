#include "session/session.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "session/attach_error.h"
#include "session/session_internal.h"
#include "target/process.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

#define READY_POLL_NS   (10 * NS_PER_MS)
#define MODULES_WAIT_MS 3000 /* for the symbolizer to open the modules */
#define RELATIONS_MAX   16

static const char *const state_names[] = {"detached", "attaching", "running", "lost"};
static const char *const heap_mode_names[] = {"off", "auto", "hook", "uprobe"};

const char *session_state_name(enum session_state state)
{
    return state_names[state];
}

const char *heap_mode_name(enum heap_mode mode)
{
    return heap_mode_names[mode];
}

int heap_mode_parse(const char *name, enum heap_mode *ret_mode)
{
    for (size_t i = 0; i < sizeof(heap_mode_names) / sizeof(heap_mode_names[0]); i++)
        if (!strcmp(name, heap_mode_names[i])) {
            *ret_mode = (enum heap_mode)i;
            return 0;
        }
    return -EINVAL;
}

int session_new(struct loop *loop, const struct session_observer *observer, void *userdata,
                struct session **ret_session)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return -ENOMEM;
    *session = (struct session){.loop = loop, .observer = observer, .userdata = userdata, .pidfd = -1};
    int r = source_paths_init(&session->paths);
    if (r < 0) {
        free(session);
        return r;
    }
    *ret_session = session;
    return 0;
}

void session_set_state(struct session *session, enum session_state state)
{
    if (session->state == state)
        return;
    session->state = state;
    session->observer->state_changed(session->userdata, state);
}

void session_stop_probing(struct session *session)
{
    loop_event_stop(&session->tick);
    loop_io_stop(&session->exit_watch);
    loop_io_stop(&session->stacks_watch);
    heap_hook_stop(session->heap_hook);
    session->heap_hook = NULL;
    probe_free(session->probe);
    session->probe = NULL;
    cleanup_fd(&session->pidfd);
    session->pidfd = -1;
}

static void release_target(struct session *session)
{
    session_stop_probing(session);
    symbolizer_free(session->symbolizer);
    session->symbolizer = NULL;
    profile_free(session->profile);
    session->profile = NULL;
    modules_release(&session->modules);
    free(session->exe);
    session->exe = NULL;
    session->run = (struct session_run){0};
}

void session_free(struct session *session)
{
    if (!session)
        return;
    release_target(session);
    source_paths_release(&session->paths);
    free(session);
}

int session_set_workspace(struct session *session, const char *const *folders, size_t count)
{
    return source_paths_set_folders(&session->paths, folders, count);
}

int session_set_source_map(struct session *session, const char *const *rules, size_t count)
{
    return source_paths_set_rules(&session->paths, rules, count);
}

/* Attach and detach. */

static int hold_target(struct session *session, pid_t pid)
{
    session->pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (session->pidfd >= 0)
        return 0;
    return pid > 0 && errno != EINVAL ? -errno : -ESRCH;
}

bool session_target_lives(const struct session *session)
{
    struct pollfd ended = {.fd = session->pidfd, .events = POLLIN};
    return poll(&ended, 1, 0) == 0;
}

/* What is looked at by its pid is the process we hold, as long as that one still lives afterwards. */
static int check_target(struct session *session, pid_t pid, struct session_error *ret_error)
{
    struct process process;
    int r = hold_target(session, pid);
    if (r == 0)
        r = process_read(pid, &process);
    if (r == 0) {
        session->exe = take_ptr(process.exe);
        process_release(&process);
        r = process_check_access(pid);
    }
    if (r == 0 && !session_target_lives(session))
        r = -ESRCH;
    if (r == 0 && !session->exe[0])
        r = -EACCES;
    return r < 0 ? attach_error_fill(r, ATTACH_FIND, pid, ret_error) : 0;
}

static bool modules_are_open(const struct session *session)
{
    for (size_t i = 0; i < session->modules.items.len; i++)
        if (!session->modules.items.items[i].opened)
            return false;
    return true;
}

/* Whether there is Rust code, and lines for it. Waits for the symbolizer to look at the modules, not to index
 * them. */
static int check_code(struct session *session, struct session_error *ret_error)
{
    uint64_t limit_ns = clock_now_ns() + MODULES_WAIT_MS * NS_PER_MS;
    while (!modules_are_open(session) && clock_now_ns() < limit_ns)
        symbolizer_wait(session->symbolizer, 50);
    if (!modules_are_open(session))
        return 0; /* too large to tell soon: go on, hints will say */
    enum debug_level best;
    if (!modules_have_rust(&session->modules, &best))
        return attach_error_fill(-ENOEXEC, ATTACH_CODE, session->modules.pid, ret_error);
    if (best == DEBUG_NONE || (session->options.require_lines && best != DEBUG_LINES))
        return attach_error_fill(-ENODATA, ATTACH_CODE, session->modules.pid, ret_error);
    return 0;
}

static int begin(struct session *session, pid_t pid, struct session_error *ret_error)
{
    int r = probe_new(&session->probe);
    if (r < 0)
        return attach_error_fill(r, ATTACH_LOAD, pid, ret_error);
    r = probe_try_cpu();
    if (r < 0)
        return attach_error_fill(r, ATTACH_CLOCK, pid, ret_error);
    modules_init(&session->modules, pid);
    bool changed;
    r = symbolizer_new(session->loop, &session_symbolizer_observer, session, &session->symbolizer);
    if (r == 0)
        r = profile_new(session->options.window_sec, &session->paths, &session->profile);
    if (r == 0)
        r = modules_refresh(&session->modules, session->symbolizer, &changed);
    if (r < 0)
        return attach_error_fill(r, ATTACH_FIND, pid, ret_error);
    r = check_code(session, ret_error);
    if (r < 0)
        return r;
    r = loop_io_start(session->loop, &session->exit_watch, session->pidfd, LOOP_READABLE,
                      session_on_target_exit, session);
    if (r == 0)
        r = loop_timer_start(session->loop, &session->tick, 0, READY_POLL_NS, session_on_attaching, session);
    return r < 0 ? attach_error_fill(r, ATTACH_FIND, pid, ret_error) : 0;
}

int session_attach(struct session *session, pid_t pid, const struct session_options *options,
                   struct session_error *ret_error)
{
    session_detach(session);
    session->options = *options;
    session->run.attached_ns = clock_now_ns();
    int r = check_target(session, pid, ret_error);
    if (r == 0)
        r = begin(session, pid, ret_error);
    if (r < 0) {
        release_target(session);
        return r;
    }
    session_set_state(session, SESSION_ATTACHING);
    return 0;
}

void session_detach(struct session *session)
{
    release_target(session);
    session_set_state(session, SESSION_DETACHED);
}

void session_reset(struct session *session)
{
    if (session->profile)
        profile_reset(session->profile);
}

const struct snapshot *session_snapshot(struct session *session)
{
    return session->profile ? profile_snapshot(session->profile) : &session->empty;
}

struct stack_view session_stacks(const struct session *session)
{
    return session->profile ? profile_stacks(session->profile) : (struct stack_view){0};
}

bool session_module(const struct session *session, uint32_t number, struct session_module *ret_module)
{
    if (number >= session->modules.items.len)
        return false;
    const struct target_module *module = &session->modules.items.items[number];
    struct session_module found = {
        .path = module->path, .build_id = module->build_id, .build_id_len = module->build_id_len};
    const struct memory_map *map = modules_code(&session->modules, number);
    if (map && modules_bias(&session->modules, number, &found.bias) == 0) {
        found.start = map->start;
        found.end = map->end;
        found.file_offset = map->offset;
    }
    *ret_module = found;
    return true;
}

static size_t relations_of(struct session *session, const char *file, uint32_t line, bool callers,
                           struct session_relation *relations, size_t max)
{
    if (!session->profile)
        return 0;
    if (max > RELATIONS_MAX)
        max = RELATIONS_MAX;
    struct profile_relation found[RELATIONS_MAX];
    size_t count = profile_relations(session->profile, file, line, callers, found, max);
    for (size_t i = 0; i < count; i++)
        relations[i] =
            (struct session_relation){found[i].function, found[i].file, found[i].line, found[i].share};
    return count;
}

size_t session_callers(struct session *session, const char *file, uint32_t line,
                       struct session_relation *relations, size_t max)
{
    return relations_of(session, file, line, true, relations, max);
}

size_t session_callees(struct session *session, const char *file, uint32_t line,
                       struct session_relation *relations, size_t max)
{
    return relations_of(session, file, line, false, relations, max);
}
