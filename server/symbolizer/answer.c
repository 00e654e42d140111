#include "symbolizer/answer.h"

#include "hook/functions.h"

#include "dwarf/module.h"

#include <errno.h>

/* A string of `len` bytes into a field of `size`; what holds a NUL ends there. */
static bool read_text(struct reader *payload, size_t len, char *ret_text, size_t size)
{
    if (len >= size || len > reader_left(payload))
        return false;
    memcpy(ret_text, payload->pos, len);
    ret_text[len] = '\0';
    payload->pos += len;
    return true;
}

static bool read_struct(struct reader *payload, void *ret_struct, size_t size)
{
    if (reader_left(payload) < size)
        return false;
    memcpy(ret_struct, payload->pos, size);
    payload->pos += size;
    return true;
}

/* Errors come as 0 or negative errno. */
static bool read_error(struct reader *payload, int *ret_error)
{
    int32_t error = (int32_t)reader_u32(payload);
    if (payload->bad || error > 0 || error < -4095)
        return false;
    *ret_error = error;
    return true;
}

int answer_read_opened(struct reader *payload, struct opened_answer *ret_answer)
{
    struct wire_info wire;
    ret_answer->info = (struct module_info){.debug = DEBUG_NONE};
    if (!read_error(payload, &ret_answer->error))
        return -EBADMSG;
    if (ret_answer->error < 0)
        return 0;
    if (!read_struct(payload, &wire, sizeof(wire)) || wire.build_id_len > BUILD_ID_MAX ||
        wire.debug > DEBUG_NONE || wire.symbol_count > WIRE_SYMBOLS_MAX)
        return -EBADMSG;
    for (uint32_t i = 0; i < wire.symbol_count; i++) {
        struct module_symbol *symbol = &ret_answer->symbols[i];
        symbol->address = reader_u64(payload);
        symbol->file_offset = reader_u64(payload);
        uint16_t len = reader_u16(payload);
        if (!read_text(payload, len, ret_answer->names[i], sizeof(ret_answer->names[i])))
            return -EBADMSG;
        symbol->name = ret_answer->names[i];
    }
    struct module_info *info = &ret_answer->info;
    memcpy(info->build_id, wire.build_id, wire.build_id_len);
    info->build_id_len = wire.build_id_len;
    info->debug = wire.debug;
    info->rust = wire.rust;
    info->lacks_split = wire.lacks_split;
    info->text_address = wire.text_address;
    info->text_offset = wire.text_offset;
    info->allocator_symbols = ret_answer->symbols;
    info->allocator_symbol_count = wire.symbol_count;
    return payload->bad ? -EBADMSG : 0;
}

int answer_read_resolved(struct reader *payload, struct resolved_answer *ret_answer)
{
    if (!read_struct(payload, &ret_answer->head, sizeof(ret_answer->head)) ||
        ret_answer->head.count > WIRE_FRAMES_MAX)
        return -EBADMSG;
    for (uint32_t i = 0; i < ret_answer->head.count; i++) {
        struct source_frame *frame = &ret_answer->frames[i];
        frame->line = reader_u32(payload);
        frame->function = reader_str(payload);
        frame->file = reader_str(payload);
        const char *md5 = reader_str(payload);
        frame->file_md5 = *md5 ? md5 : NULL;
    }
    return payload->bad ? -EBADMSG : 0;
}

int answer_read_table(struct reader *payload, struct table_answer *ret_answer)
{
    if (!read_error(payload, &ret_answer->error) ||
        !read_struct(payload, &ret_answer->table, sizeof(ret_answer->table)))
        return -EBADMSG;
    return 0;
}

int answer_read_scanned(struct reader *payload, struct scanned_answer *ret_answer)
{
    if (!read_error(payload, &ret_answer->error))
        return -EBADMSG;
    uint32_t candidates = reader_u32(payload), definitions = reader_u32(payload);
    if (payload->bad || candidates > WIRE_SLOTS_MAX || definitions > WIRE_FUNCTIONS_MAX ||
        !read_struct(payload, ret_answer->candidates, candidates * sizeof(struct hook_candidate)) ||
        !read_struct(payload, ret_answer->definitions, definitions * sizeof(struct hook_definition)))
        return -EBADMSG;
    ret_answer->scan = (struct hook_scan){
        .candidates = ret_answer->candidates,
        .candidate_count = candidates,
        .definitions = ret_answer->definitions,
        .definition_count = definitions,
    };
    for (uint32_t i = 0; i < candidates; i++)
        if (ret_answer->candidates[i].function >= HOOK_FUNCTION_COUNT ||
            ret_answer->candidates[i].address % 8)
            return -EBADMSG;
    for (uint32_t i = 0; i < definitions; i++)
        if (ret_answer->definitions[i].function >= HOOK_FUNCTION_COUNT)
            return -EBADMSG;
    return 0;
}

int answer_read_needed_file(struct reader *payload, struct needed_file *ret_file)
{
    ret_file->kind = reader_u32(payload);
    if (payload->bad || ret_file->kind > MODULE_FILE_DWP)
        return -EBADMSG;
    return read_text(payload, reader_left(payload), ret_file->name, sizeof(ret_file->name)) ? 0 : -EBADMSG;
}
