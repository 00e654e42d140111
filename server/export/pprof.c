/* profile.proto, gzipped. Source: https://github.com/google/pprof/blob/main/proto/profile.proto */
#include "export/calls.h"
#include "export/formats.h"
#include "export/protobuf.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/intern.h"
#include "rpc/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

/* Field numbers. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING_TABLE = 6,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DURATION_NANOS = 10,
    PROFILE_PERIOD_TYPE = 11,
    PROFILE_PERIOD = 12,
    PROFILE_COMMENT = 13,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14,
    VALUE_TYPE_TYPE = 1,
    VALUE_TYPE_UNIT = 2,
    SAMPLE_LOCATION_ID = 1,
    SAMPLE_VALUE = 2,
    MAPPING_ID = 1,
    MAPPING_START = 2,
    MAPPING_LIMIT = 3,
    MAPPING_OFFSET = 4,
    MAPPING_FILENAME = 5,
    MAPPING_BUILD_ID = 6,
    MAPPING_HAS_FUNCTIONS = 7,
    MAPPING_HAS_INLINE_FRAMES = 10,
    LOCATION_ID = 1,
    LOCATION_MAPPING_ID = 2,
    LOCATION_ADDRESS = 3,
    LOCATION_LINE = 4,
    LINE_FUNCTION_ID = 1,
    LINE_LINE = 2,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_FILENAME = 4,
};

/* What a sample has, in this order. */
enum { SAMPLES, CPU_NS, ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE, VALUES };

static const char *const value_types[VALUES][2] = {
    [SAMPLES] = {"samples", "count"},
    [CPU_NS] = {"cpu", "nanoseconds"},
    [ALLOC_OBJECTS] = {"alloc_objects", "count"},
    [ALLOC_SPACE] = {"alloc_space", "bytes"},
    [INUSE_OBJECTS] = {"inuse_objects", "count"},
    [INUSE_SPACE] = {"inuse_space", "bytes"},
};

struct pprof {
    const struct export_source *source;
    struct proto profile;
    struct proto message, nested; /* empty between uses */
    struct intern strings;        /* their ids are indices into the string table, whose first is "" */
    struct map functions;         /* name and file → id */
    VEC(uint64_t) locations;      /* of one sample */
};

static void fail_without_memory(struct pprof *pprof)
{
    pprof->profile.error = -ENOMEM;
}

static uint32_t string_id(struct pprof *pprof, const char *string)
{
    uint32_t id = 0;
    if (intern_put(&pprof->strings, string, &id) < 0)
        fail_without_memory(pprof);
    return id;
}

static void put_value_type(struct pprof *pprof, unsigned field, const char *const type[2])
{
    proto_put_uint(&pprof->message, VALUE_TYPE_TYPE, string_id(pprof, type[0]));
    proto_put_uint(&pprof->message, VALUE_TYPE_UNIT, string_id(pprof, type[1]));
    proto_put_message(&pprof->profile, field, &pprof->message);
}

static uint32_t build_id_string(struct pprof *pprof, const struct session_module *module)
{
    OWNED_BUF struct buf hex = BUF_INIT;
    for (size_t i = 0; i < module->build_id_len; i++)
        if (buf_appendf(&hex, "%02x", module->build_id[i]) < 0)
            fail_without_memory(pprof);
    return string_id(pprof, hex.data ? hex.data : "");
}

/* Mappings are modules, and bear their number + 1. */
static void put_mapping(struct pprof *pprof, uint32_t number)
{
    const struct session_module *module = &pprof->source->modules[number];
    struct proto *mapping = &pprof->message;
    proto_put_uint(mapping, MAPPING_ID, number + 1);
    proto_put_uint(mapping, MAPPING_START, module->start);
    proto_put_uint(mapping, MAPPING_LIMIT, module->end);
    proto_put_uint(mapping, MAPPING_OFFSET, module->file_offset);
    proto_put_uint(mapping, MAPPING_FILENAME, string_id(pprof, module->path));
    proto_put_uint(mapping, MAPPING_BUILD_ID, build_id_string(pprof, module));
    /* All that can be symbolized has been: a reader need not look for the file. */
    for (unsigned has = MAPPING_HAS_FUNCTIONS; has <= MAPPING_HAS_INLINE_FRAMES; has++)
        proto_put_uint(mapping, has, true);
    proto_put_message(&pprof->profile, PROFILE_MAPPING, mapping);
}

