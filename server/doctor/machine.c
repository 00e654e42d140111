#include "doctor/machine.h"

#include "base/buf.h"
#include "base/rights.h"
#include "probe/probe.h"
#include "session/attach_error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Inodes of the namespaces that the machine starts with: include/linux/proc_ns.h. */
#define FIRST_USER_NAMESPACE 0xeffffffdu
#define FIRST_PID_NAMESPACE  0xeffffffcu

/* The first line of a small file; −ENOENT and the like. */
static int read_line(const char *path, struct buf *line)
{
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : buf_read_all(line, fd);
    if (r == 0)
        r = buf_append(line, "", 0);
    if (r == 0)
        line->data[strcspn(line->data, "\n")] = '\0';
    return r;
}

/* A number in /proc/sys/kernel; `absent` where the kernel does not have it. */
static int read_setting(const char *name, int absent)
{
    char path[96];
    OWNED_BUF struct buf line = BUF_INIT;
    snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
    return read_line(path, &line) < 0 ? absent : (int)strtol(line.data, NULL, 10);
}

static unsigned kernel_version(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;
    if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
        return 0;
    return major * 1000 + minor;
}

static void examine_kernel(struct checkup *checkup)
{
    struct utsname name = {0};
    uname(&name);
    struct check *check = checkup_add(checkup, "kernel", "Linux %s on %s", name.release, name.machine);
    if (strcmp(name.machine, "x86_64") != 0)
        check_fail(check, -EOPNOTSUPP, "Use an x86-64 machine.");
    else if (kernel_version() < 5015)
        check_fail(check, -EOPNOTSUPP, "Install Linux 6.1 or newer.");
}

static void examine_types(struct checkup *checkup)
{
    static const char path[] = "/sys/kernel/btf/vmlinux";
    if (access(path, R_OK) == 0)
        checkup_add(checkup, "kernel types", "BTF is at %s", path);
    else
        check_fail(checkup_add(checkup, "kernel types", "%s: %s", path, strerror(errno)), -EOPNOTSUPP,
                   "Install a kernel that was built with CONFIG_DEBUG_INFO_BTF=y.");
}

/* ---- rights ---- */

static const struct {
    unsigned number;
    const char *name;
} capabilities[] = {{CAP_BPF, "cap_bpf"},
                    {CAP_PERFMON, "cap_perfmon"},
                    {CAP_SYS_PTRACE, "cap_sys_ptrace"},
                    {CAP_SYS_ADMIN, "cap_sys_admin"}};

/* Why the capabilities that the file has, if it has any, do not count. */
static void advise_on_capabilities(struct check *check, int error)
{
    char path[PATH_MAX], command[PATH_MAX];
    struct statvfs filesystem;
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    setcap_command(command, sizeof(command));
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        check_fail(check, error,
                   "The program that started rsprof forbids new rights (no_new_privs), as sandboxed "
                   "editors do: install one that does not.");
    else if (statvfs(path, &filesystem) == 0 && filesystem.f_flag & ST_NOSUID)
        check_fail(check, error,
                   "%.150s is on a filesystem mounted nosuid, where capabilities do not count: install "
                   "it elsewhere, then setcap.",
                   path);
    else
        check_fail(check, error, "%.500s", command);
}

static void examine_capabilities(struct checkup *checkup)
{
    char seen[128] = "";
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
        if (rights_have(RIGHT(capabilities[i].number)))
            snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%s", *seen ? "," : "",
                     capabilities[i].name);
    struct check *check = checkup_add(checkup, "capabilities", "%s%s", getuid() == 0 ? "root, with " : "",
                                      *seen ? seen : "none");
    if (!rights_have(RIGHT(CAP_BPF) | RIGHT(CAP_PERFMON)))
        advise_on_capabilities(check, -EPERM);
}

static void examine_programs(struct checkup *checkup)
{
    struct session_error error;
    struct probe *probe = NULL;
    int level = read_setting("unprivileged_bpf_disabled", 0), r = probe_new(&probe);
    probe_free(probe);
    struct check *check = checkup_add(checkup, "BPF programs", "%s; kernel.unprivileged_bpf_disabled = %d",
                                      r == 0 ? "the kernel takes them" : strerror(-r), level);
    if (r < 0) {
        attach_error_fill(r, ATTACH_LOAD, 0, &error);
        check_fail(check, r, "%s", error.hint);
    }
}

/* What a level of kernel.perf_event_paranoid leaves to those without CAP_PERFMON. */
static const char *paranoid_meaning(int level)
{
    static const char *const meanings[] = {"everything but raw trace points", "their own processes",
                                           "their own processes, without the kernel's part",
                                           "nothing: Debian's level, and a right of root's for all",
                                           "nothing: Ubuntu's level, and a right of root's for all"};
    return level < 0 ? "everything" : meanings[level > 4 ? 4 : level];
}

