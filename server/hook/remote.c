#include "hook/remote.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define USER_CODE_64 0x33 /* the cs of 64-bit programs */

/* ---- memory ---- */

int remote_open_memory(pid_t pid, int *ret_mem_fd)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/mem", pid);
    int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    *ret_mem_fd = fd;
    return 0;
}

int remote_read(int mem_fd, uint64_t address, void *buffer, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(mem_fd, (char *)buffer + done, len - done, (off_t)(address + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? -ESRCH : -EFAULT;
        done += (size_t)n;
    }
    return 0;
}

int remote_write(int mem_fd, uint64_t address, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(mem_fd, (const char *)bytes + done, len - done, (off_t)(address + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? -ESRCH : -EFAULT;
        done += (size_t)n;
    }
    return 0;
}

int remote_write_word(int mem_fd, uint64_t address, uint64_t word)
{
    if (address % sizeof(word))
        return -EINVAL;
    return remote_write(mem_fd, address, &word, sizeof(word));
}

/* ---- stopping ---- */

/* Waits for the thread's next stop. The kernel offers no wait with an end, and sleeping costs more than a
 * stop should last: look again and again, and take it slower after a while. */
static int wait_stop(pid_t tid, uint64_t deadline_ns, int *ret_status)
{
    uint64_t patient_ns = clock_now_ns() + 2 * NS_PER_MS;
    for (;;) {
        int status;
        pid_t got = waitpid(tid, &status, __WALL | WNOHANG);
        if (got < 0 && errno != EINTR)
            return -ESRCH;
        if (got == tid) {
            *ret_status = status;
            return WIFSTOPPED(status) ? 0 : -ESRCH;
        }
        uint64_t now_ns = clock_now_ns();
        if (now_ns > deadline_ns)
            return -ETIMEDOUT;
        if (now_ns > patient_ns)
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
}

/* The signal to hand on when a thread in this stop goes on; 0 when the stop is not a signal's delivery. */
static int stop_signal(int status)
{
    return status >> 16 ? 0 : WSTOPSIG(status);
}

/* Brings a seized thread into the stop of an interruption, handing on signals that come first. */
static int interrupt(pid_t tid, uint64_t deadline_ns, struct user_regs_struct *ret_regs)
{
    if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0)
        return -errno;
    for (;;) {
        int status, r = wait_stop(tid, deadline_ns, &status);
        if (r < 0)
            return r;
        if (status >> 16 == PTRACE_EVENT_STOP)
            return ptrace(PTRACE_GETREGS, tid, 0, ret_regs) < 0 ? -errno : 0;
        if (ptrace(PTRACE_CONT, tid, 0, stop_signal(status)) < 0)
            return -errno;
    }
}

/* Whether the thread stands in a restartable sequence: its code must not be left and entered again behind its
 * back. */
static bool in_restartable_sequence(pid_t tid, int mem_fd, uint64_t rip)
{
    struct __ptrace_rseq_configuration area;
    struct {
        uint32_t version, flags;
        uint64_t start, length, abort;
    } sequence;
    uint64_t current;
    if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(area), &area) <= 0 || !area.rseq_abi_pointer ||
        remote_read(mem_fd, area.rseq_abi_pointer + 8, &current, sizeof(current)) < 0 || !current ||
        remote_read(mem_fd, current, &sequence, sizeof(sequence)) < 0)
        return false;
    return rip - sequence.start < sequence.length;
}

/* Stops the thread where it may be led away. */
static int stop_thread(pid_t tid, int mem_fd, struct user_regs_struct *ret_regs)
{
    uint64_t deadline = clock_now_ns() + REMOTE_TIMEOUT_NS;
    for (;;) {
        struct user_regs_struct regs;
        int r = interrupt(tid, deadline, &regs);
        if (r < 0)
            return r;
        if (regs.cs != USER_CODE_64)
            return -ENOTSUP;
        if (!in_restartable_sequence(tid, mem_fd, regs.rip)) {
            *ret_regs = regs;
            return 0;
        }
        if (ptrace(PTRACE_CONT, tid, 0, 0) < 0)
            return -errno;
    }
}

/* Reads one thread's state and tracer from its status. */
static int thread_status(pid_t pid, pid_t tid, char *ret_state, pid_t *ret_tracer)
{
    char name[64], line[256], state = 0;
    pid_t tracer = 0;
    snprintf(name, sizeof(name), "/proc/%d/task/%d/status", pid, tid);
    OWNED_FILE FILE *file = fopen(name, "re");
    if (!file)
        return -ESRCH;
    while (fgets(line, sizeof(line), file)) {
        (void)(sscanf(line, "State: %c", &state) == 1 || sscanf(line, "TracerPid: %d", &tracer) == 1);
    }
    *ret_state = state;
    *ret_tracer = tracer;
    return 0;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* A thread that runs, sleeps or was stopped by job control; the first one, if it will do. */
static int choose_thread(pid_t pid, pid_t *ret_tid)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/task", pid);
    CLEANUP(close_dir) DIR *dir = opendir(name);
    if (!dir)
        return errno == ENOENT ? -ESRCH : -errno;
    pid_t chosen = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10), tracer;
        char state;
        if (tid <= 0 || thread_status(pid, tid, &state, &tracer) < 0)
            continue;
        if (tracer)
            return -EBUSY;
        if (strchr("RST", state) && !chosen)
            chosen = tid;
    }
    *ret_tid = chosen;
    return chosen ? 0 : -ETIMEDOUT;
}