/* Readers take the first one for the program. */
static void put_mappings(struct pprof *pprof)
{
    const struct export_source *source = pprof->source;
    uint32_t program = 0;
    while (program < source->module_count && strcmp(source->modules[program].path, source->status->exe) != 0)
        program++;
    if (program < source->module_count)
        put_mapping(pprof, program);
    for (uint32_t i = 0; i < source->module_count; i++)
        if (i != program)
            put_mapping(pprof, i);
}

/* Without its mangled name, by which readers would know that it is to be demangled. */
static uint64_t put_function(struct pprof *pprof, const char *name, const char *file)
{
    uint32_t name_id = string_id(pprof, name), file_id = string_id(pprof, file);
    uint64_t key = (uint64_t)name_id << 32 | file_id, id;
    if (map_get(&pprof->functions, key, &id) == 0)
        return id;
    id = pprof->functions.len + 1;
    if (map_put(&pprof->functions, key, id) < 0)
        fail_without_memory(pprof);
    struct proto *function = &pprof->nested;
    proto_put_uint(function, FUNCTION_ID, id);
    proto_put_uint(function, FUNCTION_NAME, name_id);
    proto_put_uint(function, FUNCTION_FILENAME, file_id);
    proto_put_message(&pprof->profile, PROFILE_FUNCTION, function);
    return id;
}

static void add_line(struct pprof *pprof, const char *name, const char *file, uint32_t line)
{
    uint64_t function = put_function(pprof, name, file);
    proto_put_uint(&pprof->nested, LINE_FUNCTION_ID, function);
    proto_put_uint(&pprof->nested, LINE_LINE, line);
    proto_put_message(&pprof->message, LOCATION_LINE, &pprof->nested);
}

/* Locations are frames, and bear their number + 1. */
static void put_frame(struct pprof *pprof, uint32_t number)
{
    struct viewed_frame frame = stack_view_frame(&pprof->source->stacks, number);
    bool mapped = frame.module < pprof->source->module_count;
    proto_put_uint(&pprof->message, LOCATION_ID, number + 1);
    proto_put_uint(&pprof->message, LOCATION_MAPPING_ID, mapped ? frame.module + 1 : 0);
    proto_put_uint(&pprof->message, LOCATION_ADDRESS,
                   frame.address + (mapped ? pprof->source->modules[frame.module].bias : 0));
    for (uint32_t i = 0; i < frame.call_count; i++) {
        struct viewed_call call = stack_view_call(&pprof->source->stacks, number, i);
        if (*call.function)
            add_line(pprof, call.function, call.file, call.line);
    }
    proto_put_message(&pprof->profile, PROFILE_LOCATION, &pprof->message);
}

/* Their own locations have the ids after those of all frames. */
static uint64_t kernel_location(const struct pprof *pprof)
{
    return stack_view_frames_len(&pprof->source->stacks) + 1;
}

static uint64_t incomplete_location(const struct pprof *pprof)
{
    return kernel_location(pprof) + 1;
}

static void put_location(struct pprof *pprof, uint64_t id, const char *name)
{
    proto_put_uint(&pprof->message, LOCATION_ID, id);
    add_line(pprof, name, "", 0);
    proto_put_message(&pprof->profile, PROFILE_LOCATION, &pprof->message);
}

static void push_location(struct pprof *pprof, uint64_t id)
{
    uint64_t *slot = vec_push(&pprof->locations);
    if (slot)
        *slot = id;
    else
        fail_without_memory(pprof);
}

static void put_sample(struct pprof *pprof, const struct viewed_stack *stack, bool in_kernel,
                       const uint64_t values[VALUES])
{
    static const uint64_t nothing[VALUES];
    if (!memcmp(values, nothing, sizeof(nothing)))
        return;
    pprof->locations.len = 0;
    if (in_kernel)
        push_location(pprof, kernel_location(pprof));
    for (uint32_t i = 0; i < stack->frame_count; i++)
        push_location(pprof, (uint64_t)stack->frames[i] + 1);
    if (!stack->complete)
        push_location(pprof, incomplete_location(pprof));
    proto_put_packed(&pprof->message, SAMPLE_LOCATION_ID, pprof->locations.items, pprof->locations.len);
    proto_put_packed(&pprof->message, SAMPLE_VALUE, values, VALUES);
    proto_put_message(&pprof->profile, PROFILE_SAMPLE, &pprof->message);
}

