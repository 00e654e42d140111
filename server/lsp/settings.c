#include "lsp/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ATTACH_NEWEST "newest workspace build"
#define PID_LARGEST   4194304 /* the kernel's PID_MAX_LIMIT */

static const char *const heap_names[] = {
    [HEAP_OFF] = "off", [HEAP_AUTO] = "auto", [HEAP_HOOK] = "hook", [HEAP_UPROBE] = "uprobe", NULL};

struct session_args {
    uint64_t cpu_freq_hz, heap_interval_bytes;
    int heap;
    double window_sec;
};

int settings_parse_session(const cJSON *json, struct session_options *options, struct param_error *ret_error)
{
    static const struct param_field fields[] = {
        {"cpuFreqHz", PARAM_UINT, offsetof(struct session_args, cpu_freq_hz), .min = 1, .max = 10000},
        {"heap", PARAM_ENUM, offsetof(struct session_args, heap), .names = heap_names},
        {"heapIntervalBytes", PARAM_UINT, offsetof(struct session_args, heap_interval_bytes), .min = 0,
         .max = 1e12},
        {"windowSec", PARAM_DOUBLE, offsetof(struct session_args, window_sec), .min = 0.5, .max = 3600},
    };
    struct session_args args = {options->cpu_freq_hz, options->heap_interval_bytes, options->heap,
                                options->window_sec};
    int r = params_parse(json, fields, ARRAY_LEN(fields), &args, ret_error);
    if (r < 0)
        return r;
    options->cpu_freq_hz = (unsigned)args.cpu_freq_hz;
    options->heap = (enum heap_mode)args.heap;
    options->heap_interval_bytes = args.heap_interval_bytes;
    options->window_sec = args.window_sec;
    return 0;
}

static int parse_attach(const cJSON *json, struct settings *settings, struct param_error *ret_error)
{
    const cJSON *attach = json_get(json, "attach");
    if (!attach || cJSON_IsNull(attach))
        return 0;
    if (cJSON_IsString(attach) && !strcmp(attach->valuestring, ATTACH_NEWEST)) {
        settings->attach_newest = true;
        return 0;
    }
    if (cJSON_IsNumber(attach) && attach->valuedouble >= 1 && attach->valuedouble <= PID_LARGEST) {
        settings->attach_pid = (pid_t)attach->valuedouble;
        return 0;
    }
    snprintf(ret_error->message, sizeof(ret_error->message),
             "'attach' must be \"" ATTACH_NEWEST "\" or a process id");
    return -EINVAL;
}

int settings_parse(const cJSON *json, struct settings *settings, struct param_error *ret_error)
{
    static const struct param_field fields[] = {
        {"codeLens", PARAM_BOOL, offsetof(struct settings, code_lens), .required = false},
        {"diagnosticsMinShare", PARAM_DOUBLE, offsetof(struct settings, diagnostics_min_share), .min = 0,
         .max = 1},
    };
    struct settings changed = *settings;
    int r = settings_parse_session(json, &changed.session, ret_error);
    if (r >= 0)
        r = view_parse(json_get(json, "view"), &changed.view, ret_error);
    if (r >= 0)
        r = params_parse(json, fields, ARRAY_LEN(fields), &changed, ret_error);
    if (r >= 0)
        r = parse_attach(json, &changed, ret_error);
    if (r >= 0)
        *settings = changed;
    return r;
}
