#include "cli/cli.h"

#include "base/rights.h"
#include "cli/serve.h"
#include "cli/symbolize.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char usage[] =
    "usage: rsprof COMMAND [OPTIONS]\n"
    "\n"
    "CPU and live heap of a running Rust process, line by line.\n"
    "\n"
    "  serve                  speak the protocol of editors on stdin and stdout\n"
    "  list [--all] [--json]  show the Rust processes of this machine\n"
    "  watch PID              show the hottest lines, live\n"
    "  snapshot PID           measure for a while and print what was seen\n"
    "       --duration SEC    for how long (10)\n"
    "       --format FORMAT   json: every line with its numbers; folded: stacks for flame graphs, CPU only;\n"
    "                         pprof: for `go tool pprof`; firefox: for profiler.firefox.com (json)\n"
    "       -o FILE           write there instead of to stdout\n"
    "  doctor [PID] [--json]  say what is missing here, or for that process, and what mends it\n"
    "  symbolize EXE          turn addresses on stdin into functions and lines\n"
    "\n"
    "options of serve, watch and snapshot:\n"
    "  --cpu-freq HZ          samples per second and thread (199)\n"
    "  --heap MODE            auto, hook, uprobe or off (auto)\n"
    "  --heap-interval BYTES  mean bytes between heap samples (0: chosen by rsprof)\n"
    "  --budget PERCENT       most that profiling may cost, of the process's CPU time (2)\n"
    "  --window SEC           length of the sliding window (10)\n"
    "  --source-map FROM=TO   where sources built as FROM are now; may be repeated\n"
    "  --workspace DIR        a folder with your code; may be repeated (default: "
    "every .rs file outside of libraries)\n"
    "\n"
    "  --help, --version\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"serve", cli_serve},       {"list", cli_list},     {"watch", cli_watch},
    {"snapshot", cli_snapshot}, {"doctor", cli_doctor}, {"symbolize", cli_symbolize},
};

/* Each module of a process takes two descriptors, and the limit that shells set is 1024. */
static void allow_many_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int cli_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    int r = rights_start();
    if (r < 0) {
        fprintf(stderr, "rsprof: cannot give up rights: %s\n", strerror(-r));
        return EXIT_OTHER;
    }
    allow_many_files();
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (!strcmp(name, commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (!strcmp(name, "--version")) {
        puts("rsprof " RSPROF_VERSION);
        return EXIT_DONE;
    }
    if (*name)
        fprintf(stderr, "rsprof: there is no command '%s'\n", name);
    fputs(usage, stderr);
    return EXIT_USAGE;
}

int cli_exit_code(int error)
{
    switch (error) {
    case -ESRCH:
        return EXIT_NO_PROCESS;
    case -EPERM:
    case -EACCES:
    case -EXDEV:
        return EXIT_PERMISSION;
    case -ENODATA:
        return EXIT_NO_DEBUG_INFO;
    default:
        return EXIT_OTHER;
    }
}
