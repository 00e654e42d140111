#include "export/calls.h"

#include "events.h"

#include <string.h>

#define NAME_MAX_LEN 256

typedef int (*visit_fn)(void *userdata, const struct call *call);

const struct call call_in_kernel = {.name = CALL_KERNEL, .file = "", .kind = CALL_IN_KERNEL};
const struct call call_incomplete = {.name = CALL_INCOMPLETE, .file = ""};

/* A function without a name bears its module's, in brackets. */
static void name_after_module(const struct export_source *source, uint32_t module, char name[NAME_MAX_LEN])
{
    const char *path = module < source->module_count ? source->modules[module].path : "unknown";
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    /* The vDSO's has brackets already. */
    snprintf(name, NAME_MAX_LEN, *base == '[' ? "%s" : "[%s]", base);
}

int calls_visit_frame(const struct export_source *source, uint32_t number, visit_fn visit, void *userdata)
{
    struct viewed_frame frame = stack_view_frame(&source->stacks, number);
    char name[NAME_MAX_LEN];
    name_after_module(source, frame.module, name);
    int r = 0;
    for (uint32_t i = frame.call_count; r == 0 && i-- > 0;) {
        struct viewed_call found = stack_view_call(&source->stacks, number, i);
        struct call call = {.name = *found.function ? found.function : name,
                            .file = found.file,
                            .line = found.line,
                            .kind = found.yours ? CALL_YOURS : CALL_OTHER};
        r = visit(userdata, &call);
    }
    return frame.call_count ? r : visit(userdata, &(struct call){.name = name, .file = ""});
}

int calls_visit(const struct export_source *source, const struct viewed_stack *stack, visit_fn visit,
                void *userdata)
{
    int r = stack->complete ? 0 : visit(userdata, &call_incomplete);
    for (uint32_t i = stack->frame_count; r == 0 && i-- > 0;)
        r = calls_visit_frame(source, stack->frames[i], visit, userdata);
    return r;
}
