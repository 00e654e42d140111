/* What is read of an ELF file for hooking allocators: relocations, symbols, calls, the first instructions of
 * functions. Inputs are whole ELF files. */
#include "hook/slot_scan.h"

#include "base/cleanup.h"
#include "hook/functions.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hook_scan scan;
    OWNED_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || hook_scan_file(fd, &scan) < 0)
        return 0;
    for (size_t i = 0; i < scan.candidate_count; i++)
        if (scan.candidates[i].function >= HOOK_FUNCTION_COUNT || scan.candidates[i].address % 8)
            __builtin_trap();
    for (size_t i = 0; i < scan.definition_count; i++) {
        uint8_t code[PROLOGUE_MOVED_MAX];
        const struct prologue *prologue = &scan.definitions[i].prologue;
        if (prologue->len && prologue_move(prologue, 1 << 20, 2 << 20, code) == -EBADMSG)
            __builtin_trap();
    }
    hook_scan_release(&scan);
    return 0;
}
