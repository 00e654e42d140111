#include "session/process_survey.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "symbolizer/symbolizer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SURVEY_LIMIT_NS (3 * NS_PER_SEC) /* an executable not judged by then is left unknown */

/* One executable, shared by all processes that run it. Its number is its module at the symbolizer. */
struct executable {
    bool answered, known, rust;
    enum debug_level debug;
};

struct process_survey {
    struct loop *loop;
    struct process_list list;
    VEC(uint32_t) executable_of; /* by process; NO_EXECUTABLE */
    VEC(struct executable) executables;
    struct map by_inode;
    VEC(char *) folders;
    bool all;
    struct symbolizer *symbolizer;
    struct loop_event limit;
    size_t unanswered;
    process_survey_done_fn done;
    void *userdata;
};

#define NO_EXECUTABLE ((uint32_t)-1)

void process_survey_cancel(struct process_survey *survey)
{
    if (!survey)
        return;
    loop_event_stop(&survey->limit);
    symbolizer_free(survey->symbolizer);
    process_list_release(&survey->list);
    for (size_t i = 0; i < survey->folders.len; i++)
        free(survey->folders.items[i]);
    vec_release(&survey->folders);
    vec_release(&survey->executable_of);
    vec_release(&survey->executables);
    map_release(&survey->by_inode);
    free(survey);
}

static bool in_folder(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return !strncmp(path, folder, len) && path[len] == '/';
}

static bool in_workspace(const struct process_survey *survey, const struct process *process)
{
    for (size_t i = 0; i < survey->folders.len; i++)
        if (in_folder(process->exe, survey->folders.items[i]))
            return true;
    return false;
}

static int workspace_first(const void *a, const void *b)
{
    const struct surveyed_process *x = a, *y = b;
    if (x->workspace != y->workspace)
        return x->workspace ? -1 : 1;
    if (x->cpu_cores != y->cpu_cores)
        return x->cpu_cores < y->cpu_cores ? 1 : -1;
    return x->process->pid - y->process->pid;
}

static struct surveyed_process judge(const struct process_survey *survey, size_t index)
{
    const struct process *process = &survey->list.items[index];
    struct surveyed_process judged = {
        .process = process,
        .cpu_cores = process->uptime_sec > 0 ? process->cpu_sec / process->uptime_sec : 0,
        .debug = DEBUG_NONE,
        .workspace = in_workspace(survey, process),
        .attachable = process_check_access(process->pid),
    };
    uint32_t number = survey->executable_of.items[index];
    if (number != NO_EXECUTABLE) {
        const struct executable *executable = &survey->executables.items[number];
        judged.known = executable->known;
        judged.rust = executable->rust;
        judged.debug = executable->debug;
    }
    return judged;
}

static void finish(void *userdata)
{
    struct process_survey *survey = userdata;
    struct surveyed_process *items = calloc(survey->list.len + 1, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; items && i < survey->list.len; i++) {
        struct surveyed_process judged = judge(survey, i);
        if (survey->all || judged.rust)
            items[count++] = judged;
    }
    if (count)
        qsort(items, count, sizeof(*items), workspace_first);
    survey->done(survey->userdata, items, count);
    free(items);
    process_survey_cancel(survey);
}

static void on_module_opened(void *userdata, uint32_t module, const struct module_info *info)
{
    struct process_survey *survey = userdata;
    if (module >= survey->executables.len || survey->executables.items[module].answered)
        return;
    survey->executables.items[module] =
        (struct executable){.answered = true, .known = true, .rust = info->rust, .debug = info->debug};
    survey->unanswered--;
    if (!survey->unanswered) /* from the loop: the symbolizer is in the middle of this call */
        loop_timer_start(survey->loop, &survey->limit, 0, 0, finish, survey);
}

static void on_died(void *userdata, int restarts)
{
    struct process_survey *survey = userdata;
    if (restarts < 0)
        loop_timer_start(survey->loop, &survey->limit, 0, 0, finish, survey);
}

static const struct symbolizer_observer observer = {.module_opened = on_module_opened, .died = on_died};

/* Gives the process's executable to the symbolizer, unless another process runs the same. */
static int survey_executable(struct process_survey *survey, const struct process *process,
                             uint32_t *ret_number)
{
    OWNED_FD int fd = -1;
    struct stat st;
    uint64_t known;
    *ret_number = NO_EXECUTABLE;
    if (process_open_exe(process->pid, &fd) < 0 || fstat(fd, &st) < 0)
        return 0; /* its executable stays unknown */
    uint64_t key = (uint64_t)st.st_ino ^ (uint64_t)st.st_dev << 48;
    if (map_get(&survey->by_inode, key, &known) == 0) {
        *ret_number = (uint32_t)known;
        return 0;
    }
    uint32_t number = (uint32_t)survey->executables.len;
    struct executable *executable = vec_push(&survey->executables);
    if (!executable)
        return -ENOMEM;
    int r = map_put(&survey->by_inode, key, number);
    if (r < 0)
        return r;
    survey->unanswered++;
    *ret_number = number;
    return symbolizer_open_module(survey->symbolizer, number, take_fd(&fd), process->exe, 0);
}

static int add_folders(struct process_survey *survey, const char *const *folders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *folder = strdup(folders[i]), **slot = folder ? vec_push(&survey->folders) : NULL;
        if (!slot) {
            free(folder);
            return -ENOMEM;
        }
        *slot = folder;
    }
    return 0;
}

static int ask_all(struct process_survey *survey)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < survey->list.len; i++) {
        uint32_t *number = vec_push(&survey->executable_of);
        r = number ? survey_executable(survey, &survey->list.items[i], number) : -ENOMEM;
    }
    return r;
}

int process_survey_start(struct loop *loop, const char *const *folders, size_t folder_count, bool all,
                         process_survey_done_fn done, void *userdata, struct process_survey **ret_survey)
{
    struct process_survey *survey = calloc(1, sizeof(*survey));
    if (!survey)
        return -ENOMEM;
    *survey = (struct process_survey){.loop = loop, .all = all, .done = done, .userdata = userdata};
    int r = add_folders(survey, folders, folder_count);
    if (r == 0)
        r = symbolizer_new(loop, &observer, survey, &survey->symbolizer);
    if (r == 0)
        r = process_list_read(&survey->list);
    if (r == 0)
        r = ask_all(survey);
    if (r == 0)
        r = loop_timer_start(loop, &survey->limit, survey->unanswered ? SURVEY_LIMIT_NS : 0, 0, finish,
                             survey);
    if (r < 0) {
        process_survey_cancel(survey);
        return r;
    }
    *ret_survey = survey;
    return 0;
}
