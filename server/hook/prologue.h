/* The first instructions of a function, and how they run elsewhere: what it takes to put a jump in their
 * place. Decoding is for the unprivileged symbolizer child (`prologue_read`), as the code is the target's;
 * what it found is applied by the owner (`prologue_move`), who decodes nothing.
 *
 * Offsets are bytes from the function's start, or into the moved code. Source: Intel SDM volume 2. */
#ifndef RSPROF_HOOK_PROLOGUE_H
#define RSPROF_HOOK_PROLOGUE_H

#include <stddef.h>
#include <stdint.h>

#define PROLOGUE_JUMP_BYTES  5 /* jmp rel32 */
#define PROLOGUE_BYTES_MAX   24
#define PROLOGUE_MOVED_MAX   48
#define PROLOGUE_FIXUPS_MAX  6
#define PROLOGUE_NO_POSITION 0xff

/* A displacement of four bytes that depends on where the code stands. */
struct prologue_fixup {
    uint8_t at, end; /* in the moved code: the displacement, and the end of its instruction */
    int64_t target;  /* offset from the function's start */
};

struct prologue {
    uint8_t len; /* of whole instructions, PROLOGUE_JUMP_BYTES at least; 0: they cannot be moved */
    uint8_t moved_len, fixup_count;
    uint8_t positions[PROLOGUE_JUMP_BYTES]; /* of the instruction at each offset, in the moved code; or
                                               PROLOGUE_NO_POSITION */
    uint8_t original[PROLOGUE_BYTES_MAX];
    uint8_t moved[PROLOGUE_MOVED_MAX]; /* ends with the jump to what follows the original */
    struct prologue_fixup fixups[PROLOGUE_FIXUPS_MAX];
};

/* Reads a whole function. `len` 0 in the result: it is too short, begins with an instruction that cannot be
 * moved (a call, a loop), jumps back into its own beginning, or is no code. */
void prologue_read(const uint8_t *code, size_t size, struct prologue *ret_prologue);

/* The moved code as it stands at `address`, for the function at `function`. −ERANGE: too far from each other.
 * −EBADMSG: the description makes no sense. */
int prologue_move(const struct prologue *prologue, uint64_t function, uint64_t address,
                  uint8_t ret_code[static PROLOGUE_MOVED_MAX]);

/* jmp rel32 from one address to another. −ERANGE. */
int prologue_jump(uint64_t from, uint64_t to, uint8_t ret_code[static PROLOGUE_JUMP_BYTES]);

#endif
