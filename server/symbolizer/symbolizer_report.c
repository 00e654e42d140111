/* What the owner is told. */
#include "symbolizer/symbolizer_internal.h"

#include <errno.h>
#include <stdlib.h>

void symbolizer_report_opened(struct symbolizer *symbolizer, const struct module_entry *entry,
                              const struct module_info *info)
{
    if (symbolizer->observer.module_opened)
        symbolizer->observer.module_opened(symbolizer->userdata, entry->number, info);
}

void symbolizer_report_nothing_known(struct symbolizer *symbolizer, const struct module_entry *entry)
{
    struct module_info none = {.debug = DEBUG_NONE};
    symbolizer_report_opened(symbolizer, entry, &none);
}

/* Counted before the call, which may ask more. */
void symbolizer_report_resolved(struct symbolizer *symbolizer, struct request *request,
                                const struct source_frame *frames, size_t count)
{
    uint64_t address = request->addresses[request->answered];
    symbolizer->pending--;
    request->answered++;
    if (symbolizer->observer.address_resolved)
        symbolizer->observer.address_resolved(symbolizer->userdata, request->entry->number, address, frames,
                                              count);
}

void symbolizer_report_table(struct symbolizer *symbolizer, const struct module_entry *entry, int error,
                             const union unwind_element *elements, const struct wire_table *table)
{
    if (symbolizer->observer.unwind_table)
        symbolizer->observer.unwind_table(symbolizer->userdata, entry->number, error, elements,
                                          elements ? table->element_count : 0,
                                          elements ? table->page_count : 0, elements ? table->start : 0);
}

void symbolizer_report_scanned(struct symbolizer *symbolizer, const struct module_entry *entry, int error,
                               const struct hook_scan *scan)
{
    if (symbolizer->observer.slots_scanned)
        symbolizer->observer.slots_scanned(symbolizer->userdata, entry->number, error, scan);
}

void symbolizer_report_file(struct symbolizer *symbolizer, const struct module_entry *entry, int fd)
{
    if (symbolizer->observer.file_found)
        symbolizer->observer.file_found(symbolizer->userdata, entry->number, fd);
}

/* Answers a request without the child: nothing is known. */
void symbolizer_answer_empty(struct symbolizer *symbolizer, struct request *request)
{
    if (request->type == WIRE_RESOLVE) {
        while (request->answered < request->count)
            symbolizer_report_resolved(symbolizer, request, NULL, 0);
    } else if (!request->internal) {
        symbolizer->pending--;
        if (request->type == WIRE_OPEN)
            symbolizer_report_nothing_known(symbolizer, request->entry);
        else if (request->type == WIRE_SCAN)
            symbolizer_report_scanned(symbolizer, request->entry, -EIO, &(struct hook_scan){0});
        else
            symbolizer_report_table(symbolizer, request->entry, -EIO, NULL, NULL);
    }
    free(request);
}
