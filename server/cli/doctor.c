/* `rsprof doctor [PID]`: what is missing for profiling, and what mends it. */
#include "cli/cli.h"
#include "cli/options.h"
#include "doctor/machine.h"
#include "doctor/target.h"

#include <cJSON.h>
#include <stdio.h>
#include <string.h>

static void print_json(const struct checkup *checkup)
{
    cJSON *object = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(object, "checks");
    cJSON_AddBoolToObject(object, "ok", checkup_error(checkup) == 0);
    for (size_t i = 0; i < checkup->checks.len; i++) {
        const struct check *check = &checkup->checks.items[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", check->name);
        cJSON_AddStringToObject(item, "state", check_state_name(check->state));
        cJSON_AddStringToObject(item, "seen", check->seen);
        cJSON_AddStringToObject(item, "remedy", check->remedy);
        cJSON_AddItemToArray(list, item);
    }
    char *text = cJSON_Print(object);
    puts(text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

static void print_table(const struct checkup *checkup)
{
    for (size_t i = 0; i < checkup->checks.len; i++) {
        const struct check *check = &checkup->checks.items[i];
        printf("%-5s %-18s %s\n", check_state_name(check->state), check->name, check->seen);
        if (*check->remedy)
            printf("%24s  -> %s\n", "", check->remedy);
    }
}

static int examine(struct checkup *checkup, pid_t pid)
{
    struct loop *loop = NULL;
    machine_examine(checkup);
    int r = pid ? loop_new(&loop) : 0;
    if (loop)
        target_examine(checkup, loop, pid);
    loop_free(loop);
    return r;
}

int cli_doctor(int argc, char **argv)
{
    struct cli_options options;
    struct checkup checkup = {0};
    if (cli_options_parse(argc, argv, OPTIONS_DOCTOR, &options) < 0)
        return EXIT_USAGE;
    int r = examine(&checkup, options.pid);
    if (r < 0)
        fprintf(stderr, "rsprof doctor: %s\n", strerror(-r));
    else if (options.json)
        print_json(&checkup);
    else
        print_table(&checkup);
    int error = r < 0 ? r : checkup_error(&checkup);
    checkup_release(&checkup);
    cli_options_release(&options);
    return error < 0 ? cli_exit_code(error) : EXIT_DONE;
}
