/* What a child that has been taken over could send to its owner. */
#include "symbolizer/answer.h"
#include "symbolizer/table_check.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_opened(struct reader payload)
{
    static struct opened_answer answer;
    if (answer_read_opened(&payload, &answer) < 0)
        return;
    for (size_t i = 0; i < answer.info.allocator_symbol_count; i++)
        if (strlen(answer.info.allocator_symbols[i].name) > WIRE_SYMBOL_MAX)
            __builtin_trap();
}

static void check_resolved(struct reader payload)
{
    static struct resolved_answer answer;
    while (reader_left(&payload)) {
        if (answer_read_resolved(&payload, &answer) < 0)
            return;
        for (uint32_t i = 0; i < answer.head.count; i++)
            if (answer.frames[i].file + strlen(answer.frames[i].file) >= (const char *)payload.end)
                __builtin_trap();
    }
}

/* A sealed table of the rest of the input. */
static void check_table(struct reader payload)
{
    struct table_answer answer;
    const union unwind_element *elements;
    if (answer_read_table(&payload, &answer) < 0 || answer.error < 0)
        return;
    OWNED_FD int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t len = reader_left(&payload);
    if (fd < 0 || write(fd, payload.pos, len) != (ssize_t)len)
        return;
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    if (table_map(fd, &answer.table, &elements) < 0)
        return;
    for (uint32_t i = 0; i < answer.table.page_count; i++) {
        struct unwind_page page = elements[i].page;
        size_t end = ((size_t)page.first_line + page.line_count) * UNWIND_LINE_ELEMENTS;
        if (page.kind > UNWIND_ROWS ||
            (page.kind == UNWIND_ROWS && elements[end - 1].row.kind > UNWIND_UNSUPPORTED))
            __builtin_trap();
    }
    table_unmap(elements, &answer.table);
}

/* Code that could be moved is moved. */
static void check_scanned(struct reader payload)
{
    static struct scanned_answer answer;
    if (answer_read_scanned(&payload, &answer) < 0 || answer.error < 0)
        return;
    for (size_t i = 0; i < answer.scan.definition_count; i++) {
        uint8_t code[PROLOGUE_MOVED_MAX];
        prologue_move(&answer.scan.definitions[i].prologue, 1 << 20, 2 << 20, code);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct needed_file needed;
    struct reader payload = {data, data + size, false};
    uint8_t which = reader_u8(&payload);
    if (payload.bad)
        return 0;
    switch (which % 5) {
    case 0:
        check_opened(payload);
        break;
    case 1:
        check_resolved(payload);
        break;
    case 2:
        check_table(payload);
        break;
    case 3:
        check_scanned(payload);
        break;
    default:
        answer_read_needed_file(&payload, &needed);
    }
    return 0;
}
