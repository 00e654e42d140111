/* The side of prologue.h that decodes: for the symbolizer child. */
#include "hook/prologue.h"

#include <Zydis/Decoder.h>

#include <stdbool.h>
#include <string.h>

struct instruction {
    ZydisDecodedInstruction decoded;
    const uint8_t *bytes;
    size_t offset; /* from the function's start */
};

static bool decode(const uint8_t *code, size_t size, size_t offset, struct instruction *ret_instruction)
{
    ZydisDecoder decoder;
    struct instruction instruction = {.bytes = code + offset, .offset = offset};
    if (offset >= size ||
        !ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
        !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, instruction.bytes, size - offset,
                                                    &instruction.decoded)))
        return false;
    *ret_instruction = instruction;
    return true;
}

static bool is_relative(const struct instruction *instruction)
{
    return instruction->decoded.raw.imm[0].is_relative;
}

static int64_t branch_target(const struct instruction *instruction)
{
    return (int64_t)(instruction->offset + instruction->decoded.length) +
           instruction->decoded.raw.imm[0].value.s;
}

static bool is_call(const struct instruction *instruction)
{
    return instruction->decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && instruction->decoded.opcode == 0xe8;
}

static bool points_near_itself(const struct instruction *instruction)
{
    return (instruction->decoded.attributes & ZYDIS_ATTRIB_HAS_MODRM) &&
           instruction->decoded.raw.modrm.mod == 0 && instruction->decoded.raw.modrm.rm == 5 &&
           instruction->decoded.raw.disp.size == 32;
}

static void fix_up(struct prologue *prologue, size_t at, size_t end, int64_t target)
{
    prologue->fixups[prologue->fixup_count++] =
        (struct prologue_fixup){.at = (uint8_t)at, .end = (uint8_t)end, .target = target};
}

static void append(struct prologue *prologue, const void *bytes, size_t len)
{
    memcpy(prologue->moved + prologue->moved_len, bytes, len);
    prologue->moved_len = (uint8_t)(prologue->moved_len + len);
}

/* Jumps become those with four bytes of displacement. Calls would return to the moved code, and the others
 * have a displacement of one byte only. */
static bool move_branch(struct prologue *prologue, const struct instruction *instruction)
{
    static const uint8_t no_displacement[4];
    uint8_t opcode = instruction->decoded.opcode;
    bool first_map = instruction->decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
    if (first_map && (opcode == 0xe9 || opcode == 0xeb))
        append(prologue, &(uint8_t){0xe9}, 1);
    else if ((first_map && opcode >> 4 == 7) ||
             (instruction->decoded.opcode_map == ZYDIS_OPCODE_MAP_0F && opcode >> 4 == 8))
        append(prologue, (uint8_t[]){0x0f, 0x80 | (opcode & 15)}, 2);
    else
        return false;
    append(prologue, no_displacement, sizeof(no_displacement));
    fix_up(prologue, prologue->moved_len - 4u, prologue->moved_len, branch_target(instruction));
    return true;
}

static bool move(struct prologue *prologue, const struct instruction *instruction)
{
    if (is_relative(instruction))
        return move_branch(prologue, instruction);
    size_t start = prologue->moved_len, length = instruction->decoded.length;
    append(prologue, instruction->bytes, length);
    if (!points_near_itself(instruction))
        return true;
    if (instruction->decoded.address_width != 64)
        return false;
    fix_up(prologue, start + instruction->decoded.raw.disp.offset, start + length,
           (int64_t)(instruction->offset + length) + instruction->decoded.raw.disp.value);
    return true;
}

/* Whether the code from here on jumps to a place that will be overwritten. */
static bool jumps_back(const uint8_t *code, size_t size)
{
    struct instruction instruction;
    for (size_t offset = 0; offset < size; offset += instruction.decoded.length) {
        if (!decode(code, size, offset, &instruction))
            return true;
        int64_t first = is_call(&instruction) ? 1 : 0; /* recursion is as good as any call */
        if (is_relative(&instruction) && branch_target(&instruction) >= first &&
            branch_target(&instruction) < PROLOGUE_JUMP_BYTES)
            return true;
    }
    return false;
}

void prologue_read(const uint8_t *code, size_t size, struct prologue *ret_prologue)
{
    struct prologue prologue = {0};
    size_t offset = 0;
    memset(prologue.positions, PROLOGUE_NO_POSITION, sizeof(prologue.positions));
    *ret_prologue = prologue;
    while (offset < PROLOGUE_JUMP_BYTES) {
        struct instruction instruction;
        if (!decode(code, size, offset, &instruction))
            return;
        prologue.positions[offset] = prologue.moved_len;
        if (!move(&prologue, &instruction))
            return;
        offset += instruction.decoded.length;
    }
    if (jumps_back(code, size))
        return;
    memcpy(prologue.original, code, offset);
    append(&prologue, (uint8_t[PROLOGUE_JUMP_BYTES]){0xe9}, PROLOGUE_JUMP_BYTES);
    fix_up(&prologue, prologue.moved_len - 4u, prologue.moved_len, (int64_t)offset);
    prologue.len = (uint8_t)offset;
    *ret_prologue = prologue;
}
