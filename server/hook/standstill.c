#include "hook/standstill.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/remote.h"
#include "hook/seccomp.h"
#include "target/process.h"

#include <errno.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static bool is_known(const struct standstill *standstill, pid_t tid)
{
    for (size_t i = 0; i < standstill->threads.len; i++)
        if (standstill->threads.items[i].tid == tid)
            return true;
    return false;
}

/* A thread that is about to end may not be traced: the kernel answers as if it were forbidden. */
static int seize(struct standstill *standstill, pid_t pid, pid_t tid)
{
    struct remote_thread_status status;
    if (remote_thread_status(pid, tid, &status) < 0 || status.state == 'Z' || status.state == 'X')
        return 0;
    if (status.tracer)
        return -EBUSY;
    int r = remote_seize(tid, &standstill->with_right);
    if (r < 0)
        return r == -ESRCH || (r == -EPERM && remote_thread_is_ending(pid, tid)) ? 0 : r;
    struct still_thread *thread = vec_push(&standstill->threads);
    if (!thread)
        return -ENOMEM;
    *thread = (struct still_thread){.tid = tid};
    return 0;
}

struct seizing {
    struct standstill *standstill;
    pid_t pid;
};

static int seize_unless_known(void *userdata, pid_t tid)
{
    const struct seizing *seizing = userdata;
    return is_known(seizing->standstill, tid) ? 0 : seize(seizing->standstill, seizing->pid, tid);
}

static int seize_new(struct standstill *standstill, pid_t pid)
{
    struct seizing seizing = {standstill, pid};
    return remote_each_thread(pid, seize_unless_known, &seizing);
}

/* A stop for a signal is as good as any: the signal is handed on in the end. */
static bool has_stopped(pid_t pid, struct still_thread *thread)
{
    struct user_regs_struct regs;
    int status;
    if (thread->status)
        return true;
    pid_t got = waitpid(thread->tid, &status, __WALL | WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    thread->status = got == thread->tid && WIFSTOPPED(status) ? status : -1;
    if (thread->status > 0)
        (void)seccomp_stopped_registers(pid, thread->tid, &regs); /* fails when it was killed */
    return true;
}

/* Stops the threads from `first` on. */
static int stop(struct standstill *standstill, pid_t pid, size_t first, uint64_t deadline_ns)
{
    for (size_t i = first; i < standstill->threads.len; i++)
        (void)ptrace(PTRACE_INTERRUPT, standstill->threads.items[i].tid, 0, 0); /* fails when it has ended */
    for (size_t i = first; i < standstill->threads.len;) {
        if (has_stopped(pid, &standstill->threads.items[i]))
            i++;
        else if (clock_now_ns() > deadline_ns)
            return -ETIMEDOUT;
        else
            nanosleep(&(struct timespec){.tv_nsec = 10000}, NULL);
    }
    return 0;
}

int standstill_begin(struct standstill *standstill, pid_t pid, uint64_t timeout_ns)
{
    *standstill = (struct standstill){0};
    int r = seize_new(standstill, pid);
    nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL); /* come with a fresh time slice */
    standstill->since_ns = clock_now_ns();
    for (size_t known = 0; r == 0 && known < standstill->threads.len;) {
        size_t first = known;
        known = standstill->threads.len;
        r = stop(standstill, pid, first, standstill->since_ns + timeout_ns);
        if (r == 0)
            r = seize_new(standstill, pid);
    }
    if (r == 0 && !standstill->threads.len)
        r = -ESRCH;
    if (r == 0 && standstill->with_right)
        r = process_check_access(pid);
    if (r < 0)
        standstill_end(standstill);
    return r;
}

/* A thread that did not stop yet cannot be let go of: it is when our thread ends. */
uint64_t standstill_end(struct standstill *standstill)
{
    for (size_t i = 0; i < standstill->threads.len; i++) {
        const struct still_thread *thread = &standstill->threads.items[i];
        int signo = thread->status >> 16 ? 0 : WSTOPSIG(thread->status);
        if (thread->status > 0)
            (void)ptrace(PTRACE_DETACH, thread->tid, 0, signo);
    }
    vec_release(&standstill->threads);
    return clock_now_ns() - standstill->since_ns;
}