static void examine_events(struct checkup *checkup)
{
    struct session_error error;
    int level = read_setting("perf_event_paranoid", 2), r = probe_try_cpu();
    struct check *check = checkup_add(checkup, "perf events",
                                      "%s; kernel.perf_event_paranoid = %d (leaves to ordinary users: %s)",
                                      r == 0 ? "allowed" : strerror(-r), level, paranoid_meaning(level));
    if (r == 0)
        return;
    attach_error_fill(r, ATTACH_CLOCK, 0, &error);
    if (level > 2)
        check_fail(check, r, "%s", error.hint);
    else
        advise_on_capabilities(check, r);
}

static void examine_uprobes(struct checkup *checkup)
{
    char command[PATH_MAX];
    if (access("/sys/bus/event_source/devices/uprobe", F_OK) < 0) {
        check_warn(checkup_add(checkup, "uprobes", "the kernel has none: no live heap"),
                   "Install a kernel that was built with CONFIG_UPROBE_EVENTS=y.");
        return;
    }
    if (rights_have(probe_rights())) {
        checkup_add(checkup, "uprobes", "allowed");
        return;
    }
    setcap_command(command, sizeof(command));
    check_warn(checkup_add(checkup, "uprobes", "the capabilities do not suffice for them: no live heap"),
               "%.500s", command);
}

/* ---- what protects processes from each other ---- */

static void examine_yama(struct checkup *checkup)
{
    char command[PATH_MAX];
    int scope = read_setting("yama/ptrace_scope", 0);
    static const char *const meanings[] = {"one's own processes may be traced",
                                           "one's own children may be traced", "tracing takes CAP_SYS_PTRACE",
                                           "nobody may trace"};
    struct check *check = checkup_add(checkup, "Yama", "kernel.yama.ptrace_scope = %d: %s", scope,
                                      meanings[scope < 0 || scope > 3 ? 3 : scope]);
    if (scope >= 3) {
        check_warn(check,
                   "Live heap takes slower ways. Take ptrace_scope = 3 out of /etc/sysctl.d and start the "
                   "machine anew.");
    } else if (scope > 0 && !rights_have(RIGHTS_TRACE)) {
        setcap_command(command, sizeof(command));
        check_warn(check, "%.500s", command);
    }
}

static void examine_lockdown(struct checkup *checkup)
{
    OWNED_BUF struct buf line = BUF_INIT;
    if (read_line("/sys/kernel/security/lockdown", &line) < 0) {
        checkup_add(checkup, "lockdown", "none");
        return;
    }
    struct check *check = checkup_add(checkup, "lockdown", "%s", line.data);
    if (strstr(line.data, "[confidentiality]"))
        check_fail(check, -EPERM,
                   "Start the kernel with lockdown=integrity (or none): confidentiality keeps BPF from "
                   "reading memory.");
}

static ino_t namespace_of_ours(const char *kind)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
    return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static void examine_namespaces(struct checkup *checkup)
{
    bool first_user = namespace_of_ours("user") == FIRST_USER_NAMESPACE,
         first_pid = namespace_of_ours("pid") == FIRST_PID_NAMESPACE;
    struct check *check =
        checkup_add(checkup, "container", "%s",
                    !first_user  ? "a user namespace of its own, where capabilities are no use for BPF"
                    : !first_pid ? "a pid namespace of its own: only the processes in it are seen"
                                 : "none");
    if (!first_user)
        check_fail(check, -EPERM, "Run rsprof outside of the container, as root.");
}

/* Maps and programs were charged to it before Linux 5.11. */
static void examine_memlock(struct checkup *checkup)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (kernel_version() >= 5011)
        checkup_add(checkup, "locked memory", "no limit for BPF since Linux 5.11");
    else if (limit.rlim_cur == RLIM_INFINITY)
        checkup_add(checkup, "locked memory", "no limit");
    else
        check_fail(checkup_add(checkup, "locked memory", "%" PRIu64 " KiB", (uint64_t)limit.rlim_cur / 1024),
                   -EPERM, "ulimit -l unlimited");
}

void machine_examine(struct checkup *checkup)
{
    examine_kernel(checkup);
    examine_types(checkup);
    examine_capabilities(checkup);
    examine_programs(checkup);
    examine_events(checkup);
    examine_uprobes(checkup);
    examine_yama(checkup);
    examine_lockdown(checkup);
    examine_namespaces(checkup);
    examine_memlock(checkup);
}
