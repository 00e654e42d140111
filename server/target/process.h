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

/* Whether we may attach: 0, or −EPERM when it is not ours and we are not root, −ESRCH. */
int process_check_owner(pid_t pid);

#endif
