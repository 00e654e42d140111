/* The symbolizer: a child process with no privileges that does all parsing of ELF and DWARF, so that a
 * malformed or enormous binary cannot hang, crash or exploit the part that holds capabilities.
 *
 * This is its owner's side: every call returns at once, answers arrive through the observer from the loop.
 * Requests that were under way when the child died are asked again of a new child, once; a module that kills
 * the child twice is given up and reported with `debug = DEBUG_NONE`. The owner opens files on the child's
 * behalf, as the real user would. Not thread-safe; lives on the loop's thread. */
#ifndef RSPROF_SYMBOLIZER_H
#define RSPROF_SYMBOLIZER_H

#include "base/loop.h"
#include "dwarf/frames.h"
#include "events.h"
#include "hook/slot_scan.h"

#include <sys/types.h>

struct symbolizer;

/* Members may be NULL. */
struct symbolizer_observer {
    /* A module was opened (or could not be: debug is DEBUG_NONE then). `info` is valid during the call. */
    void (*module_opened)(void *userdata, uint32_t module, const struct module_info *info);
    /* The source frames of one address asked for; `frames` and strings are valid during the call. */
    void (*address_resolved)(void *userdata, uint32_t module, uint64_t address,
                             const struct source_frame *frames, size_t count);
    /* The module's unwind table, `element_count` elements in the layout of events.h, valid during the call;
     * or no elements and a negative errno in `error`. */
    void (*unwind_table)(void *userdata, uint32_t module, int error, const union unwind_element *elements,
                         uint32_t element_count, uint32_t page_count, uint64_t start);
    /* Through which words the module calls an allocator, valid during the call; or nothing, and a negative
     * errno in `error`. */
    void (*slots_scanned)(void *userdata, uint32_t module, int error, const struct hook_scan *scan);
    /* A file that the module's debug info is in was found beside it; `fd` is valid during the call. */
    void (*file_found)(void *userdata, uint32_t module, int fd);
    /* Nothing is under way any more. */
    void (*idle)(void *userdata);
    /* The child died and was started again (`restarts` times so far), or could not be (`restarts` < 0). */
    void (*died)(void *userdata, int restarts);
};

/* Starts the child. `observer` must outlive the symbolizer. */
int symbolizer_new(struct loop *loop, const struct symbolizer_observer *observer, void *userdata,
                   struct symbolizer **ret_symbolizer);
void symbolizer_free(struct symbolizer *symbolizer);

/* Hands over an ELF file (takes `fd`, also on failure) under a number of the caller's choice. `path` is where
 * the target sees it, `pid` the target (for files beside it in its mount namespace; 0: ours). Answer:
 * module_opened. */
int symbolizer_open_module(struct symbolizer *symbolizer, uint32_t module, int fd, const char *path,
                           pid_t pid);

/* Lets the child free what it holds of a module, once it has answered what was asked: for one that is not
 * mapped any more. Asking again opens it again. */
int symbolizer_rest_module(struct symbolizer *symbolizer, uint32_t module);

/* Asks for source frames of link-time addresses. Answers: address_resolved, one for each, in any order. */
int symbolizer_resolve(struct symbolizer *symbolizer, uint32_t module, const uint64_t *addresses,
                       size_t count);

/* Asks for the unwind table. Answer: unwind_table. Tables go before addresses. */
int symbolizer_compile_unwind_table(struct symbolizer *symbolizer, uint32_t module);

/* Asks through which words the module calls an allocator. Answer: slots_scanned. */
int symbolizer_scan_slots(struct symbolizer *symbolizer, uint32_t module);

/* Waits up to `timeout_ms` for answers and hands on what has come, without the loop: for a caller that cannot
 * go on without. Returns 1 when something came, 0 when nothing did. */
int symbolizer_wait(struct symbolizer *symbolizer, int timeout_ms);

/* Questions asked and not answered yet, for a progress bar. */
size_t symbolizer_pending(const struct symbolizer *symbolizer);

/* Source frames that were too many, or had too long names, to be told. */
uint64_t symbolizer_frames_left_out(const struct symbolizer *symbolizer);

/* The child, or 0: for tests and for the process's own CPU use. */
pid_t symbolizer_pid(const struct symbolizer *symbolizer);

#endif
