/* Capabilities: what this process may do beyond its user, and when.
 *
 * File capabilities make rsprof stronger than whoever runs it, and the kernel's checks would no longer
 * protect other users from it. So none of them is in effect but for the few calls that need one, whose object
 * was checked before:
 *
 *     WITH_RIGHTS(RIGHTS_SAMPLE); // until the end of the block
 *     fd = perf_event_open(…);
 *
 * Everything else, opening files above all, happens with the real user's own rights, and the kernel decides.
 * Where the real user is root, what was kept stays in effect. The state is the kernel's, one a thread; a
 * thread starts with its maker's. Source: capabilities(7). */
#ifndef RSPROF_BASE_RIGHTS_H
#define RSPROF_BASE_RIGHTS_H

#include "base/cleanup.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#define RIGHT(capability) (1ull << (capability))

/* Loading programs, perf events, uprobes (those of older kernels want SYS_ADMIN). */
#define RIGHTS_SAMPLE (RIGHT(CAP_BPF) | RIGHT(CAP_PERFMON) | RIGHT(CAP_SYS_ADMIN))
/* Tracing a process that Yama protects; reading a process's seccomp filters (also one of RIGHTS_SAMPLE). */
#define RIGHTS_TRACE  RIGHT(CAP_SYS_PTRACE)
#define RIGHTS_FILTER RIGHT(CAP_SYS_ADMIN)

/* Once, before anything else, on the only thread: becomes the real user (a set-user-ID file gives
 * capabilities, never another user's files), and gives up for ever what is neither named above nor, for root,
 * of use. Negative errno: the caller must end. */
int rights_start(void);

/* Whether all of them can be put into effect. */
bool rights_have(uint64_t rights);

/* Puts into effect what there is of `rights`; what is missing is missed by the call that needs it. Returns
 * what was in effect. */
uint64_t rights_raise(uint64_t rights);
void rights_restore(const uint64_t *before);

#define WITH_RIGHTS(rights)                                                                                  \
    __attribute__((unused)) CLEANUP(rights_restore) const uint64_t rights_before_ = rights_raise(rights)

#endif
