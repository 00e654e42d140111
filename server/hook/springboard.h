/* The springboard: code for a stopped thread to run a few system calls from, and to go on by itself from
 * where it was.
 *
 * From its start on it holds: a mark, which is HOOK_MEMFD_NAME as a string; the code, entered at
 * `springboard_start`; the thread's registers; the system calls. The code runs the calls one after another,
 * up to the first that fails, writes their answers to the target's memory, puts back all registers and jumps
 * home. Nobody needs to wait for it or to lead it, so that the thread stands still for a few microseconds
 * only, and comes to no harm should rsprof die at any moment. It uses 136 bytes of the thread's stack, below
 * the red zone.
 *
 * A thread that was interrupted in a system call gets home to the system call instruction, with the number
 * that restarts it, as the kernel does when there is no handler to run. The one difference to an undisturbed
 * thread: a signal whose handler runs in these microseconds lets the call start again, as if it had come just
 * before the call, where it might have ended it. */
#ifndef RSPROF_HOOK_SPRINGBOARD_H
#define RSPROF_HOOK_SPRINGBOARD_H

#include "target/maps.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

#define SPRINGBOARD_BYTES_MAX 640
#define SPRINGBOARD_CALLS_MAX 3

/* As a calls first argument: the address of the mark. */
#define SPRINGBOARD_NAME 0x6d656d6664000000ull

struct springboard_call {
    uint64_t number;
    uint64_t args[6];
};

/* What the code leaves behind in the target's memory. */
struct springboard_results {
    int64_t answers[SPRINGBOARD_CALLS_MAX]; /* of the kernel; a negative errno is the last one */
    uint64_t done;                          /* the plan's cookie: all answers are there */
};

/* What the thread is to do. */
struct springboard_plan {
    struct springboard_call calls[SPRINGBOARD_CALLS_MAX];
    size_t count;
    uint64_t results;     /* address of a struct springboard_results in the target; 0: nothing is written */
    uint64_t cookie;      /* told back in `done` */
    uint64_t signal_mask; /* of the thread at home */
    bool makes_memory;    /* the first call maps the memory of the results: if it fails, nothing is written */
};

/* The springboard for `address` that does as planned and leads back to `regs`. Returns its length. */
size_t springboard_build(uint64_t address, const struct user_regs_struct *regs,
                         const struct springboard_plan *plan, uint8_t ret_code[static SPRINGBOARD_BYTES_MAX]);

/* The system calls that a springboard at an address will make, its own included. Returns how many. */
size_t springboard_list_calls(uint64_t address, const uint8_t *code,
                              struct seccomp_data ret_calls[static SPRINGBOARD_CALLS_MAX + 1]);

/* Offsets from its start: where the code is entered; and from where on all is done, and only the registers
 * are to go back. */
size_t springboard_start(void);
size_t springboard_last_steps(void);

/* An executable place in the target that nothing uses: zeros after the code of the vDSO or of a module, or a
 * springboard left behind some seconds ago by an rsprof that was killed. −ENOTSUP: there is none; −EAGAIN:
 * there may be one soon. */
int springboard_find_place(const struct memory_maps *maps, int mem_fd, uint64_t *ret_address);

#endif
