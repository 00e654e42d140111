/* Gives up what a process that parses hostile files does not need. None of this can be taken back. */
#ifndef RSPROF_SYMBOLIZER_SANDBOX_H
#define RSPROF_SYMBOLIZER_SANDBOX_H

#include <sys/types.h>

/* Drops every capability, and the way to gain any: no_new_privs. What the real user may read can still be
 * read. */
int sandbox_drop_privileges(void);

/* For the child: closes all descriptors but `keep_fd` and stderr, unmaps what is shared with the parent, dies
 * with `parent`, drops privileges, limits memory, and leaves only the system calls that parsing needs.
 * Negative errno on failure: the caller must end then. */
int sandbox_enter(int keep_fd, pid_t parent);

#endif
