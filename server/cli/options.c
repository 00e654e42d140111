#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum option_id {
    CPU_FREQ = 256,
    HEAP,
    HEAP_INTERVAL,
    WINDOW,
    SOURCE_MAP,
    WORKSPACE,
    BUDGET,
    DURATION,
    FORMAT,
    JSON,
    ALL
};

struct known_option {
    struct option option;
    unsigned commands;
};

static const struct known_option known_options[] = {
    {{"cpu-freq", required_argument, NULL, CPU_FREQ}, OPTIONS_PROFILE | OPTIONS_SERVE},
    {{"heap", required_argument, NULL, HEAP}, OPTIONS_PROFILE | OPTIONS_SERVE},
    {{"heap-interval", required_argument, NULL, HEAP_INTERVAL}, OPTIONS_PROFILE | OPTIONS_SERVE},
    {{"window", required_argument, NULL, WINDOW}, OPTIONS_PROFILE | OPTIONS_SERVE},
    {{"budget", required_argument, NULL, BUDGET}, OPTIONS_PROFILE | OPTIONS_SERVE},
    {{"source-map", required_argument, NULL, SOURCE_MAP}, OPTIONS_PROFILE | OPTIONS_SERVE},
    {{"workspace", required_argument, NULL, WORKSPACE}, OPTIONS_PROFILE},
    {{"duration", required_argument, NULL, DURATION}, OPTIONS_SNAPSHOT},
    {{"format", required_argument, NULL, FORMAT}, OPTIONS_SNAPSHOT},
    {{"output", required_argument, NULL, 'o'}, OPTIONS_SNAPSHOT},
    {{"json", no_argument, NULL, JSON}, OPTIONS_LIST | OPTIONS_DOCTOR},
    {{"all", no_argument, NULL, ALL}, OPTIONS_LIST},
};

#define KNOWN_OPTIONS (sizeof(known_options) / sizeof(known_options[0]))

static int bad_value(const char *command, const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "rsprof %s: --%s '%s' is not %s\n", command, option, value, wanted);
    return -EINVAL;
}

static int parse_number(const char *command, const char *option, const char *value, double least, double most,
                        double *ret)
{
    char *end, wanted[96];
    errno = 0;
    double number = strtod(value, &end);
    if (end == value || *end || errno || !(number >= least && number <= most)) {
        snprintf(wanted, sizeof(wanted), "a number from %.10g to %.10g", least, most);
        return bad_value(command, option, value, wanted);
    }
    *ret = number;
    return 0;
}

static int parse_profile_option(const char *command, int id, const char *value, struct cli_options *options)
{
    double number;
    int r;
    switch (id) {
    case CPU_FREQ:
        r = parse_number(command, "cpu-freq", value, 1, 10000, &number);
        if (r == 0)
            options->session.cpu_freq_hz = (unsigned)number;
        return r;
    case HEAP:
        r = heap_mode_parse(value, &options->session.heap);
        return r < 0 ? bad_value(command, "heap", value, "auto, hook, uprobe or off") : 0;
    case HEAP_INTERVAL:
        r = parse_number(command, "heap-interval", value, 0, 1e12, &number);
        if (r == 0)
            options->session.heap_interval_bytes = (uint64_t)number;
        return r;
    case BUDGET:
        r = parse_number(command, "budget", value, 0.01, 100, &number);
        if (r == 0)
            options->session.budget_fraction = number / 100;
        return r;
    default:
        return parse_number(command, "window", value, 0.5, 3600, &options->session.window_sec);
    }
}

static int push_string(const char *command, struct cli_options *options, int id, const char *value)
{
    if (id == SOURCE_MAP && (!strchr(value, '=') || *value == '='))
        return bad_value(command, "source-map", value, "of the form FROM=TO");
    const char **slot = id == SOURCE_MAP ? vec_push(&options->source_map) : vec_push(&options->workspace);
    if (!slot)
        return -ENOMEM;
    *slot = value;
    return 0;
}

static int parse_format(const char *command, const char *value, enum snapshot_format *ret_format)
{
    for (int i = 0; snapshot_format_names[i]; i++)
        if (!strcmp(value, snapshot_format_names[i])) {
            *ret_format = (enum snapshot_format)i;
            return 0;
        }
    return bad_value(command, "format", value, "json, folded, pprof or firefox");
}

static int parse_option(const char *command, int id, const char *value, struct cli_options *options)
{
    switch (id) {
    case SOURCE_MAP:
    case WORKSPACE:
        return push_string(command, options, id, value);
    case DURATION:
        return parse_number(command, "duration", value, 0.1, 86400, &options->duration_sec);
    case FORMAT:
        return parse_format(command, value, &options->format);
    case 'o':
        options->output = value;
        return 0;
    case JSON:
        options->json = true;
        return 0;
    case ALL:
        options->all = true;
        return 0;
    default:
        return parse_profile_option(command, id, value, options);
    }
}

static int parse_pid(const char *command, int argc, char **argv, unsigned known, struct cli_options *options)
{
    if (!argc && known & OPTIONS_DOCTOR)
        return 0;
    if (!(known & (OPTIONS_PROFILE | OPTIONS_DOCTOR))) {
        if (argc > 0)
            fprintf(stderr, "rsprof %s: what is '%s'? There is nothing to name here.\n", command, argv[0]);
        return argc > 0 ? -EINVAL : 0;
    }
    if (argc != 1) {
        fprintf(stderr, "rsprof %s: name one process by its PID; `rsprof list` shows the Rust ones\n",
                command);
        return -EINVAL;
    }
    char *end;
    errno = 0;
    long pid = strtol(argv[0], &end, 10);
    if (errno || end == argv[0] || *end || pid <= 0 || pid > INT_MAX) {
        fprintf(stderr, "rsprof %s: '%s' is not a PID; `rsprof list` shows the Rust processes\n", command,
                argv[0]);
        return -EINVAL;
    }
    options->pid = (pid_t)pid;
    return 0;
}

int cli_options_parse(int argc, char **argv, unsigned known, struct cli_options *ret_options)
{
    struct cli_options options = {.session = SESSION_OPTIONS_DEFAULT, .duration_sec = 10};
    struct option accepted[KNOWN_OPTIONS + 1] = {0};
    for (size_t i = 0, count = 0; i < KNOWN_OPTIONS; i++)
        if (known_options[i].commands & known)
            accepted[count++] = known_options[i].option;
    int r = 0, id;
    optind = 1;
    while (r == 0 &&
           (id = getopt_long(argc, argv, known & OPTIONS_SNAPSHOT ? "o:" : "", accepted, NULL)) != -1)
        r = id == '?' ? -EINVAL : parse_option(argv[0], id, optarg, &options);
    if (r == 0)
        r = parse_pid(argv[0], argc - optind, argv + optind, known, &options);
    if (r < 0) {
        cli_options_release(&options);
        return r;
    }
    *ret_options = options;
    return 0;
}

void cli_options_release(struct cli_options *options)
{
    vec_release(&options->source_map);
    vec_release(&options->workspace);
}

int cli_options_apply(const struct cli_options *options, struct session *session)
{
    int r = session_set_workspace(session, options->workspace.items, options->workspace.len);
    return r < 0 ? r : session_set_source_map(session, options->source_map.items, options->source_map.len);
}
