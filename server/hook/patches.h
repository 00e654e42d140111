/* Functions of the target that begin with a jump to the stub.
 *
 * A patch is written while all threads of the target are stopped (standstill.h). A thread that stands in the
 * instructions that are replaced goes on in the trampoline. One that was interrupted there by a signal, and
 * runs its handler, is seen by the frame of the handler on its stack: then the others are let go, and it is
 * tried again. What is written is checked to be what the symbolizer has read, or the jump of an rsprof that
 * was killed. A patch stays within a page, so that it is there or not, whenever rsprof dies.
 *
 * Trying blocks for 0.6 s at worst. Errors: −ETIMEDOUT the threads would not stop; −EBUSY the code was
 * changed by somebody else, or the process is traced; −EEXIST another function has the trampoline; −ERANGE
 * the stub is too far away; those of standstill.h.
 */
#ifndef RSPROF_HOOK_PATCHES_H
#define RSPROF_HOOK_PATCHES_H

#include "base/vec.h"
#include "hook/functions.h"
#include "hook/image.h"
#include "hook/prologue.h"
#include "hook/slot_scan.h"
#include "target/maps.h"

#include <stdbool.h>
#include <sys/types.h>

/* What to patch. */
struct hook_patch {
    uint64_t address;
    enum hook_function function;
    struct prologue prologue;
};

struct hook_patches {
    struct hook_patch *items;
    size_t len, capacity;
};

/* Appends those functions of a module that are called directly. `bias` is what its link-time addresses are
 * off by. −ENOEXEC: one begins with code that a jump cannot take the place of. */
int hook_patches_add(struct hook_patches *patches, uint64_t bias, const struct hook_definition *functions,
                     size_t count);
void hook_patches_release(struct hook_patches *patches);

struct patches {
    VEC(struct patch) items;
    uint64_t stop_ns; /* for how long all threads stood still, in all */
};

struct patch {
    uint64_t address, trampoline;
    enum hook_function function;
    uint8_t jump[PROLOGUE_JUMP_BYTES];
    uint8_t before[PROLOGUE_JUMP_BYTES]; /* what stood there when it was prepared */
    struct prologue prologue;
};

/* Writes the trampolines of the stub at `stub`, for functions that are not patched yet. Nothing leads there
 * before patches_apply. */
int patches_prepare(struct patches *patches, int mem_fd, const struct memory_maps *maps, uint64_t stub,
                    const struct hook_image *image, const struct hook_patch *wanted, size_t count);

/* The patch of the function at an address, or NULL. */
const struct patch *patches_find(const struct patches *patches, uint64_t address);

/* Puts those in place that are not. Those of libraries that are gone are left alone. */
int patches_apply(struct patches *patches, pid_t pid, int mem_fd);

/* Puts the original code back, or leaves all as it is. */
int patches_undo(struct patches *patches, pid_t pid, int mem_fd);

void patches_release(struct patches *patches);

#endif
