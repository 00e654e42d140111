#include "symbolizer/sandbox.h"

#include "base/cleanup.h"
#include "symbolizer/syscall_filter.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Memory of the child's own, beside the files it maps: what it parsed, and sections it inflated. */
#define MEMORY_MAX_BYTES (4ull << 30)
#define TABLE_MAX_BYTES  (1ull << 30)

int sandbox_drop_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -errno;
    if (syscall(SYS_capset, &header, none) < 0)
        return -errno;
    return 0;
}

/* The parent's pages that a fork shares instead of copying: BPF maps, ring buffers. */
static int unmap_shared(void)
{
    OWNED_FILE FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    struct {
        uint64_t start, end;
    } shared[256];
    size_t count = 0;
    if (!maps)
        return -errno;
    while (fgets(line, sizeof(line), maps)) {
        uint64_t start, end;
        char mode[5];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, mode) != 3 || mode[3] != 's')
            continue;
        if (count == sizeof(shared) / sizeof(shared[0]))
            return -E2BIG;
        shared[count].start = start;
        shared[count++].end = end;
    }
    for (size_t i = 0; i < count; i++)
        if (munmap((void *)(uintptr_t)shared[i].start, shared[i].end - shared[i].start) < 0)
            return -errno;
    return 0;
}

static int close_others(int keep_fd)
{
    OWNED_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return -errno;
    if (keep_fd > 3 && syscall(SYS_close_range, 3, keep_fd - 1, 0) < 0)
        return -errno;
    if (syscall(SYS_close_range, keep_fd + 1, ~0u, 0) < 0)
        return -errno;
    (void)take_fd(&null); /* closed with the others */
    return 0;
}

static int limit(int resource, uint64_t most)
{
    struct rlimit current;
    if (getrlimit(resource, &current) < 0)
        return -errno;
    if (current.rlim_max != RLIM_INFINITY && current.rlim_max < most)
        most = current.rlim_max;
    struct rlimit lowered = {most, most};
    return setrlimit(resource, &lowered) < 0 ? -errno : 0;
}

/* Never more than half of the machine. The address sanitizer's shadow takes terabytes: it goes without a
 * limit. */
static int limit_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 0;
#else
    uint64_t half = (uint64_t)sysconf(_SC_PHYS_PAGES) / 2 * (uint64_t)sysconf(_SC_PAGESIZE);
    return limit(RLIMIT_DATA, half < MEMORY_MAX_BYTES ? half : MEMORY_MAX_BYTES);
#endif
}

/* When memory is short, this process goes before its parent does. A wish, not a need. */
static void offer_to_oom_killer(void)
{
    OWNED_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "1000", 4) < 0)
        return;
}

static int limit_resources(void)
{
    int r = limit(RLIMIT_CORE, 0);
    if (r == 0)
        r = limit(RLIMIT_NOFILE, 64);
    if (r == 0)
        r = limit(RLIMIT_FSIZE, TABLE_MAX_BYTES);
    if (r == 0)
        r = limit_memory();
    return r;
}

/* Handlers are the parent's code; a terminal's signals are for the parent to handle. */
static int reset_signals(void)
{
    sigset_t none;
    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, signo == SIGINT || signo == SIGPIPE || signo == SIGHUP ? SIG_IGN : SIG_DFL);
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

int sandbox_enter(int keep_fd, pid_t parent)
{
    offer_to_oom_killer();
    int r = reset_signals();
    if (r == 0)
        r = die_with(parent);
    if (r == 0)
        r = close_others(keep_fd);
    if (r == 0)
        r = unmap_shared();
    if (r == 0)
        r = sandbox_drop_privileges();
    /* Dropping capabilities resets this one, so it comes after. */
    if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        r = -errno;
    if (r == 0)
        r = limit_resources();
    return r < 0 ? r : syscall_filter_install();
}
