/* Options that commands share. */
#ifndef RSPROF_CLI_OPTIONS_H
#define RSPROF_CLI_OPTIONS_H

#include "base/vec.h"
#include "export/export.h"
#include "session/session.h"

struct cli_options {
    pid_t pid; /* 0: none was given */
    struct session_options session;
    VEC(const char *) source_map; /* rules, from argv */
    VEC(const char *) workspace;  /* folders, from argv */
    double duration_sec;
    enum snapshot_format format;
    const char *output; /* NULL: stdout */
    bool json, all;
};

/* Which options a command knows, as bits. */
enum {
    OPTIONS_PROFILE = 1,  /* a PID, and how to measure it */
    OPTIONS_SNAPSHOT = 2, /* --duration, --format, -o */
    OPTIONS_LIST = 4,     /* --json, --all */
    OPTIONS_SERVE = 8,    /* how to measure, no PID */
    OPTIONS_DOCTOR = 16,  /* --json; a PID or none */
};

/* Reads argv. On bad use it says on stderr what is wrong and returns −EINVAL. */
int cli_options_parse(int argc, char **argv, unsigned known, struct cli_options *ret_options);
void cli_options_release(struct cli_options *options);

/* Hands workspace and source map to a session. */
int cli_options_apply(const struct cli_options *options, struct session *session);

#endif
