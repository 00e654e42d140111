/* Which words of a module its code may call an allocator through, from its ELF file alone: a pure function
 * over a file, for the unprivileged symbolizer child. Damaged files give fewer candidates, never a wrong
 * read.
 *
 * Two kinds of words:
 *   - named: the dynamic linker fills them with the address of an allocator's function (R_X86_64_GLOB_DAT,
 * JUMP_SLOT, 64);
 *   - valued: they hold the address of an allocator's function that is linked into the module itself
 * (R_X86_64_RELATIVE and RELR words, and in executables at fixed addresses the words of .got), known by its
 * symbol. Whether a word is truly used that way is for slots.h to see, in the target's memory.
 *
 * Functions that are called directly have no such word: `hook_definition` says how they begin.
 *
 * Sources: System V ABI (gabi 4.1), AMD64 psABI, "Relative relocations (RELR)" of the generic ABI. */
#ifndef RSPROF_HOOK_SLOT_SCAN_H
#define RSPROF_HOOK_SLOT_SCAN_H

#include "hook/prologue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hook_candidate {
    uint64_t address; /* link-time address of the word, aligned to 8 */
    uint64_t
        target; /* link-time address of the function that it must hold; 0: a named one, bound elsewhere */
    uint32_t function; /* enum hook_function */
    uint32_t defined;  /* a named one, of a function that the module itself exports too */
};

/* A function of an allocator, linked into the module. */
struct hook_definition {
    uint64_t address, size; /* link-time, bytes */
    uint32_t function;
    uint32_t direct; /* some call, jump or lea in the module has its address built in: words are not all that
                        leads there */
    struct prologue prologue; /* of a direct one */
};

struct hook_scan {
    struct hook_candidate *candidates;
    size_t candidate_count;
    struct hook_definition *definitions;
    size_t definition_count;
};

/* −ENOEXEC: not an ELF file of this machine. */
int hook_scan_file(int fd, struct hook_scan *ret_scan);
void hook_scan_release(struct hook_scan *scan);

#endif
