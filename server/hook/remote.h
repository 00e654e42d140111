/* One thread of the target, stopped for a moment and made to run system calls.
 *
 * No function of the target is called: system calls run from a springboard (springboard.h), so that the
 * thread finds home by itself should rsprof die at any moment. For the same reason nothing is single-stepped
 * and the signal mask is left alone: a signal that comes meanwhile is delivered, its handler runs and returns
 * to the springboard.
 *
 * A thread that was interrupted in a system call goes back into it, or gets EINTR, as the kernel decides at
 * its release.
 *
 * Everything from stop to release happens on one thread of ours (ptrace wants it), whose end lets the target
 * go in any case. Errors: −EBUSY traced already, −EPERM/−EACCES not allowed, −ESRCH gone, −ETIMEDOUT no
 * thread would stop in REMOTE_TIMEOUT_NS, −ENOTSUP no place for a springboard, or not a 64-bit process. */
#ifndef RSPROF_HOOK_REMOTE_H
#define RSPROF_HOOK_REMOTE_H

#include "hook/springboard.h"
#include "target/maps.h"

#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define REMOTE_TIMEOUT_NS 200000000ull

struct remote {
    pid_t pid, tid;
    int mem_fd;                   /* /proc/PID/mem; the caller's */
    struct user_regs_struct regs; /* as the thread was */
    uint64_t board;               /* where the springboard stands */
    size_t board_len;
    bool called;         /* a system call was run: the thread is no longer where it was stopped */
    uint64_t stopped_ns; /* when */
};

/* Stops a thread and builds the springboard. `maps` are the target's. */
int remote_stop(pid_t pid, const struct memory_maps *maps, int mem_fd, struct remote *ret_remote);

/* Runs up to SPRINGBOARD_CALLS_MAX system calls, until one fails. `*ret_results` are what the kernel
 * answered; the return value is the first answer that is an error, or tells that they could not be run at
 * all. */
int remote_call(struct remote *remote, const struct springboard_call *calls, size_t count,
                int64_t ret_results[static SPRINGBOARD_CALLS_MAX]);

/* Lets the thread go as it was found. For how long it stood still is left in `*ret_ns`. */
int remote_release(struct remote *remote, uint64_t *ret_ns);

/* /proc/PID/mem. */
int remote_open_memory(pid_t pid, int *ret_mem_fd);

/* Reads and writes the target's memory, write-protected pages too. All, or −EFAULT (−ESRCH: the process is
 * gone). */
int remote_read(int mem_fd, uint64_t address, void *buffer, size_t len);
int remote_write(int mem_fd, uint64_t address, const void *bytes, size_t len);

/* One aligned word. The kernel copies it at once: other threads see the old or the new value. */
int remote_write_word(int mem_fd, uint64_t address, uint64_t word);

#endif
