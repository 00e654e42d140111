#include "hook/remote.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rights.h"
#include "hook/seccomp.h"
#include "target/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define USER_CODE_64 0x33 /* the cs of 64-bit programs */

/* ---- memory ---- */

/* The descriptor is of the program that runs now: should another take its place, it reads and writes nothing.
 * So when it took a right of ours to open it, what matters is whether we may attach afterwards. */
int remote_open_memory(pid_t pid, int *ret_mem_fd)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/mem", pid);
    OWNED_FD int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        WITH_RIGHTS(RIGHTS_TRACE);
        fd = open(name, O_RDWR | O_CLOEXEC);
    }
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : errno == EACCES ? -EPERM : -errno;
    int r = process_check_access(pid);
    if (r < 0)
        return r;
    *ret_mem_fd = take_fd(&fd);
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

/* ---- a thread of ours ---- */

struct work {
    int (*run)(void *userdata);
    void *userdata;
    int result;
};

static void *work_thread(void *userdata)
{
    struct work *work = userdata;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(),
                      -20); /* where allowed: the less the target waits for us */
    work->result = work->run(work->userdata);
    return NULL;
}

int remote_on_thread(int (*run)(void *userdata), void *userdata)
{
    struct work work = {.run = run, .userdata = userdata};
    pthread_t thread;
    int r = pthread_create(&thread, NULL, work_thread, &work);
    if (r)
        return -r;
    pthread_join(thread, NULL);
    return work.result;
}

/* ---- choosing a thread ---- */

int remote_thread_status(pid_t pid, pid_t tid, struct remote_thread_status *ret_status)
{
    char name[64], line[256];
    struct remote_thread_status status = {0};
    snprintf(name, sizeof(name), "/proc/%d/task/%d/status", pid, tid);
    OWNED_FILE FILE *file = fopen(name, "re");
    if (!file)
        return -ESRCH;
    while (fgets(line, sizeof(line), file)) {
        (void)(sscanf(line, "State: %c", &status.state) == 1 ||
               sscanf(line, "TracerPid: %d", &status.tracer) == 1 ||
               sscanf(line, "Seccomp: %d", &status.seccomp) == 1);
    }
    *ret_status = status;
    return 0;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

int remote_each_thread(pid_t pid, remote_thread_fn visit, void *userdata)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/task", pid);
    CLEANUP(close_dir) DIR *dir = opendir(name);
    if (!dir)
        return errno == ENOENT ? -ESRCH : -errno;
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (tid > 0)
            r = visit(userdata, tid);
    }
    return r;
}

/* How well a thread suits: best one without filters, and of those one that runs. 0: not at all; one that
 * sleeps or was stopped by job control does. */
static int suits(const struct remote_thread_status *status)
{
    int runs = status->state == 'R' ? 2 : status->state == 'S' || status->state == 'T' ? 1 : 0;
    return !runs || status->seccomp == SECCOMP_MODE_STRICT ? 0 : status->seccomp ? runs : runs + 2;
}

struct choice {
    pid_t pid, tid; /* tid: the best so far */
    int suits;      /* how well it does */
    bool seen;      /* a thread */
};

static int consider_thread(void *userdata, pid_t tid)
{
    struct choice *choice = userdata;
    struct remote_thread_status status;
    if (remote_thread_status(choice->pid, tid, &status) < 0)
        return 0;
    choice->seen = true;
    if (status.tracer == gettid())
        return 0; /* would not stop */
    if (status.tracer)
        return -EBUSY;
    if (suits(&status) > choice->suits) {
        choice->suits = suits(&status);
        choice->tid = tid;
    }
    return 0;
}

static int choose_thread(pid_t pid, pid_t *ret_tid)
{
    struct choice choice = {.pid = pid};
    int r = remote_each_thread(pid, consider_thread, &choice);
    if (r < 0)
        return r;
    if (!choice.suits)
        return choice.seen ? -ETIMEDOUT : -ESRCH;
    *ret_tid = choice.tid;
    return 0;
}

/* ---- stopping it ---- */

/* A thread on its way. */
struct errand {
    pid_t pid, tid;
    bool with_right; /* it took a right of ours to trace it */
    int mem_fd;
    uint64_t deadline_ns;
    uint64_t board; /* where the springboard stands */
    size_t board_len;
    struct user_regs_struct home; /* as it was found */
    uint64_t since_ns;            /* when it last stopped */
    uint64_t stopped_ns;
};

/* The signal to hand on when a thread in this stop goes on; 0 when the stop is not a signal's delivery. */
static int stop_signal(int status)
{
    return status >> 16 ? 0 : WSTOPSIG(status);
}

/* Looks whether the thread has stopped: 1, and `*ret_status`, or 0. */
static int look(const struct errand *errand, int *ret_status)
{
    int status;
    pid_t got = waitpid(errand->tid, &status, __WALL | WNOHANG);
    if (got < 0 && errno != EINTR)
        return -ESRCH;
    if (got != errand->tid)
        return 0;
    *ret_status = status;
    return WIFSTOPPED(status) ? 1 : -ESRCH;
}

