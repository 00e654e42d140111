/* What the parts of a session share: session.c (states), sampling.c (ticks), budget.c, status.c. */
#ifndef RSPROF_SESSION_INTERNAL_H
#define RSPROF_SESSION_INTERNAL_H

#include "probe/probe.h"
#include "profile/profile.h"
#include "session/heap_hook.h"
#include "session/hints.h"
#include "session/modules.h"
#include "session/session.h"
#include "symbolizer/symbolizer.h"

/* What is known of one attachment; all zero before the next. */
struct session_run {
    enum heap_mode heap_mode;       /* in use */
    struct probe_stats probe_stats; /* at the last tick */
    struct hints notes; /* what went wrong since attach; hints of the moment are added in status.c */
    uint64_t attached_ns;
    double first_annotation_ms;
    uint64_t addresses_asked, addresses_answered;
    uint64_t last_refresh_ns;
    uint64_t last_govern_ns, last_govern_cpu_ns, start_cpu_ns;
    struct heap_hook_stats heap_hook_stats; /* as of the last tick */
    uint64_t image_bias;                    /* of the executable, as at attach */
    bool heap_started;                      /* or found that it cannot be */
    bool code_changed;                      /* since it was sent to the probe */
    bool extend_hook;                       /* modules came that the hook does not know yet */
    uint64_t last_cost_ns, last_cost_cpu_ns;
    double overhead; /* fraction of the target's CPU time */
    int symbolizer_restarts;
    uint64_t process_cpu_ns; /* at the last tick at which the target lived */
};

struct session {
    struct loop *loop;
    const struct session_observer *observer;
    void *userdata;
    struct source_paths paths;

    enum session_state state;
    struct session_options options;
    char *exe;
    int pidfd;
    struct loop_io exit_watch;
    struct loop_io stacks_watch;
    struct loop_event tick;
    struct symbolizer *symbolizer;
    struct probe *probe;
    struct profile *profile;
    struct modules modules;
    struct heap_hook *heap_hook; /* NULL: not in use */

    struct session_run run;

    struct session_status status;
    struct hints hints;
    struct snapshot empty;
};

void session_set_state(struct session *session, enum session_state state);

/* Whether the pid still means the process that was checked. */
bool session_target_lives(const struct session *session);

/* Ends everything that touches the target or the kernel; the profile stays to be looked at. */
void session_stop_probing(struct session *session);

/* Hands what the kernel has counted to the profile. */
void session_read_counters(struct session *session, uint64_t now_ns);

extern const struct symbolizer_observer session_symbolizer_observer; /* userdata: the session */

/* Loop callbacks; userdata: the session. */
void session_on_attaching(void *userdata);
void session_on_target_exit(void *userdata, int events);

#endif
