/* What the child says, once it has been checked, becomes news for the owner. */
#include "symbolizer/symbolizer_internal.h"

#include "base/cleanup.h"
#include "symbolizer/debug_files.h"
#include "symbolizer/table_check.h"

#define FILES_MAX 16384u /* a request may ask for */

static int take_opened(struct symbolizer *symbolizer, struct reader *payload)
{
    struct request *request = symbolizer->current;
    struct opened_answer *answer = &symbolizer->answer.opened;
    if (request->type != WIRE_OPEN || answer_read_opened(payload, answer) < 0)
        return -EBADMSG;
    struct module_entry *entry = request->entry;
    entry->in_child = answer->error == 0;
    entry->given_up = answer->error < 0;
    symbolizer->pending -= request_questions(request);
    if (!request->internal)
        symbolizer_report_opened(symbolizer, entry, &answer->info);
    symbolizer_finish(symbolizer);
    return 0;
}

static int take_resolved(struct symbolizer *symbolizer, struct reader *payload)
{
    struct request *request = symbolizer->current;
    struct resolved_answer *answer = &symbolizer->answer.resolved;
    if (request->type != WIRE_RESOLVE)
        return -EBADMSG;
    while (reader_left(payload)) {
        if (request->answered == request->count || answer_read_resolved(payload, answer) < 0 ||
            answer->head.address != request->addresses[request->answered])
            return -EBADMSG;
        symbolizer->frames_left_out += answer->head.left_out;
        symbolizer_report_resolved(symbolizer, request, answer->frames, answer->head.count);
    }
    if (request->answered == request->count)
        symbolizer_finish(symbolizer);
    else
        return symbolizer_expect_answer(symbolizer);
    return 0;
}

static int take_table(struct symbolizer *symbolizer, struct reader *payload, int fd)
{
    struct request *request = symbolizer->current;
    struct table_answer answer;
    const union unwind_element *elements = NULL;
    if (request->type != WIRE_UNWIND || answer_read_table(payload, &answer) < 0)
        return -EBADMSG;
    if (answer.error == 0) {
        int r = table_map(fd, &answer.table, &elements);
        if (r < 0)
            return r;
    }
    symbolizer->pending--;
    symbolizer_report_table(symbolizer, request->entry, answer.error, elements, &answer.table);
    if (elements)
        table_unmap(elements, &answer.table);
    symbolizer_finish(symbolizer);
    return 0;
}

static int take_scanned(struct symbolizer *symbolizer, struct reader *payload)
{
    struct request *request = symbolizer->current;
    struct scanned_answer *answer = &symbolizer->answer.scanned;
    if (request->type != WIRE_SCAN || answer_read_scanned(payload, answer) < 0)
        return -EBADMSG;
    symbolizer->pending--;
    symbolizer_report_scanned(symbolizer, request->entry, answer->error, &answer->scan);
    symbolizer_finish(symbolizer);
    return 0;
}

static int give_file(struct symbolizer *symbolizer, struct reader *payload)
{
    const struct module_entry *entry = symbolizer->current->entry;
    struct needed_file *needed = &symbolizer->answer.needed;
    if (symbolizer->files++ == FILES_MAX || answer_read_needed_file(payload, needed) < 0)
        return -EBADMSG;
    struct debug_file_places places = {.exe = entry->path, .pid = entry->pid};
    OWNED_FD int fd = debug_file_find(&places, (enum module_file_kind)needed->kind, needed->name);
    int32_t error = fd < 0 ? fd : 0;
    if (fd >= 0)
        symbolizer_report_file(symbolizer, entry, fd);
    int r = wire_begin(&symbolizer->message, WIRE_FILE, entry->handle);
    if (r == 0)
        r = buf_append(&symbolizer->message, &error, sizeof(error));
    return r < 0 ? r : wire_send(symbolizer->socket, &symbolizer->message, fd);
}

int symbolizer_take_message(struct symbolizer *symbolizer, int fd)
{
    struct reader reader =
        reader_of((struct bytes){(const uint8_t *)symbolizer->message.data, symbolizer->message.len});
    uint32_t type = reader_u32(&reader), handle = reader_u32(&reader);
    if (!symbolizer->current || handle != symbolizer->current->entry->handle)
        return -EBADMSG;
    switch (type) {
    case WIRE_OPENED:
        return take_opened(symbolizer, &reader);
    case WIRE_RESOLVED:
        return take_resolved(symbolizer, &reader);
    case WIRE_TABLE:
        return take_table(symbolizer, &reader, fd);
    case WIRE_SCANNED:
        return take_scanned(symbolizer, &reader);
    case WIRE_NEED_FILE:
        return give_file(symbolizer, &reader);
    default:
        return -EBADMSG;
    }
}
