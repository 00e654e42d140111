/* Reads what the child sent, believing nothing: every length, count and number is checked before an observer
 * sees it. */
#ifndef RSPROF_SYMBOLIZER_ANSWER_H
#define RSPROF_SYMBOLIZER_ANSWER_H

#include "dwarf/bytes.h"
#include "dwarf/frames.h"
#include "hook/slot_scan.h"
#include "symbolizer/wire.h"

/* Names are copied out of the message, so that they end with a NUL. */
struct opened_answer {
    int error;
    struct module_info info; /* points into what follows */
    struct module_symbol symbols[WIRE_SYMBOLS_MAX];
    char names[WIRE_SYMBOLS_MAX][WIRE_SYMBOL_MAX + 1];
};

struct resolved_answer {
    struct wire_frames head;
    struct source_frame frames[WIRE_FRAMES_MAX]; /* strings are those of the message */
};

struct table_answer {
    int error;
    struct wire_table table;
};

struct scanned_answer {
    int error;
    struct hook_scan scan; /* points into what follows */
    struct hook_candidate candidates[WIRE_SLOTS_MAX];
    struct hook_definition definitions[WIRE_FUNCTIONS_MAX];
};

struct needed_file {
    uint32_t kind; /* enum module_file_kind, checked */
    char name[WIRE_NAME_MAX + 1];
};

/* `payload` stands behind the header. All return −EBADMSG for what is not as wire.h has it, or 0. */
int answer_read_opened(struct reader *payload, struct opened_answer *ret_answer);
int answer_read_resolved(struct reader *payload, struct resolved_answer *ret_answer);
int answer_read_table(struct reader *payload, struct table_answer *ret_answer);
int answer_read_scanned(struct reader *payload, struct scanned_answer *ret_answer);
int answer_read_needed_file(struct reader *payload, struct needed_file *ret_file);

#endif