int remote_stop(pid_t pid, const struct memory_maps *maps, int mem_fd, struct remote *ret_remote)
{
    struct remote remote = {.pid = pid, .mem_fd = mem_fd};
    uint8_t code[SPRINGBOARD_BYTES_MAX];
    int r = choose_thread(pid, &remote.tid);
    if (r < 0)
        return r;
    r = springboard_find_place(maps, mem_fd, &remote.board);
    if (r < 0)
        return r;
    if (ptrace(PTRACE_SEIZE, remote.tid, 0, 0) < 0)
        return -errno;
    r = stop_thread(remote.tid, mem_fd, &remote.regs);
    remote.stopped_ns = clock_now_ns();
    if (r >= 0) {
        remote.board_len = springboard_build(&remote.regs, code);
        r = remote_write(mem_fd, remote.board, code, remote.board_len);
    }
    if (r < 0) {
        (void)ptrace(PTRACE_DETACH, remote.tid, 0,
                     0); /* fails if it did not stop: then our thread's end does it */
        return r;
    }
    *ret_remote = remote;
    return 0;
}

/* ---- system calls ---- */

/* Whether `rip` lies between two offsets of the springboard. */
static bool on_board(const struct remote *remote, uint64_t rip, size_t from, size_t to)
{
    return rip - remote->board >= from && rip - remote->board < to;
}

static void spin(uint64_t ns)
{
    for (uint64_t end = clock_now_ns() + ns; clock_now_ns() < end;)
        ;
}

/* Lets the thread run until it waits on the springboard, looking after it ever more rarely. */
static int run_until_done(struct remote *remote, struct user_regs_struct *ret_regs)
{
    uint64_t deadline = clock_now_ns() + REMOTE_TIMEOUT_NS;
    for (uint64_t pause_ns = 15000;; pause_ns *= 2) {
        struct user_regs_struct regs;
        if (ptrace(PTRACE_CONT, remote->tid, 0, 0) < 0)
            return -errno;
        spin(pause_ns < NS_PER_MS ? pause_ns : NS_PER_MS);
        int r = interrupt(remote->tid, deadline, &regs);
        if (r < 0)
            return r;
        if (on_board(remote, regs.rip, springboard_done(), springboard_home())) {
            *ret_regs = regs;
            return 0;
        }
        if (clock_now_ns() > deadline)
            return -ETIMEDOUT;
    }
}

static int write_calls(const struct remote *remote, const struct springboard_call *calls, size_t count)
{
    const uint64_t end = UINT64_MAX;
    uint64_t at = remote->board + springboard_calls();
    int r = remote_write(remote->mem_fd, at, calls, count * sizeof(*calls));
    return r < 0 ? r : remote_write(remote->mem_fd, at + count * sizeof(*calls), &end, sizeof(end));
}

int remote_call(struct remote *remote, const struct springboard_call *calls, size_t count,
                int64_t ret_results[static SPRINGBOARD_CALLS_MAX])
{
    struct user_regs_struct regs = remote->regs;
    int r = write_calls(remote, calls, count);
    if (r < 0)
        return r;
    regs.rip = remote->board + springboard_start();
    regs.orig_rax = UINT64_MAX; /* there is no system call to restart */
    remote->called = true;
    if (ptrace(PTRACE_SETREGS, remote->tid, 0, &regs) < 0)
        return -errno;
    r = run_until_done(remote, &regs);
    if (r < 0)
        return r;
    const uint64_t latest[SPRINGBOARD_CALLS_MAX] = {regs.r15, regs.r14, regs.r13};
    for (size_t i = 0; i < regs.r12 && i < count; i++)
        ret_results[i] = (int64_t)latest[regs.r12 - 1 - i];
    return (int64_t)regs.r15 < 0 && (int64_t)regs.r15 >= -4095 ? (int)regs.r15 : 0;
}

/* The registers go back while the thread stands in a stop where the kernel itself sees to the system call it
 * came from: restarts it, or lets it fail with EINTR for a handler's sake. If a handler runs on top of the
 * springboard, the thread is left to find home by itself. */
int remote_release(struct remote *remote, uint64_t *ret_ns)
{
    static const uint8_t zeros[SPRINGBOARD_BYTES_MAX];
    struct user_regs_struct regs;
    int r = ptrace(PTRACE_GETREGS, remote->tid, 0, &regs) < 0
                ? interrupt(remote->tid, clock_now_ns() + REMOTE_TIMEOUT_NS,
                            &regs) /* left running by a failed call */
                : 0;
    if (r >= 0 && (!remote->called || on_board(remote, regs.rip, springboard_start(), springboard_calls()))) {
        if (ptrace(PTRACE_SETREGS, remote->tid, 0, &remote->regs) < 0)
            r = -errno;
        else
            r = remote_write(remote->mem_fd, remote->board, zeros, remote->board_len);
    }
    if (ptrace(PTRACE_DETACH, remote->tid, 0, 0) < 0 && r >= 0)
        r = -errno;
    *ret_ns = clock_now_ns() - remote->stopped_ns;
    return r;
}
