#include "target/process.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/vec.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static int read_proc_file(pid_t pid, const char *file, struct buf *text)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/%s", pid, file);
    OWNED_FD int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    int r = buf_read_all(text, fd);
    if (r == 0 && !text->data)
        return buf_append(text, "", 0);
    return r;
}

/* The value of "Name:\t123 …" in /proc/PID/status. */
static int status_number(const char *status, const char *name, uint64_t *ret_value)
{
    size_t len = strlen(name);
    for (const char *line = status; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, name, len) && line[len] == ':')
            return sscanf(line + len + 1, "%" SCNu64, ret_value) == 1 ? 0 : -EBADMSG;
    }
    return -ENODATA;
}

struct process_times {
    uint64_t user, system, start; /* clock ticks; start is since boot */
};

/* /proc/PID/stat: the name stands in parentheses and may hold anything, so fields count from the last ')'. */
static int read_times(pid_t pid, struct process_times *ret_times)
{
    OWNED_BUF struct buf stat = BUF_INIT;
    int r = read_proc_file(pid, "stat", &stat);
    if (r < 0)
        return r;
    const char *fields = strrchr(stat.data, ')');
    struct process_times times;
    if (!fields || sscanf(fields + 1,
                          " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64
                          " %*s %*s %*s %*s %*s %*s %" SCNu64,
                          &times.user, &times.system, &times.start) != 3)
        return -EBADMSG;
    *ret_times = times;
    return 0;
}

int process_cpu_ns(pid_t pid, uint64_t *ret_cpu_ns)
{
    /* The clock of a process counts nanoseconds; /proc counts hundredths of a second. */
    clockid_t clock;
    struct timespec cpu;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &cpu))
        return -ESRCH;
    *ret_cpu_ns = (uint64_t)cpu.tv_sec * NS_PER_SEC + (uint64_t)cpu.tv_nsec;
    return 0;
}

int process_anon_bytes(pid_t pid, uint64_t *ret_bytes)
{
    OWNED_BUF struct buf status = BUF_INIT;
    uint64_t kib;
    int r = read_proc_file(pid, "status", &status);
    if (r == 0)
        r = status_number(status.data, "RssAnon", &kib);
    if (r == 0)
        *ret_bytes = kib * 1024;
    return r;
}

static char *read_exe_path(pid_t pid)
{
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof(name), "/proc/%d/exe", pid);
    ssize_t len = readlink(name, path, sizeof(path) - 1);
    if (len < 0)
        len = 0;
    path[len] = '\0';
    char *deleted = strstr(path, " (deleted)");
    if (deleted && !deleted[strlen(" (deleted)")])
        *deleted = '\0';
    return strdup(path);
}

static char *read_command(pid_t pid)
{
    OWNED_BUF struct buf args = BUF_INIT;
    if (read_proc_file(pid, "cmdline", &args) < 0)
        return strdup("");
    while (args.len && !args.data[args.len - 1])
        args.len--;
    for (size_t i = 0; i < args.len; i++)
        if (iscntrl((unsigned char)args.data[i]))
            args.data[i] = ' ';
    args.data[args.len] = '\0';
    return take_ptr(args.data);
}

static double uptime_of(const struct process_times *times)
{
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    double now = (double)boot.tv_sec + (double)boot.tv_nsec / NS_PER_SEC;
    double uptime = now - (double)times->start / (double)sysconf(_SC_CLK_TCK);
    return uptime > 0 ? uptime : 0;
}

int process_read(pid_t pid, struct process *ret_process)
{
    struct process_times times = {0};
    OWNED_BUF struct buf status = BUF_INIT;
    uint64_t uid;
    int r = read_times(pid, &times);
    if (r == 0)
        r = read_proc_file(pid, "status", &status);
    if (r == 0)
        r = status_number(status.data, "Uid", &uid);
    if (r < 0)
        return r;
    struct process process = {.pid = pid, .uid = (uid_t)uid, .uptime_sec = uptime_of(&times)};
    process.cpu_sec = (double)(times.user + times.system) / (double)sysconf(_SC_CLK_TCK);
    sscanf(status.data, "Name: %31[^\n]", process.name);
    process.exe = read_exe_path(pid);
    process.command = read_command(pid);
    if (!process.exe || !process.command) {
        process_release(&process);
        return -ENOMEM;
    }
    *ret_process = process;
    return 0;
}

void process_release(struct process *process)
{
    free(process->exe);
    free(process->command);
    *process = (struct process){0};
}

static bool is_kernel_thread(const struct process *process)
{
    return !process->exe[0] && !process->command[0];
}

int process_list_read(struct process_list *ret_list)
{
    DIR *proc = opendir("/proc");
    if (!proc)
        return -errno;
    VEC(struct process) list = {0};
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(proc));) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        struct process process;
        if (*end || pid <= 0 || process_read((pid_t)pid, &process) < 0)
            continue; /* no process, or gone meanwhile */
        struct process *slot = is_kernel_thread(&process) ? NULL : vec_push(&list);
        if (slot)
            *slot = process;
        else
            process_release(&process);
    }
    closedir(proc);
    *ret_list = (struct process_list){list.items, list.len};
    return r;
}

void process_list_release(struct process_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        process_release(&list->items[i]);
    free(list->items);
    *list = (struct process_list){0};
}

int process_open_exe(pid_t pid, int *ret_fd)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/exe", pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    *ret_fd = fd;
    return 0;
}

/* "Uid: real effective saved filesystem": all must be ours, or the process has gained rights that we do not
 * have. */
static int check_uids(pid_t pid)
{
    OWNED_BUF struct buf status = BUF_INIT;
    int r = read_proc_file(pid, "status", &status);
    if (r < 0)
        return r;
    const char *uids = strstr(status.data, "\nUid:");
    unsigned real, effective, saved, filesystem;
    if (!uids || sscanf(uids + 5, "%u %u %u %u", &real, &effective, &saved, &filesystem) != 4)
        return -EBADMSG;
    uid_t us = getuid();
    return real == us && effective == us && saved == us && filesystem == us ? 0 : -EPERM;
}

/* The link of a namespace is shown to those only who may look into the process: the kernel's own check of
 * capabilities, group, dumpability and security modules. */
static int check_with_kernel(pid_t pid)
{
    char name[64];
    struct stat theirs, ours;
    snprintf(name, sizeof(name), "/proc/%d/ns/user", pid);
    if (stat(name, &theirs) < 0)
        return errno == ENOENT ? -ESRCH : -EACCES;
    if (stat("/proc/self/ns/user", &ours) < 0)
        return -errno;
    return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino ? 0 : -EXDEV;
}

int process_check_access(pid_t pid)
{
    if (getuid() == 0)
        return 0;
    int r = check_uids(pid);
    return r < 0 ? r : check_with_kernel(pid);
}
