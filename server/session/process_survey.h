/* Which processes could be attached to: the process list joined with what the symbolizer says of each
 * executable. */
#ifndef RSPROF_SESSION_PROCESS_SURVEY_H
#define RSPROF_SESSION_PROCESS_SURVEY_H

#include "base/loop.h"
#include "dwarf/frames.h"
#include "target/process.h"

struct process_survey;

struct surveyed_process {
    const struct process *process;
    double cpu_cores; /* over the survey, or since its start */
    bool rust;
    bool known; /* false: the executable could not be read; `rust` and `debug` say nothing */
    enum debug_level debug;
    bool workspace; /* its executable lies in one of the workspace folders */
    int attachable; /* 0 or negative errno, as process_check_access */
};

typedef void (*process_survey_done_fn)(void *userdata, const struct surveyed_process *items, size_t count);

/* Starts a survey; `done` is called once, from the loop, with workspace processes first, then by CPU. Items
 * are valid during that call; the survey frees itself after it. Not Rust: left out, unless `all`. */
int process_survey_start(struct loop *loop, const char *const *folders, size_t folder_count, bool all,
                         process_survey_done_fn done, void *userdata, struct process_survey **ret_survey);

/* Ends a survey that is not done yet, without a call of `done`. */
void process_survey_cancel(struct process_survey *survey);

#endif