static void put_stack(struct pprof *pprof, const struct viewed_stack *stack, uint64_t period_ns)
{
    put_sample(pprof, stack, false,
               (uint64_t[VALUES]){
                   [SAMPLES] = stack->user,
                   [CPU_NS] = stack->user * period_ns,
                   [ALLOC_OBJECTS] = (uint64_t)round(stack->alloc_blocks),
                   [ALLOC_SPACE] = (uint64_t)round(stack->alloc_bytes),
                   [INUSE_OBJECTS] = (uint64_t)round(stack->live_blocks),
                   [INUSE_SPACE] = (uint64_t)round(stack->live_bytes),
               });
    put_sample(pprof, stack, true,
               (uint64_t[VALUES]){[SAMPLES] = stack->kernel, [CPU_NS] = stack->kernel * period_ns});
}

static void put_comments(struct pprof *pprof)
{
    const struct session_status *status = pprof->source->status;
    OWNED_BUF struct buf text = BUF_INIT;
    int r = buf_appendf(&text,
                        "rsprof " RSPROF_VERSION ", process %d: %s\n"
                        "lost: %" PRIu64 " CPU samples, %" PRIu64 " of the heap\n"
                        "heap: of blocks allocated since attach",
                        status->pid, status->exe, status->cpu.lost, status->heap.lost);
    char *rest = text.data, *line;
    while (r == 0 && (line = strsep(&rest, "\n")))
        proto_put_uint(&pprof->profile, PROFILE_COMMENT, string_id(pprof, line));
    if (r < 0)
        fail_without_memory(pprof);
}

static void put_strings(struct pprof *pprof)
{
    proto_put_string(&pprof->profile, PROFILE_STRING_TABLE, "");
    for (size_t i = 0; i < pprof->strings.strings.len; i++) {
        utf8_mend(pprof->strings.strings.items[i]);
        proto_put_string(&pprof->profile, PROFILE_STRING_TABLE, pprof->strings.strings.items[i]);
    }
}

static void put_profile(struct pprof *pprof)
{
    const struct export_source *source = pprof->source;
    uint64_t period_ns = NS_PER_SEC / source->status->cpu.freq_hz;
    for (unsigned i = 0; i < VALUES; i++)
        put_value_type(pprof, PROFILE_SAMPLE_TYPE, value_types[i]);
    put_value_type(pprof, PROFILE_PERIOD_TYPE, value_types[CPU_NS]);
    proto_put_uint(&pprof->profile, PROFILE_PERIOD, period_ns);
    proto_put_uint(&pprof->profile, PROFILE_DEFAULT_SAMPLE_TYPE, string_id(pprof, value_types[CPU_NS][0]));
    proto_put_uint(&pprof->profile, PROFILE_TIME_NANOS, source->start_ns);
    proto_put_uint(&pprof->profile, PROFILE_DURATION_NANOS, source->duration_ns);
    put_comments(pprof);
    put_mappings(pprof);
    for (uint32_t i = 0; i < stack_view_frames_len(&source->stacks); i++)
        put_frame(pprof, i);
    put_location(pprof, kernel_location(pprof), CALL_KERNEL);
    put_location(pprof, incomplete_location(pprof), CALL_INCOMPLETE);
    for (size_t i = 0; i < stack_view_len(&source->stacks); i++) {
        struct viewed_stack stack = stack_view_stack(&source->stacks, i);
        put_stack(pprof, &stack, period_ns);
    }
    put_strings(pprof);
}

static int write_gzip(const struct buf *bytes, FILE *out)
{
    enum { GZIP = 16 }; /* added to the window's bits */
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return -ENOMEM;
    uLong room = deflateBound(&stream, bytes->len);
    OWNED_MEM Bytef *packed = malloc(room);
    if (packed) {
        stream.next_in = (Bytef *)bytes->data;
        stream.avail_in = (uInt)bytes->len;
        stream.next_out = packed;
        stream.avail_out = (uInt)room;
        deflate(&stream, Z_FINISH);
        fwrite(packed, 1, stream.total_out, out);
    }
    deflateEnd(&stream);
    return packed ? 0 : -ENOMEM;
}

int export_pprof(const struct export_source *source, FILE *out)
{
    struct pprof pprof = {.source = source, .profile.bytes.limit = UINT32_MAX / 2};
    put_profile(&pprof);
    int r = pprof.profile.error;
    if (r == 0)
        r = write_gzip(&pprof.profile.bytes, out);
    proto_release(&pprof.profile);
    proto_release(&pprof.message);
    proto_release(&pprof.nested);
    intern_release(&pprof.strings);
    map_release(&pprof.functions);
    vec_release(&pprof.locations);
    return r;
}
