/* `rsprof list`: the Rust processes of this machine. */
#include "cli/cli.h"
#include "cli/options.h"
#include "session/process_survey.h"

#include <cJSON.h>
#include <stdio.h>

struct listing {
    struct loop *loop;
    bool json;
    int code;
};

static const char *debug_name(const struct surveyed_process *item)
{
    static const char *const names[] = {"lines", "symbols", "symbols", "none"};
    return item->known ? names[item->debug] : "unknown";
}

static void print_json(const struct surveyed_process *items, size_t count)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "pid", items[i].process->pid);
        cJSON_AddStringToObject(object, "name", items[i].process->name);
        cJSON_AddStringToObject(object, "exe", items[i].process->exe);
        cJSON_AddStringToObject(object, "command", items[i].process->command);
        cJSON_AddNumberToObject(object, "uptimeSec", items[i].process->uptime_sec);
        cJSON_AddNumberToObject(object, "cpuCores", items[i].cpu_cores);
        cJSON_AddBoolToObject(object, "rust", items[i].rust);
        cJSON_AddStringToObject(object, "debugInfo", debug_name(&items[i]));
        cJSON_AddBoolToObject(object, "attachable", items[i].attachable == 0);
        cJSON_AddItemToArray(list, object);
    }
    char *text = cJSON_Print(list);
    puts(text ? text : "[]");
    cJSON_free(text);
    cJSON_Delete(list);
}

static void print_table(const struct surveyed_process *items, size_t count)
{
    if (!count)
        fputs("No Rust process is running.\n", stderr);
    else
        printf("%8s  %5s  %-8s  %s\n", "PID", "CORES", "DEBUG", "COMMAND");
    for (size_t i = 0; i < count; i++)
        printf("%8d  %5.2f  %-8s  %.100s%s\n", items[i].process->pid, items[i].cpu_cores,
               debug_name(&items[i]), items[i].process->command,
               items[i].attachable == 0 ? "" : "  (not yours alone)");
}

static void on_survey_done(void *userdata, const struct surveyed_process *items, size_t count)
{
    struct listing *listing = userdata;
    if (listing->json)
        print_json(items, count);
    else
        print_table(items, count);
    listing->code = EXIT_DONE;
    loop_stop(listing->loop);
}

int cli_list(int argc, char **argv)
{
    struct cli_options options;
    if (cli_options_parse(argc, argv, OPTIONS_LIST, &options) < 0)
        return EXIT_USAGE;
    struct listing listing = {.json = options.json, .code = EXIT_OTHER};
    struct process_survey *survey;
    if (loop_new(&listing.loop) == 0 &&
        process_survey_start(listing.loop, NULL, 0, options.all, on_survey_done, &listing, &survey) == 0)
        loop_run(listing.loop);
    else
        fputs("rsprof list: out of memory\n", stderr);
    loop_free(listing.loop);
    cli_options_release(&options);
    return listing.code;
}
