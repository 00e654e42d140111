#include "export/export.h"

#include "base/clock.h"
#include "base/vec.h"
#include "export/formats.h"

#include <errno.h>

const char *const snapshot_format_names[] = {
    [SNAPSHOT_JSON] = "json",
    [SNAPSHOT_FOLDED] = "folded",
    [SNAPSHOT_PPROF] = "pprof",
    [SNAPSHOT_FIREFOX] = "firefox",
    NULL,
};

static int write_format(const struct export_source *source, enum snapshot_format format, FILE *out)
{
    switch (format) {
    case SNAPSHOT_FOLDED:
        return export_folded(source, out);
    case SNAPSHOT_PPROF:
        return export_pprof(source, out);
    case SNAPSHOT_FIREFOX:
        return export_firefox(source, out);
    default:
        return -EINVAL;
    }
}

int export_session(struct session *session, enum snapshot_format format, FILE *out)
{
    VEC(struct session_module) modules = {0};
    struct session_module module;
    for (uint32_t number = 0; session_module(session, number, &module); number++) {
        struct session_module *slot = vec_push(&modules);
        if (!slot) {
            vec_release(&modules);
            return -ENOMEM;
        }
        *slot = module;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct export_source source = {
        .stacks = session_stacks(session),
        .modules = modules.items,
        .module_count = modules.len,
        .status = session_status(session),
        .duration_ns = (uint64_t)(session_snapshot(session)->duration_sec * NS_PER_SEC),
    };
    source.start_ns = (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec - source.duration_ns;
    int r = write_format(&source, format, out);
    vec_release(&modules);
    return r;
}
