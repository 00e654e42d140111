/* All threads of a process stopped at once, for one change to its code.
 *
 * Call from a thread of ours that ends soon afterwards (remote_on_thread): its end, or that of rsprof, lets
 * go of whatever could not be let go of. Threads born meanwhile are found, as there are none when all others
 * stand still. Errors: −ETIMEDOUT a thread would not stop in time; −EBUSY the process is traced; −EPERM,
 * −EACCES not allowed; −ESRCH gone; then nothing stands still. */
#ifndef RSPROF_HOOK_STANDSTILL_H
#define RSPROF_HOOK_STANDSTILL_H

#include "base/vec.h"

#include <stdint.h>
#include <sys/types.h>

struct standstill {
    VEC(struct still_thread) threads;
    uint64_t since_ns; /* when the first was told to stop */
    bool with_right;   /* as remote_seize says */
};

struct still_thread {
    pid_t tid;
    int status; /* of its stop; 0: it has not stopped yet; −1: it ended */
};

int standstill_begin(struct standstill *standstill, pid_t pid, uint64_t timeout_ns);

/* Lets all go. Returns for how long they stood still, at most. */
uint64_t standstill_end(struct standstill *standstill);

#endif
