/* The springboard: code for a stopped thread to run system calls from, and to return by itself to where it
 * was.
 *
 * A springboard holds, from its start on: a mark, a `syscall` instruction at SPRINGBOARD_CALL, instructions
 * that put back all registers, and the registers. Whoever stops the thread with its instruction pointer on
 * the call (or anywhere behind it) and dies leaves the thread a way home. It stays on the thread's own stack,
 * and 128 bytes (the red zone) below.
 *
 * A thread that was interrupted in a system call gets home to the system call instruction with the number
 * that restarts it, as the kernel does when there is no handler to run. */
#ifndef RSPROF_HOOK_SPRINGBOARD_H
#define RSPROF_HOOK_SPRINGBOARD_H

#include "target/maps.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

#define SPRINGBOARD_MAX  512
#define SPRINGBOARD_CALL 16 /* offset of the system call instruction */

/* The springboard that leads back to `regs`. Returns its length. */
size_t springboard_build(const struct user_regs_struct *regs, uint8_t ret_code[static SPRINGBOARD_MAX]);

/* An executable place in the target that nothing uses: zeros after the code of the vDSO or of a module, or a
 * springboard left behind. −ENOTSUP: there is none. */
int springboard_find_place(const struct memory_maps *maps, int mem_fd, uint64_t *ret_address);

#endif
