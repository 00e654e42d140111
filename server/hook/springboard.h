/* The springboard: code for a stopped thread to run a few system calls from, and to return by itself to where
 * it was.
 *
 * From its start on it holds: a mark, which is HOOK_MEMFD_NAME as a string; the code, entered at
 * SPRINGBOARD_START; the thread's registers; the system calls. The code runs the calls one after another, up
 * to the first that fails, and keeps their results in registers: r12 how many were run;  r15 the last result;
 * r14, r13 those before it. Then it waits, at SPRINGBOARD_DONE and for some milliseconds, to be stopped and
 * led home. If nobody does, because rsprof died, it puts back all registers and goes home by itself. It uses
 * 136 bytes of the thread's stack, below the red zone.
 *
 * A thread that was interrupted in a system call gets home by itself to the system call instruction, with the
 * number that restarts it, as the kernel does when there is no handler to run. */
#ifndef RSPROF_HOOK_SPRINGBOARD_H
#define RSPROF_HOOK_SPRINGBOARD_H

#include "target/maps.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

#define SPRINGBOARD_BYTES_MAX 608
#define SPRINGBOARD_CALLS_MAX 3

struct springboard_call {
    uint64_t number;
    uint64_t args[6];
};

/* The springboard that leads back to `regs`. Returns its length. */
size_t springboard_build(const struct user_regs_struct *regs, uint8_t ret_code[static SPRINGBOARD_BYTES_MAX]);

/* Offsets from its start. */
size_t springboard_start(void); /* where the code is entered */
size_t springboard_done(void);  /* where it waits, up to its way home */
size_t springboard_home(void);
size_t springboard_calls(void); /* SPRINGBOARD_CALLS_MAX calls and an end, numbered UINT64_MAX */

/* An executable place in the target that nothing uses: zeros after the code of the vDSO or of a module, or a
 * springboard left behind. −ENOTSUP: there is none. */
int springboard_find_place(const struct memory_maps *maps, int mem_fd, uint64_t *ret_address);

#endif
