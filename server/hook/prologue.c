#include "hook/prologue.h"

#include <errno.h>
#include <string.h>

/* −ERANGE unless four bytes can say it. */
static int relative(uint64_t target, uint64_t next, uint8_t *ret_bytes)
{
    int64_t distance = (int64_t)(target - next);
    int32_t displacement = (int32_t)distance;
    if (displacement != distance)
        return -ERANGE;
    memcpy(ret_bytes, &displacement, sizeof(displacement));
    return 0;
}

int prologue_jump(uint64_t from, uint64_t to, uint8_t ret_code[static PROLOGUE_JUMP_BYTES])
{
    uint8_t code[PROLOGUE_JUMP_BYTES] = {0xe9};
    int r = relative(to, from + sizeof(code), code + 1);
    if (r == 0)
        memcpy(ret_code, code, sizeof(code));
    return r;
}

int prologue_move(const struct prologue *prologue, uint64_t function, uint64_t address,
                  uint8_t ret_code[static PROLOGUE_MOVED_MAX])
{
    uint8_t code[PROLOGUE_MOVED_MAX];
    if (prologue->len < PROLOGUE_JUMP_BYTES || prologue->len > PROLOGUE_BYTES_MAX ||
        prologue->moved_len > sizeof(code) || prologue->fixup_count > PROLOGUE_FIXUPS_MAX)
        return -EBADMSG;
    memcpy(code, prologue->moved, sizeof(code));
    for (size_t i = 0; i < prologue->fixup_count; i++) {
        const struct prologue_fixup *fixup = &prologue->fixups[i];
        if (fixup->end > prologue->moved_len || fixup->at + 4 > fixup->end)
            return -EBADMSG;
        int r = relative(function + (uint64_t)fixup->target, address + fixup->end, code + fixup->at);
        if (r < 0)
            return r;
    }
    memcpy(ret_code, code, sizeof(code));
    return 0;
}
