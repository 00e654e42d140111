/* Uprobes through BPF's own multi-uprobe link (Linux 6.6): wants CAP_BPF and CAP_PERFMON, where the older
 * way, a perf event for each probe, wants CAP_SYS_ADMIN; and takes one system call for all probes of a file.
 * libbpf 1.1 does not know it.
 *
 * Errors: negative errno; −EINVAL where the kernel is older. Source: include/uapi/linux/bpf.h,
 * BPF_LINK_CREATE. */
#ifndef RSPROF_PROBE_UPROBE_MULTI_H
#define RSPROF_PROBE_UPROBE_MULTI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a program must be loaded as. */
#define UPROBE_MULTI_ATTACH_TYPE 48 /* BPF_TRACE_UPROBE_MULTI */

/* Whether this kernel's filter lets every thread of the process pass: before 6.10 only the main thread does.
 */
bool uprobe_multi_supported(void);

/* Attaches a program to one place of a file in one process. `*ret_fd` is the link, the caller's. */
int uprobe_multi_attach(int program_fd, pid_t pid, const char *path, uint64_t offset, uint64_t cookie,
                        bool at_return, int *ret_fd);

#endif
