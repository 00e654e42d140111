#include "symbolizer/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const uint16_t allowed[] = {
    SYS_read,         SYS_pread64,      SYS_write,
    SYS_lseek,        SYS_close,        SYS_fstat,
    SYS_newfstatat,   SYS_recvmsg,      SYS_sendmsg,
    SYS_poll,         SYS_ppoll,        SYS_brk,
    SYS_munmap,       SYS_mremap,       SYS_madvise,
    SYS_memfd_create, SYS_ftruncate,    SYS_fcntl,
    SYS_futex,        SYS_getrandom,    SYS_clock_gettime,
    SYS_getpid,       SYS_gettid,       SYS_tgkill,
    SYS_rt_sigreturn, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_sigaltstack,  SYS_sched_yield,  SYS_restart_syscall,
    SYS_exit,         SYS_exit_group,
};

enum { ALLOWED_COUNT = sizeof(allowed) / sizeof(allowed[0]), FILTER_MAX = 16 + 2 * ALLOWED_COUNT };

#define LOAD(field)                                                                                          \
    (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what)                 (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
#define SKIP_UNLESS(value, count)    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count)
#define SKIP_IF(value, count)        (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, count, 0)
#define SKIP_UNLESS_ANY(bits, count) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, count)

#define DENY (SECCOMP_RET_ERRNO | EPERM)

/* Memory may be mapped, but never to be run. `args[2]` is the protection of both calls. */
static size_t add_no_exec(struct sock_filter *filter, size_t len, uint32_t number)
{
    filter[len++] = SKIP_UNLESS(number, 4);
    filter[len++] = LOAD(args[2]);
    filter[len++] = SKIP_UNLESS_ANY(PROT_EXEC, 1);
    filter[len++] = RETURN(DENY);
    filter[len++] = RETURN(SECCOMP_RET_ALLOW);
    return len;
}

static size_t build(struct sock_filter *filter)
{
    size_t len = 0;
    filter[len++] = LOAD(arch);
    filter[len++] = SKIP_IF(AUDIT_ARCH_X86_64, 1);
    filter[len++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    filter[len++] = LOAD(nr);
    len = add_no_exec(filter, len, SYS_mmap);
    len = add_no_exec(filter, len, SYS_mprotect);
    for (size_t i = 0; i < ALLOWED_COUNT; i++) {
        filter[len++] = SKIP_UNLESS(allowed[i], 1);
        filter[len++] = RETURN(SECCOMP_RET_ALLOW);
    }
    filter[len++] = RETURN(DENY);
    return len;
}

int syscall_filter_install(void)
{
    struct sock_filter filter[FILTER_MAX];
    struct sock_fprog program = {.len = (unsigned short)build(filter), .filter = filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}
