/* One attachment to one process, from attach to detach: owns probe, symbolizer and profile, and turns their
 * data into snapshots once a tick.
 *
 *     detached ── attach ──► attaching ── probes run ──► running ── target ends ──► lost
 *         ▲                                                 │                         │
 *         └──────────────── detach ─────────────────────────┴─────────────────────────┘
 *
 * `attach` from any state detaches first. Everything happens on the loop's thread; nothing blocks for longer
 * than a tick. Results go up through the observer only. Errors of `session_attach` come with a `struct
 * session_error` for people. */
#ifndef RSPROF_SESSION_H
#define RSPROF_SESSION_H

#include "base/loop.h"
#include "profile/snapshot.h"
#include "profile/stack_view.h"

#include <sys/types.h>

struct session;

enum session_state { SESSION_DETACHED = 0, SESSION_ATTACHING, SESSION_RUNNING, SESSION_LOST };

/* "detached", "attaching", "running", "lost". */
const char *session_state_name(enum session_state state);

enum heap_mode { HEAP_OFF = 0, HEAP_AUTO, HEAP_HOOK, HEAP_UPROBE };

/* "off", "auto", "hook", "uprobe". */
const char *heap_mode_name(enum heap_mode mode);
int heap_mode_parse(const char *name, enum heap_mode *ret_mode);

struct session_options {
    unsigned cpu_freq_hz; /* samples per second and thread */
    enum heap_mode heap;
    uint64_t heap_interval_bytes; /* mean bytes between heap samples; 0: chosen by rsprof */
    double window_sec;
    double budget_fraction; /* of the target's CPU time, that probes may cost */
    bool require_lines;     /* refuse a process whose own code has no line information: an editor could show
                               nothing */
};

#define SESSION_OPTIONS_DEFAULT                                                                              \
    ((struct session_options){.cpu_freq_hz = 199,                                                            \
                              .heap = HEAP_AUTO,                                                             \
                              .heap_interval_bytes = 0,                                                      \
                              .window_sec = 10,                                                              \
                              .budget_fraction = 0.02})

/* Why something could not be done, and what to do about it. Filled in on failure only. */
struct session_error {
    char message[256];
    char hint[512];
};

#define SESSION_HINTS_MAX 8

struct session_status {
    enum session_state state;
    pid_t pid;       /* 0 when detached */
    const char *exe; /* "" when detached */
    struct {
        uint64_t samples, lost;
        unsigned freq_hz;
        double stacks_complete; /* fraction of walks that reached the outermost frame */
        double process_cores;
    } cpu;
    struct {
        enum heap_mode mode; /* the one in use: never HEAP_AUTO */
        uint64_t interval_bytes;
        uint64_t samples, kernel_samples; /* by the hook: in all, and those that went through the kernel */
        double live_bytes, live_blocks, alloc_bytes_per_sec, allocs_per_sec;
        uint64_t lost;
        uint64_t process_heap_bytes; /* anonymous memory that the process holds, from /proc */
    } heap;
    double overhead_fraction; /* of the target's CPU time, spent in probes */
    struct {
        double first_annotation_ms; /* from attach to the first line with a number; 0: not yet */
        size_t modules;
        double progress; /* 0…1: symbols asked for that have been answered */
    } symbols;
    const char *hints[SESSION_HINTS_MAX]; /* sentences for people */
    size_t hint_count;
};

struct session_observer {
    /* The state changed. */
    void (*state_changed)(void *userdata, enum session_state state);
    /* A tick passed: snapshot and status are new. */
    void (*ticked)(void *userdata);
};

int session_new(struct loop *loop, const struct session_observer *observer, void *userdata,
                struct session **ret_session);
void session_free(struct session *session);

/* Folders that hold your code, absolute paths without a trailing slash; copied. None: every file that is not
 * a library's. */
int session_set_workspace(struct session *session, const char *const *folders, size_t count);

/* FROM=TO prefix rules for paths from DWARF, in place of those there were; copied. Files that have numbers
 * already follow at the next attach. −EINVAL, and nothing is changed, if one has no '=' or nothing before it.
 */
int session_set_source_map(struct session *session, const char *const *rules, size_t count);

/* −ESRCH no such process, −EPERM/−EACCES/−EXDEV not allowed, −ENOEXEC not Rust, −ENODATA no debug info,
 * −EBUSY somebody else's, −EOPNOTSUPP this kernel cannot; with `*ret_error` filled in. */
int session_attach(struct session *session, pid_t pid, const struct session_options *options,
                   struct session_error *ret_error);

/* Leaves the target as it was. Does nothing when detached. */
void session_detach(struct session *session);

/* CPU counts start anew; live heap stays. */
void session_reset(struct session *session);

/* What is known now; owned by the session, valid until the next tick or call. */
const struct session_status *session_status(struct session *session);
const struct snapshot *session_snapshot(struct session *session);
struct stack_view session_stacks(const struct session *session);

/* A file with code of the target, by the number that frames bear. */
struct session_module {
    const char *path;
    const uint8_t *build_id;
    size_t build_id_len;              /* 0: it has none */
    uint64_t start, end, file_offset; /* where its code is mapped; all 0: it is no longer */
    uint64_t bias;                    /* its addresses there − link-time addresses */
};

/* False: there is no module of this number, nor of any above. */
bool session_module(const struct session *session, uint32_t number, struct session_module *ret_module);

/* A caller or callee of a line: another line on the same stacks. */
struct session_relation {
    const char *function, *file; /* file "": unknown */
    uint32_t line;
    double share; /* of the line's total CPU in the window */
};

/* The lines that called into `file:line`, and those it called, most important first. Returns how many were
 * written. */
size_t session_callers(struct session *session, const char *file, uint32_t line,
                       struct session_relation *relations, size_t max);
size_t session_callees(struct session *session, const char *file, uint32_t line,
                       struct session_relation *relations, size_t max);

#endif
