/* What the parts of the symbolizer share: the queue and the child's life (symbolizer.c), what the child says
 * (symbolizer_answers.c), what the owner is told (symbolizer_report.c). */
#ifndef RSPROF_SYMBOLIZER_INTERNAL_H
#define RSPROF_SYMBOLIZER_INTERNAL_H

#include "base/map.h"
#include "symbolizer/answer.h"
#include "symbolizer/request.h"
#include "symbolizer/symbolizer.h"

struct symbolizer {
    struct loop *loop;
    struct symbolizer_observer observer;
    void *userdata;
    pid_t child; /* 0: none */
    int socket;
    struct loop_io io;
    struct loop_event kick;  /* starts the next request from the loop, never inside a call */
    struct loop_event limit; /* runs while the child works */
    uint64_t answer_limit_ns;
    struct map entries; /* owner's number → struct module_entry *, owned */
    struct request_queue queue;
    struct request *current; /* what the child works on */
    uint32_t last_handle;
    unsigned files; /* asked for by the current request */
    size_t pending; /* questions */
    uint64_t frames_left_out;
    int restarts;
    int fruitless; /* children in a row that died without an answer */
    bool dead;     /* no child can be started */
    struct buf message;
    union {
        struct opened_answer opened;
        struct resolved_answer resolved;
        struct needed_file needed;
        struct scanned_answer scanned;
    } answer;
};

/* Calls of the observer, which may ask more. The caller has counted the question as
 * answered before; report_resolved does so itself. */
void symbolizer_report_opened(struct symbolizer *symbolizer, const struct module_entry *entry,
                              const struct module_info *info);
void symbolizer_report_nothing_known(struct symbolizer *symbolizer, const struct module_entry *entry);
void symbolizer_report_resolved(struct symbolizer *symbolizer, struct request *request,
                                const struct source_frame *frames, size_t count);
void symbolizer_report_table(struct symbolizer *symbolizer, const struct module_entry *entry, int error,
                             const union unwind_element *elements, const struct wire_table *table);
void symbolizer_report_scanned(struct symbolizer *symbolizer, const struct module_entry *entry, int error,
                               const struct hook_scan *scan);

void symbolizer_report_file(struct symbolizer *symbolizer, const struct module_entry *entry, int fd);

/* Answers a request without the child, and frees it: nothing is known. */
void symbolizer_answer_empty(struct symbolizer *symbolizer, struct request *request);

/* Acts on the message just received, and the descriptor that came with it (stays the caller's). Negative
 * errno when the child is not to be trusted any more. */
int symbolizer_take_message(struct symbolizer *symbolizer, int fd);

/* Gives the child its time for an answer, or the next part of one. */
int symbolizer_expect_answer(struct symbolizer *symbolizer);

/* The current request has its answer. */
void symbolizer_finish(struct symbolizer *symbolizer);

#endif
