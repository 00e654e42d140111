#include "cli/symbolize.h"

#include "base/cleanup.h"
#include "dwarf/module.h"
#include "symbolizer/debug_files.h"
#include "symbolizer/sandbox.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_OTHER = 1, EXIT_USAGE = 2, EXIT_PERMISSION = 4, EXIT_NO_DEBUG_INFO = 5 };

static const char usage[] =
    "usage: rsprof symbolize [--full] [--mend] EXE < ADDRESSES\n"
    "Prints the source frames of hexadecimal link-time addresses, innermost first.\n"
    "  --full  function names with generic arguments\n"
    "  --mend  instead of line 0, the line of the nearest code of the same function\n";

struct options {
    const char *exe;
    bool full, mend, help;
};

static int parse_options(int argc, char **argv, struct options *ret_options)
{
    struct options options = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--full") == 0)
            options.full = true;
        else if (strcmp(argv[i], "--mend") == 0)
            options.mend = true;
        else if (strcmp(argv[i], "--help") == 0)
            options.help = true;
        else if (argv[i][0] == '-' || options.exe)
            return -EINVAL;
        else
            options.exe = argv[i];
    }
    *ret_options = options;
    return 0;
}

/* Spaces around the number are allowed, and nothing else. */
static int parse_address(const char *line, uint64_t *ret_address)
{
    char *end;
    while (isspace((unsigned char)*line))
        line++;
    if (!isxdigit((unsigned char)*line))
        return -EINVAL;
    errno = 0;
    unsigned long long address = strtoull(line, &end, 16);
    while (isspace((unsigned char)*end))
        end++;
    if (errno || *end)
        return -EINVAL;
    *ret_address = address;
    return 0;
}

static void print_frames(const struct source_frame *frames, size_t count)
{
    static const struct source_frame unknown = {.function = "", .file = "", .line = 0};
    if (!count) {
        frames = &unknown;
        count = 1;
    }
    for (size_t i = 0; i < count; i++)
        printf("%s\n%s:%" PRIu32 "\n", *frames[i].function ? frames[i].function : "??",
               *frames[i].file ? frames[i].file : "??", frames[i].line);
    putchar('\n');
}

static int answer(struct module *module)
{
    char *line = NULL;
    size_t size = 0;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && getline(&line, &size, stdin) >= 0) {
        uint64_t address;
        const struct source_frame *frames;
        size_t count;
        if (line[strspn(line, " \t\r\n")] == '\0')
            continue;
        if (parse_address(line, &address) < 0) {
            fprintf(stderr, "rsprof: not a hexadecimal address: %s", line);
            code = EXIT_USAGE;
        } else if (module_resolve(module, address, &frames, &count) < 0) {
            fprintf(stderr, "rsprof: out of memory\n");
            code = EXIT_OTHER;
        } else {
            print_frames(frames, count);
        }
    }
    free(line);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_OTHER;
    return code;
}

static int explain_open(const char *exe, int error)
{
    if (error == -ENOEXEC)
        fprintf(stderr, "rsprof: %s is not an x86-64 ELF file\n", exe);
    else
        fprintf(stderr, "rsprof: cannot read %s: %s\n", exe, strerror(-error));
    return error == -EACCES || error == -EPERM ? EXIT_PERMISSION : EXIT_OTHER;
}

static int symbolize(const struct options *options)
{
    struct debug_file_places places = {.exe = options->exe, .pid = 0};
    OWNED_FD int fd = open(options->exe, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return explain_open(options->exe, -errno);
    struct module *module;
    int r = module_open(fd, debug_file_find, &places, &module);
    if (r < 0)
        return explain_open(options->exe, r);
    r = module_find_debug_info(module);
    if (r < 0) {
        module_free(module);
        return explain_open(options->exe, r);
    }
    module_set_full_names(module, options->full);
    module_set_verbatim(module, !options->mend);
    int code = EXIT_NO_DEBUG_INFO;
    if (module_info(module)->debug == DEBUG_NONE)
        fprintf(stderr, "rsprof: %s has neither debug info nor symbols\n", options->exe);
    else
        code = answer(module);
    module_free(module);
    return code;
}

int cli_symbolize(int argc, char **argv)
{
    struct options options;
    if (parse_options(argc, argv, &options) < 0) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (options.help) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (!options.exe) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    int r = sandbox_drop_privileges();
    if (r < 0) {
        fprintf(stderr, "rsprof: cannot drop privileges: %s\n", strerror(-r));
        return EXIT_OTHER;
    }
    return symbolize(&options);
}
