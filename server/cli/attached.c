#include "cli/attached.h"

#include "base/clock.h"
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>

struct run {
    struct attached *attached;
    double duration_sec;
    struct loop_event end, interrupt, terminate;
};

static void on_end(void *userdata)
{
    struct run *run = userdata;
    loop_stop(run->attached->loop);
}

static void on_interrupt(void *userdata)
{
    struct run *run = userdata;
    run->attached->interrupted = true;
    loop_stop(run->attached->loop);
}

static void on_state(void *userdata, enum session_state state)
{
    struct run *run = userdata;
    if (state == SESSION_LOST)
        loop_stop(run->attached->loop);
    if (state == SESSION_RUNNING && run->duration_sec > 0)
        loop_timer_start(run->attached->loop, &run->end, (uint64_t)(run->duration_sec * NS_PER_SEC), 0,
                         on_end, run);
}

static void on_tick(void *userdata)
{
    struct run *run = userdata;
    if (run->attached->ticked)
        run->attached->ticked(run->attached);
}

static const struct session_observer observer = {.state_changed = on_state, .ticked = on_tick};

static int attach_and_run(struct attached *attached, struct run *run)
{
    struct session_error error = {0};
    if (session_new(attached->loop, &observer, run, &attached->session) < 0 ||
        cli_options_apply(attached->options, attached->session) < 0 ||
        loop_signal_start(attached->loop, &run->interrupt, SIGINT, on_interrupt, run) < 0 ||
        loop_signal_start(attached->loop, &run->terminate, SIGTERM, on_interrupt, run) < 0) {
        fputs("rsprof: out of memory\n", stderr);
        return EXIT_OTHER;
    }
    int r = session_attach(attached->session, attached->options->pid, &attached->options->session, &error);
    if (r < 0) {
        fprintf(stderr, "rsprof: %s\n        %s\n", error.message, error.hint);
        return cli_exit_code(r);
    }
    loop_run(attached->loop);
    return EXIT_DONE;
}

int attached_run(struct attached *attached, double duration_sec)
{
    struct run run = {.attached = attached, .duration_sec = duration_sec};
    if (loop_new(&attached->loop) < 0) {
        fputs("rsprof: out of memory\n", stderr);
        return EXIT_OTHER;
    }
    int code = attach_and_run(attached, &run);
    loop_event_stop(&run.end);
    loop_event_stop(&run.interrupt);
    loop_event_stop(&run.terminate);
    return code;
}

void attached_release(struct attached *attached)
{
    session_free(attached->session);
    loop_free(attached->loop);
}