/* Lets a stopped thread go on. If it is about to run a handler while it takes the springboard's last steps,
 * it is put home first, so that nothing comes back to the springboard. */
static int go_on(struct errand *errand, int signo)
{
    struct user_regs_struct regs;
    if (signo && errand->board_len && ptrace(PTRACE_GETREGS, errand->tid, 0, &regs) == 0 &&
        regs.rip - errand->board - springboard_last_steps() < errand->board_len - springboard_last_steps() &&
        ptrace(PTRACE_SETREGS, errand->tid, 0, &errand->home) < 0)
        return -errno;
    errand->stopped_ns += clock_now_ns() - errand->since_ns;
    return ptrace(PTRACE_CONT, errand->tid, 0, signo) < 0 ? -errno : 0;
}

/* A process that we stopped with a right of ours may have become another's meanwhile (exec): while it stands
 * still it remains what it is. */
static int look_at_stopped(const struct errand *errand, struct user_regs_struct *ret_regs)
{
    int r = errand->with_right ? process_check_access(errand->pid) : 0;
    return r < 0 ? r : seccomp_stopped_registers(errand->pid, errand->tid, ret_regs);
}

/* Brings a seized thread into the stop of an interruption, handing on signals that come first. The kernel
 * offers no wait with an end, and sleeping would cost more than the stop should last: looks again and again,
 * and slower after a while. */
static int interrupt(struct errand *errand, struct user_regs_struct *ret_regs)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000},
              NULL); /* come with a fresh time slice: it must not end in the stop */
    uint64_t patient_ns = clock_now_ns() + NS_PER_MS / 4;
    if (ptrace(PTRACE_INTERRUPT, errand->tid, 0, 0) < 0)
        return -errno;
    for (;;) {
        int status, r = look(errand, &status);
        if (r < 0)
            return r;
        errand->since_ns = clock_now_ns();
        if (r > 0 && status >> 16 == PTRACE_EVENT_STOP)
            return look_at_stopped(errand, ret_regs);
        if (r > 0 && (r = go_on(errand, stop_signal(status))) < 0)
            return r;
        if (errand->since_ns > errand->deadline_ns)
            return -ETIMEDOUT;
        if (errand->since_ns > patient_ns)
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
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
static int stop_for_errand(struct errand *errand, struct user_regs_struct *ret_regs)
{
    for (;;) {
        struct user_regs_struct regs;
        int r = interrupt(errand, &regs);
        if (r < 0)
            return r;
        if (regs.cs != USER_CODE_64)
            return -ENOTSUP;
        if (!in_restartable_sequence(errand->tid, errand->mem_fd, regs.rip)) {
            *ret_regs = regs;
            return 0;
        }
        r = go_on(errand, 0);
        if (r < 0)
            return r;
    }
}

/* ---- the errand ---- */

/* Asks the thread's filters, if it has any, about the calls that stand in the springboard. */
static int ask_filters(const struct errand *errand, const uint8_t *code)
{
    struct seccomp_data calls[SPRINGBOARD_CALLS_MAX + 1];
    struct remote_thread_status status;
    int r = remote_thread_status(errand->pid, errand->tid, &status);
    if (r < 0 || status.seccomp == SECCOMP_MODE_DISABLED)
        return r;
    return seccomp_check(errand->tid, calls, springboard_list_calls(errand->board, code, calls));
}

/* Builds the springboard and sends the thread there. */
static int send_off(struct errand *errand, const struct springboard_plan *plan)
{
    uint64_t all_signals = UINT64_MAX;
    struct springboard_plan full_plan = *plan;
    uint8_t code[SPRINGBOARD_BYTES_MAX];
    int r = stop_for_errand(errand, &errand->home);
    if (r < 0)
        return r;
    if (ptrace(PTRACE_GETSIGMASK, errand->tid, sizeof(full_plan.signal_mask), &full_plan.signal_mask) < 0)
        return -errno;
    struct user_regs_struct regs = errand->home;
    size_t len = springboard_build(errand->board, &regs, &full_plan, code);
    r = ask_filters(errand, code);
    if (r >= 0)
        r = remote_write(errand->mem_fd, errand->board, code, len);
    if (r < 0)
        return r;
    errand->board_len = len;
    regs.rip = errand->board + springboard_start();
    regs.orig_rax = UINT64_MAX; /* there is no system call to restart: the springboard sees to that */
    if (ptrace(PTRACE_SETREGS, errand->tid, 0, &regs) < 0 ||
        ptrace(PTRACE_SETSIGMASK, errand->tid, sizeof(all_signals), &all_signals) < 0)
        return -errno;
    return go_on(errand, 0);
}

/* Waits for the results, while the thread runs, handing on its signals. False when they do not come: the
 * first call failed, or the thread gets no time to run. */
static bool await_results(struct errand *errand, const struct springboard_plan *plan,
                          struct springboard_results *ret_results)
{
    uint64_t end_ns = clock_now_ns() + 20 * NS_PER_MS;
    while (clock_now_ns() < end_ns) {
        int status, r = look(errand, &status);
        if (r > 0) {
            errand->since_ns = clock_now_ns();
            (void)go_on(errand, stop_signal(status));
        }
        if (remote_read(errand->mem_fd, plan->results, ret_results, sizeof(*ret_results)) == 0 &&
            ret_results->done == plan->cookie)
            return true;
        if (r < 0)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 10000}, NULL);
    }
    return false;
}

