/* Processes of this machine, from /proc. No ELF is parsed here; whether a process is Rust is the symbolizer's
 * to say.
 *
 * Errors: −ESRCH when the process is gone (or never was), −EACCES when /proc hides it. */
#ifndef RSPROF_TARGET_PROCESS_H
#define RSPROF_TARGET_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    uid_t uid;     /* real uid */
    char name[32]; /* comm */
    char *exe;     /* where /proc/PID/exe points, without " (deleted)"; "" if hidden */
    char *command; /* arguments joined by spaces */
    double uptime_sec;
    double cpu_sec; /* user + system time so far */
};

int process_read(pid_t pid, struct process *ret_process);
void process_release(struct process *process);

struct process_list {
    struct process *items;
    size_t len;
};

/* Every process with an executable (no kernel threads), by pid. */
int process_list_read(struct process_list *ret_list);
void process_list_release(struct process_list *list);

/* User and system CPU time of the process so far. */
int process_cpu_ns(pid_t pid, uint64_t *ret_cpu_ns);

/* Anonymous resident memory (RssAnon). */
int process_anon_bytes(pid_t pid, uint64_t *ret_bytes);

/* Opens the file the process runs, even one deleted or replaced since. */
int process_open_exe(pid_t pid, int *ret_fd);

/* Whether the real user may attach, by uid and by the kernel's word; call it with no right raised. Always for
 * root. −EPERM: another user's, or a mix of users. −EACCES: it has rights of its own (capabilities,
 * set-user-ID, set-group-ID), or is not dumpable. −EXDEV: in another user namespace. −ESRCH. */
int process_check_access(pid_t pid);

#endif
