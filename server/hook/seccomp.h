/* What a thread's seccomp filters would say to a system call, before it is made: a filter may kill for it.
 *
 * Filters are programs of classic BPF over a struct seccomp_data. The kernel hands out those of a thread that
 * we have stopped (PTRACE_SECCOMP_GET_FILTER), to whoever has CAP_SYS_ADMIN and is under no filter itself;
 * they are run here, on the very numbers that the call would have. Source: seccomp(2), ptrace(2),
 * net/core/filter.c. */
#ifndef RSPROF_HOOK_SECCOMP_H
#define RSPROF_HOOK_SECCOMP_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

/* Whether all filters of the stopped thread let all these calls through. −ENOSYS: one does not; −EPERM:
 * filters cannot be read. */
int seccomp_check(pid_t tid, const struct seccomp_data *calls, size_t count);

/* The registers of a stopped thread. One that the kernel would let go on through restart_syscall, for which
 * its filters may kill it, is made to make its call anew first, from the call's start. */
int seccomp_stopped_registers(pid_t pid, pid_t tid, struct user_regs_struct *ret_regs);

/* What one program returns: SECCOMP_RET_…; SECCOMP_RET_KILL_PROCESS for one that makes no sense. */
uint32_t seccomp_run(const struct sock_filter *program, size_t len, const struct seccomp_data *data);

#endif