/* Sees the thread off the springboard and takes that away. A thread that ended is off it, too. */
static int see_home(struct errand *errand)
{
    static const uint8_t zeros[SPRINGBOARD_BYTES_MAX];
    struct user_regs_struct regs = {0};
    for (;;) {
        int r = interrupt(errand, &regs);
        if (r == -ESRCH)
            break;
        if (r < 0)
            return r;
        if (regs.rip - errand->board >= errand->board_len)
            break;
        r = go_on(errand, 0);
        if (r < 0)
            return r;
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
    return remote_write(errand->mem_fd, errand->board, zeros, errand->board_len);
}

static int run_errand(struct errand *errand, const struct springboard_plan *plan,
                      struct springboard_results *ret_results)
{
    int r = send_off(errand, plan);
    if (r < 0)
        return r;
    errand->deadline_ns = clock_now_ns() + REMOTE_TIMEOUT_NS;
    struct springboard_results results = {0};
    bool done = !plan->results || await_results(errand, plan, &results);
    r = see_home(errand);
    if (!done)
        done = remote_read(errand->mem_fd, plan->results, &results, sizeof(results)) == 0 &&
               results.done == plan->cookie;
    if (done)
        *ret_results = results;
    return r < 0 ? r : done ? 0 : -ENOMEM;
}

bool remote_thread_is_ending(pid_t pid, pid_t tid)
{
    struct remote_thread_status status;
    for (int i = 0; i < 20; i++) {
        if (remote_thread_status(pid, tid, &status) < 0 || status.state == 'Z' || status.state == 'X')
            return true;
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS / 2}, NULL);
    }
    return false;
}

/* Yama allows the tracing of one's own processes to the holders of a right only. */
int remote_seize(pid_t tid, bool *with_right)
{
    if (ptrace(PTRACE_SEIZE, tid, 0, 0) == 0)
        return 0;
    if (errno != EPERM || !rights_have(RIGHTS_TRACE))
        return -errno;
    WITH_RIGHTS(RIGHTS_TRACE);
    *with_right = true;
    return ptrace(PTRACE_SEIZE, tid, 0, 0) < 0 ? -errno : 0;
}

/* Has one thread do it. −ESRCH, −ETIMEDOUT: it ended or would not stop, and another may be asked; −EIO: it
 * did not come back. */
static int try_thread(pid_t pid, pid_t tid, int mem_fd, uint64_t board, const struct springboard_plan *plan,
                      struct springboard_results *ret_results, uint64_t *stopped_ns)
{
    struct errand errand = {.pid = pid,
                            .tid = tid,
                            .mem_fd = mem_fd,
                            .board = board,
                            .deadline_ns = clock_now_ns() + REMOTE_TIMEOUT_NS / 4};
    int r = remote_seize(tid, &errand.with_right);
    if (r < 0)
        return r == -EPERM && remote_thread_is_ending(pid, tid) ? -ESRCH : r;
    r = run_errand(&errand, plan, ret_results);
    if (ptrace(PTRACE_DETACH, tid, 0, 0) == 0) /* fails where it runs or ended: our thread's end lets go */
        errand.stopped_ns += clock_now_ns() - errand.since_ns;
    *stopped_ns += errand.stopped_ns;
    return r == -ETIMEDOUT && errand.board_len ? -EIO : r;
}

int remote_run(pid_t pid, int mem_fd, const struct memory_maps *maps, const struct springboard_plan *plan,
               struct springboard_results *ret_results, uint64_t *stopped_ns)
{
    uint64_t board, deadline_ns = clock_now_ns() + REMOTE_TIMEOUT_NS;
    pid_t tid = 0;
    int r;
    while ((r = springboard_find_place(maps, mem_fd, &board)) == -EAGAIN && clock_now_ns() < deadline_ns)
        nanosleep(&(struct timespec){.tv_nsec = 10 * NS_PER_MS}, NULL);
    if (r < 0)
        return r;
    do {
        r = choose_thread(pid, &tid);
        if (r >= 0)
            r = try_thread(pid, tid, mem_fd, board, plan, ret_results, stopped_ns);
        else if (r != -ETIMEDOUT)
            return r;
    } while ((r == -ESRCH || r == -ETIMEDOUT) && clock_now_ns() < deadline_ns);
    for (size_t i = 0; i < plan->count && r >= 0; i++)
        if (ret_results->answers[i] < 0 && ret_results->answers[i] >= -4095)
            r = (int)ret_results->answers[i];
    return r;
}
