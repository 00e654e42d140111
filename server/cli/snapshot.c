/* `rsprof snapshot PID`: measures for a while and writes everything it saw. */
#include "cli/attached.h"
#include "cli/cli.h"
#include "lsp/snapshot_json.h"

#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int write_json(struct session *session, FILE *file)
{
    cJSON *object = snapshot_to_json(session_snapshot(session), session_status(session));
    char *text = object ? cJSON_Print(object) : NULL;
    cJSON_Delete(object);
    if (!text)
        return -ENOMEM;
    int r = fprintf(file, "%s\n", text) < 0 ? -errno : 0;
    cJSON_free(text);
    return r;
}

static int write_snapshot(struct session *session, enum snapshot_format format, const char *output)
{
    FILE *file = output ? fopen(output, "w") : stdout;
    if (!file) {
        fprintf(stderr, "rsprof snapshot: cannot write %s: %s\n", output, strerror(errno));
        return EXIT_OTHER;
    }
    int r = format == SNAPSHOT_JSON ? write_json(session, file) : export_session(session, format, file);
    if (fflush(file) && r == 0)
        r = -errno;
    if (output && fclose(file) && r == 0)
        r = -errno;
    if (r < 0)
        fprintf(stderr, "rsprof snapshot: cannot write %s: %s\n", output ? output : "to stdout",
                strerror(-r));
    return r < 0 ? EXIT_OTHER : EXIT_DONE;
}

int cli_snapshot(int argc, char **argv)
{
    struct cli_options options;
    if (cli_options_parse(argc, argv, OPTIONS_PROFILE | OPTIONS_SNAPSHOT, &options) < 0)
        return EXIT_USAGE;
    struct attached attached = {.options = &options};
    /* The window is the whole measurement: a snapshot shows all it saw. */
    options.session.window_sec = options.duration_sec + 1;
    int code = attached_run(&attached, options.duration_sec);
    if (code == EXIT_DONE)
        code = write_snapshot(attached.session, options.format, options.output);
    attached_release(&attached);
    cli_options_release(&options);
    return code;
}
