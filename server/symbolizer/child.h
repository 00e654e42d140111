/* The symbolizer's child: enters the sandbox, then answers requests until its owner goes away. */
#ifndef RSPROF_SYMBOLIZER_CHILD_H
#define RSPROF_SYMBOLIZER_CHILD_H

#include <sys/types.h>

/* Forks the child. `*ret_socket` is the owner's end, non-blocking. Negative errno. */
int child_start(pid_t *ret_pid, int *ret_socket);

/* Kills the child and reaps it. */
void child_stop(pid_t pid);

#endif
