/* A seccomp filter that leaves the system calls that parsing needs: memory, the descriptors at hand, one
 * memfd an answer. */
#ifndef RSPROF_SYMBOLIZER_SYSCALL_FILTER_H
#define RSPROF_SYMBOLIZER_SYSCALL_FILTER_H

/* Calls that are not allowed fail with EPERM. Needs no_new_privs. Negative errno. */
int syscall_filter_install(void);

#endif
