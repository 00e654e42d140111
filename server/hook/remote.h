/* System calls run by a thread of the target, which is stopped for some microseconds to be sent there.
 *
 * No function of the target is called: the calls run from a springboard (springboard.h). The thread is
 * stopped twice, to be sent off and to see that it is home, and is never waited for: it needs nobody to lead
 * it. Nothing is single-stepped and the signal mask is left alone, so that signals find their handlers as
 * ever, and rsprof may die at any moment.
 *
 * Call through remote_on_thread.
 * A thread under seccomp is sent only if its filters let the plan's calls through.
 *
 * Errors: −EBUSY traced already, −EPERM/−EACCES not allowed (or its filters cannot be read), −ENOSYS its
 * filters do not allow it, −ESRCH gone, −ETIMEDOUT no thread would stop, or the one sent did not come back,
 * in REMOTE_TIMEOUT_NS; −ENOTSUP no place for a springboard, or not a 64-bit process; −ENOMEM the plan's
 * memory could not be made. */
#ifndef RSPROF_HOOK_REMOTE_H
#define RSPROF_HOOK_REMOTE_H

#include "hook/springboard.h"
#include "target/maps.h"

#include <stdint.h>
#include <sys/types.h>

#define REMOTE_TIMEOUT_NS 2000000000ull

/* Does as planned. Answers of the kernel that are errors are errors of this too; `*ret_results` has all that
 * came, then too. Adds the time the thread stood still to `*stopped_ns`. */
int remote_run(pid_t pid, int mem_fd, const struct memory_maps *maps, const struct springboard_plan *plan,
               struct springboard_results *ret_results, uint64_t *stopped_ns);

/* Runs it on a thread of ours that ends then, which makes the kernel let go of all that it traced, whatever
 * went wrong. Returns what it returned, or what pthread_create said. */
int remote_on_thread(int (*run)(void *userdata), void *userdata);

/* A thread as proc(5) has it. −ESRCH. */
struct remote_thread_status {
    char state;
    pid_t tracer; /* 0: nobody */
    int seccomp;  /* SECCOMP_MODE_… */
};

int remote_thread_status(pid_t pid, pid_t tid, struct remote_thread_status *ret_status);

/* A thread that is about to end may not be traced: the kernel answers as if it were forbidden. */
bool remote_thread_is_ending(pid_t pid, pid_t tid);

/* PTRACE_SEIZE. Sets `*with_right` where that took a right of ours: the process may have become another's
 * (exec) since it was checked, and process_check_access must be asked again when it has stopped. */
int remote_seize(pid_t tid, bool *with_right);

/* Calls back for each thread there is now, until the callback returns other than 0: returns that. −ESRCH: the
 * process is gone. */
typedef int (*remote_thread_fn)(void *userdata, pid_t tid);
int remote_each_thread(pid_t pid, remote_thread_fn visit, void *userdata);

/* /proc/PID/mem. */
int remote_open_memory(pid_t pid, int *ret_mem_fd);

/* Reads and writes the target's memory, write-protected pages too. All, or −EFAULT (−ESRCH: the process is
 * gone). */
int remote_read(int mem_fd, uint64_t address, void *buffer, size_t len);
int remote_write(int mem_fd, uint64_t address, const void *bytes, size_t len);

/* One aligned word. The kernel copies it at once: other threads see the old or the new value. */
int remote_write_word(int mem_fd, uint64_t address, uint64_t word);

#endif
