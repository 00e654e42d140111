/* A command that attaches to one process, and runs until it is done, interrupted, or the process ends. */
#ifndef RSPROF_CLI_ATTACHED_H
#define RSPROF_CLI_ATTACHED_H

#include "base/loop.h"
#include "cli/options.h"
#include "session/session.h"

struct attached {
    struct loop *loop;
    struct session *session;
    const struct cli_options *options;
    bool interrupted;
    void (*ticked)(struct attached *attached); /* NULL: nothing to do each tick */
};

/* Attaches and runs the loop for `duration_sec` of sampling (0: until interrupted). When it returns EXIT_DONE
 * the session is still there to be read. Says on stderr what went wrong otherwise. */
int attached_run(struct attached *attached, double duration_sec);
void attached_release(struct attached *attached);

#endif
