/* The event loop: libev behind one door. Watchers sit inside their owners' structs; an owner stops them
 * before it dies. One loop, one thread. Callbacks may start and stop any watcher, their own too. */
#ifndef RSPROF_BASE_LOOP_H
#define RSPROF_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };

typedef void (*loop_io_fn)(void *userdata, int events);
typedef void (*loop_fn)(void *userdata);

/* A watched descriptor, which stays its owner's. */
struct loop_io {
    struct loop *loop;
    void *watcher; /* NULL: stopped */
    loop_io_fn callback;
    void *userdata;
};

/* A timer, or a signal. */
struct loop_event {
    struct loop *loop;
    void *watcher; /* NULL: stopped */
    loop_fn callback;
    void *userdata;
};

int loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop);

/* Runs until `loop_stop`. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* (Re)starts watching `fd` for LOOP_READABLE and/or LOOP_WRITABLE. */
int loop_io_start(struct loop *loop, struct loop_io *io, int fd, int events, loop_io_fn callback,
                  void *userdata);
void loop_io_stop(struct loop_io *io);

/* Calls back after `first_ns`, then every `repeat_ns` (0: once). */
int loop_timer_start(struct loop *loop, struct loop_event *timer, uint64_t first_ns, uint64_t repeat_ns,
                     loop_fn callback, void *userdata);

int loop_signal_start(struct loop *loop, struct loop_event *event, int signo, loop_fn callback,
                      void *userdata);
void loop_event_stop(struct loop_event *event);

#endif
