#include "base/loop.h"

#include "base/clock.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>

struct loop {
    struct ev_loop *ev;
};

int loop_new(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return -ENOMEM;
    loop->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (!loop->ev) {
        free(loop);
        return -ENOMEM;
    }
    *ret_loop = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    ev_loop_destroy(loop->ev);
    free(loop);
}

void loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
}

void loop_stop(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}

static void on_io(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    struct loop_io *io = watcher->data;
    io->callback(io->userdata,
                 (events & EV_READ ? LOOP_READABLE : 0) | (events & EV_WRITE ? LOOP_WRITABLE : 0));
}

int loop_io_start(struct loop *loop, struct loop_io *io, int fd, int events, loop_io_fn callback,
                  void *userdata)
{
    loop_io_stop(io);
    ev_io *watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return -ENOMEM;
    *io = (struct loop_io){.loop = loop, .watcher = watcher, .callback = callback, .userdata = userdata};
    ev_io_init(watcher, on_io, fd,
               (events & LOOP_READABLE ? EV_READ : 0) | (events & LOOP_WRITABLE ? EV_WRITE : 0));
    watcher->data = io;
    ev_io_start(loop->ev, watcher);
    return 0;
}

void loop_io_stop(struct loop_io *io)
{
    if (!io->watcher)
        return;
    ev_io_stop(io->loop->ev, io->watcher);
    free(io->watcher);
    io->watcher = NULL;
}

/* A timer and a signal differ in type only; the first member of both is libev's common watcher head. */
union event_watcher {
    ev_timer timer;
    ev_signal signal;
};

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev;
    (void)events;
    struct loop_event *event = watcher->data;
    event->callback(event->userdata);
}

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
    (void)ev;
    (void)events;
    struct loop_event *event = watcher->data;
    event->callback(event->userdata);
}

static int event_init(struct loop *loop, struct loop_event *event, loop_fn callback, void *userdata,
                      union event_watcher **ret_watcher)
{
    loop_event_stop(event);
    union event_watcher *watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return -ENOMEM;
    *event =
        (struct loop_event){.loop = loop, .watcher = watcher, .callback = callback, .userdata = userdata};
    *ret_watcher = watcher;
    return 0;
}

int loop_timer_start(struct loop *loop, struct loop_event *timer, uint64_t first_ns, uint64_t repeat_ns,
                     loop_fn callback, void *userdata)
{
    union event_watcher *watcher;
    int r = event_init(loop, timer, callback, userdata, &watcher);
    if (r < 0)
        return r;
    ev_now_update(loop->ev);
    ev_timer_init(&watcher->timer, on_timer, (double)first_ns / NS_PER_SEC, (double)repeat_ns / NS_PER_SEC);
    watcher->timer.data = timer;
    ev_timer_start(loop->ev, &watcher->timer);
    return 0;
}

int loop_signal_start(struct loop *loop, struct loop_event *event, int signo, loop_fn callback,
                      void *userdata)
{
    union event_watcher *watcher;
    int r = event_init(loop, event, callback, userdata, &watcher);
    if (r < 0)
        return r;
    ev_signal_init(&watcher->signal, on_signal, signo);
    watcher->signal.data = event;
    ev_signal_start(loop->ev, &watcher->signal);
    return 0;
}

void loop_event_stop(struct loop_event *event)
{
    union event_watcher *watcher = event->watcher;
    if (!watcher)
        return;
    if (watcher->timer.cb == on_timer)
        ev_timer_stop(event->loop->ev, &watcher->timer);
    else
        ev_signal_stop(event->loop->ev, &watcher->signal);
    free(watcher);
    event->watcher = NULL;
}
