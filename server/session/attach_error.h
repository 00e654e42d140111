/* Why an attachment failed, said so that a person knows what to do. */
#ifndef RSPROF_SESSION_ATTACH_ERROR_H
#define RSPROF_SESSION_ATTACH_ERROR_H

#include "session/session.h"

enum attach_step {
    ATTACH_FIND,  /* the process, its mappings, its files */
    ATTACH_LOAD,  /* the BPF programs */
    ATTACH_CLOCK, /* the perf events that CPU samples start from */
    ATTACH_CODE,  /* is it Rust, does it have lines */
};

/* The command that gives this very program the rights it needs on this kernel. */
void setcap_command(char *ret_command, size_t size);

/* Fills in the message and the hint for `error`, and returns it. */
int attach_error_fill(int error, enum attach_step step, pid_t pid, struct session_error *ret_error);

#endif
