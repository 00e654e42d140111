#include "profile/profile.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "profile/line_table.h"
#include "profile/relations.h"
#include "profile/stack_table.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define VARIANCE_UNIT 1024.0 /* bytes², of struct heap_counts */

/* What one stack counted in one tick. */
struct tick_entry {
    uint32_t slot;
    int64_t user, kernel;
    int64_t alloc_bytes, alloc_blocks;
};

struct tick {
    uint64_t from_ns, to_ns;
    uint64_t cpu_ns; /* of the process */
    int64_t samples;
    VEC(struct tick_entry) entries;
};

struct profile {
    struct line_table lines;
    struct stack_table stacks;
    VEC(struct tick) ticks; /* in the window, oldest first */
    double window_sec;
    uint64_t start_ns, last_ns, last_cpu_ns; /* 0: before the first tick */
    int64_t samples, window_samples;
    struct snapshot snapshot;
    VEC(struct snapshot_line) snapshot_lines;
    bool snapshot_old;
    VEC(uint32_t) outdated; /* slots of stacks that frames became known for since */
    VEC(uint64_t) taken;    /* the last answer of profile_take_unknown_frames */
};

int profile_new(double window_sec, const struct source_paths *paths, struct profile **ret_profile)
{
    struct profile *profile = calloc(1, sizeof(*profile));
    if (!profile)
        return -ENOMEM;
    profile->window_sec = window_sec;
    profile->lines.paths = paths;
    profile->snapshot_old = true;
    *ret_profile = profile;
    return 0;
}

static void clear_ticks(struct profile *profile)
{
    for (size_t i = 0; i < profile->ticks.len; i++)
        vec_release(&profile->ticks.items[i].entries);
    profile->ticks.len = 0;
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    clear_ticks(profile);
    vec_release(&profile->ticks);
    vec_release(&profile->snapshot_lines);
    vec_release(&profile->taken);
    vec_release(&profile->outdated);
    stack_table_release(&profile->stacks);
    line_table_release(&profile->lines);
    free(profile);
}

int profile_add_stack(struct profile *profile, const struct stack_event *event)
{
    return stack_table_add(&profile->stacks, event, &profile->lines);
}

size_t profile_take_unknown_frames(struct profile *profile, const uint64_t **ret_frames)
{
    vec_release(&profile->taken);
    profile->taken.items = profile->stacks.unknown.items;
    profile->taken.len = profile->stacks.unknown.len;
    profile->taken.capacity = profile->stacks.unknown.capacity;
    profile->stacks.unknown.items = NULL;
    profile->stacks.unknown.len = profile->stacks.unknown.capacity = 0;
    *ret_frames = profile->taken.items;
    return profile->taken.len;
}

static void add_to_line(struct line *line, const struct stack_sums *sums, int64_t sign)
{
    line->window.total += sign * (sums->window_user + sums->window_kernel);
    line->window.kernel += sign * sums->window_kernel;
    line->since_attach.total += sign * (sums->user + sums->kernel);
    line->since_attach.kernel += sign * sums->kernel;
    line->heap.live_bytes += sign * sums->live_bytes;
    line->heap.live_blocks += sign * sums->live_blocks;
    line->heap.live_variance += sign * sums->live_variance;
    line->heap.window_alloc_bytes += sign * sums->window_alloc_bytes;
    line->heap.window_alloc_blocks += sign * sums->window_alloc_blocks;
}

static void charge_line(struct profile *profile, uint32_t index, const struct stack_sums *sums, int64_t sign)
{
    if (index == NO_LINE)
        return;
    struct line *line = &profile->lines.lines.items[index];
    line->window.self += sign * (sums->window_user + sums->window_kernel);
    line->since_attach.self += sign * (sums->user + sums->kernel);
    line->heap.self_live_bytes += sign * sums->live_bytes;
}

/* Adds `sums` of a stack to all its lines, or takes them away. */
static void contribute(struct profile *profile, const struct stack *stack, const struct stack_sums *sums,
                       int64_t sign)
{
    for (uint32_t i = 0; i < stack->line_count; i++)
        add_to_line(&profile->lines.lines.items[stack->lines[i]], sums, sign);
    charge_line(profile, stack->yours_line, sums, sign);
    charge_line(profile, stack->leaf_line, sums, sign);
}

static void add_sums(struct stack_sums *to, const struct stack_sums *more)
{
    to->window_user += more->window_user;
    to->window_kernel += more->window_kernel;
    to->user += more->user;
    to->kernel += more->kernel;
    to->live_bytes += more->live_bytes;
    to->live_blocks += more->live_blocks;
    to->live_variance += more->live_variance;
    to->window_alloc_bytes += more->window_alloc_bytes;
    to->window_alloc_blocks += more->window_alloc_blocks;
}

static void count(struct profile *profile, struct stack *stack, const struct stack_sums *more)
{
    add_sums(&stack->sums, more);
    contribute(profile, stack, more, 1);
}

/* The lines of a frame, and its functions. */
static int lines_of(struct profile *profile, const struct source_frame *frames, size_t count_of_frames,
                    uint64_t written_ns, uint32_t **ret_lines, uint32_t **ret_functions)
{
    OWNED_MEM uint32_t *lines = calloc(count_of_frames + 1, sizeof(*lines));
    OWNED_MEM uint32_t *functions = calloc(count_of_frames + 1, sizeof(*functions));
    int r = lines && functions ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < count_of_frames; i++) {
        r = line_table_put(&profile->lines, &frames[i], written_ns, &lines[i]);
        if (r == 0)
            r = intern_put(&profile->lines.strings, frames[i].function, &functions[i]);
    }
    if (r < 0)
        return r;
    *ret_lines = take_ptr(lines);
    *ret_functions = take_ptr(functions);
    return 0;
}

static int reattribute(struct profile *profile, struct stack *stack)
{
    contribute(profile, stack, &stack->sums, -1);
    int r = stack_table_attribute(&profile->stacks, stack, &profile->lines);
    contribute(profile, stack, &stack->sums, 1);
    return r;
}

/* Answers come by the hundred, and many for the same stacks: these are worked out once, when somebody looks.
 */
static int mark_outdated(struct profile *profile, uint32_t slot)
{
    struct stack *stack = &profile->stacks.stacks.items[slot];
    if (stack->outdated)
        return 0;
    uint32_t *outdated = vec_push(&profile->outdated);
    if (!outdated)
        return -ENOMEM;
    *outdated = slot;
    stack->outdated = true;
    return 0;
}

static void update_outdated(struct profile *profile)
{
    while (profile->outdated.len) {
        struct stack *stack =
            &profile->stacks.stacks.items[profile->outdated.items[profile->outdated.len - 1]];
        if (reattribute(profile, stack) < 0)
            return; /* next time */
        stack->outdated = false;
        profile->outdated.len--;
    }
}

int profile_set_source_frames(struct profile *profile, uint64_t key, const struct source_frame *frames,
                              size_t frame_count, uint64_t written_ns)
{
    uint64_t index;
    if (map_get(&profile->stacks.frame_by_key, key, &index) < 0)
        return -ENOENT;
    uint32_t *lines, *functions;
    int r = lines_of(profile, frames, frame_count, written_ns, &lines, &functions);
    if (r < 0)
        return r;
    struct frame *frame = &profile->stacks.frames.items[index];
    free(frame->lines);
    free(frame->functions);
    frame->lines = lines;
    frame->functions = functions;
    frame->line_count = (uint32_t)frame_count;
    frame->known = true;
    for (size_t i = 0; r == 0 && i < frame->waiting.len; i++)
        r = mark_outdated(profile, frame->waiting.items[i]);
    profile->snapshot_old = true;
    return r;
}

static int64_t difference(uint64_t now, uint64_t before)
{
    return (int64_t)(now - before);
}

/* What the kernel has counted for a stack since the last look. Frees are read before allocations, which only
 * grow, so that a block freed meanwhile never makes live heap negative. */
static struct stack_sums take_delta(struct stack *stack, const struct cpu_counts *cpu,
                                    const struct heap_counts *heap)
{
    struct heap_counts now;
    now.freed_bytes = __atomic_load_n(&heap->freed_bytes, __ATOMIC_ACQUIRE);
    now.freed_blocks = __atomic_load_n(&heap->freed_blocks, __ATOMIC_ACQUIRE);
    now.live_variance = __atomic_load_n(&heap->live_variance, __ATOMIC_ACQUIRE);
    now.alloc_bytes = __atomic_load_n(&heap->alloc_bytes, __ATOMIC_ACQUIRE);
    now.alloc_blocks = __atomic_load_n(&heap->alloc_blocks, __ATOMIC_ACQUIRE);
    struct cpu_counts cpu_now = *(const volatile struct cpu_counts *)cpu;
    struct stack_sums delta = {
        .user = difference(cpu_now.user, stack->seen_cpu.user),
        .kernel = difference(cpu_now.kernel, stack->seen_cpu.kernel),
        .window_alloc_bytes = difference(now.alloc_bytes, stack->seen_heap.alloc_bytes),
        .window_alloc_blocks = difference(now.alloc_blocks, stack->seen_heap.alloc_blocks),
        .live_variance = difference(now.live_variance, stack->seen_heap.live_variance),
    };
    delta.live_bytes = delta.window_alloc_bytes - difference(now.freed_bytes, stack->seen_heap.freed_bytes);
    delta.live_blocks =
        delta.window_alloc_blocks - difference(now.freed_blocks, stack->seen_heap.freed_blocks);
    delta.window_user = delta.user;
    delta.window_kernel = delta.kernel;
    stack->seen_cpu = cpu_now;
    stack->seen_heap = now;
    return delta;
}

static bool is_zero(const struct stack_sums *sums)
{
    static const struct stack_sums zero;
    return !memcmp(sums, &zero, sizeof(zero));
}

static int count_tick(struct profile *profile, const struct profile_counters *counters, struct tick *tick)
{
    for (uint32_t slot = 0; slot < counters->slot_count; slot++) {
        struct stack *stack = &profile->stacks.stacks.items[slot];
        if (!stack->frames)
            continue; /* its announcement is still under way: its counts are taken when it has come */
        struct stack_sums delta = take_delta(stack, &counters->cpu[slot], &counters->heap[slot]);
        if (is_zero(&delta))
            continue;
        struct tick_entry *entry = vec_push(&tick->entries);
        if (!entry)
            return -ENOMEM;
        *entry = (struct tick_entry){slot, delta.user, delta.kernel, delta.window_alloc_bytes,
                                     delta.window_alloc_blocks};
        tick->samples += delta.user + delta.kernel;
        count(profile, stack, &delta);
    }
    return 0;
}

static void forget_tick(struct profile *profile, struct tick *tick)
{
    for (size_t i = 0; i < tick->entries.len; i++) {
        const struct tick_entry *entry = &tick->entries.items[i];
        struct stack_sums less = {
            .window_user = -entry->user,
            .window_kernel = -entry->kernel,
            .window_alloc_bytes = -entry->alloc_bytes,
            .window_alloc_blocks = -entry->alloc_blocks,
        };
        count(profile, &profile->stacks.stacks.items[entry->slot], &less);
    }
    profile->window_samples -= tick->samples;
    vec_release(&tick->entries);
}

static void forget_old_ticks(struct profile *profile, uint64_t now_ns)
{
    size_t old = 0;
    while (old < profile->ticks.len &&
           (double)(now_ns - profile->ticks.items[old].from_ns) / NS_PER_SEC > profile->window_sec)
        forget_tick(profile, &profile->ticks.items[old++]);
    profile->ticks.len -= old;
    memmove(profile->ticks.items, profile->ticks.items + old,
            profile->ticks.len * sizeof(*profile->ticks.items));
}

int profile_tick(struct profile *profile, const struct profile_counters *counters)
{
    int r = stack_table_grow(&profile->stacks, counters->slot_count);
    if (r < 0)
        return r;
    if (!profile->start_ns) {
        profile->start_ns = profile->last_ns = counters->now_ns;
        profile->last_cpu_ns = counters->process_cpu_ns;
    }
    struct tick tick = {
        .from_ns = profile->last_ns,
        .to_ns = counters->now_ns,
        .cpu_ns = counters->process_cpu_ns - profile->last_cpu_ns,
    };
    r = count_tick(profile, counters, &tick);
    profile->last_ns = counters->now_ns;
    profile->last_cpu_ns = counters->process_cpu_ns;
    profile->samples += tick.samples;
    profile->window_samples += tick.samples;
    profile->snapshot_old = true;
    struct tick *slot = r == 0 ? vec_push(&profile->ticks) : NULL;
    if (!slot) {
        forget_tick(profile, &tick);
        return -ENOMEM;
    }
    *slot = tick;
    forget_old_ticks(profile, counters->now_ns);
    return 0;
}

void profile_reset(struct profile *profile)
{
    for (size_t i = 0; i < profile->ticks.len; i++)
        forget_tick(profile, &profile->ticks.items[i]);
    profile->ticks.len = 0;
    for (size_t i = 0; i < profile->stacks.stacks.len; i++) {
        struct stack *stack = &profile->stacks.stacks.items[i];
        struct stack_sums less = {.user = -stack->sums.user, .kernel = -stack->sums.kernel};
        count(profile, stack, &less);
    }
    profile->samples = 0;
    profile->start_ns = profile->last_ns;
    profile->snapshot_old = true;
}

void profile_forget_heap(struct profile *profile)
{
    for (size_t i = 0; i < profile->stacks.stacks.len; i++) {
        struct stack *stack = &profile->stacks.stacks.items[i];
        struct stack_sums less = {
            .live_bytes = -stack->sums.live_bytes,
            .live_blocks = -stack->sums.live_blocks,
            .live_variance = -stack->sums.live_variance,
        };
        count(profile, stack, &less);
    }
    profile->snapshot_old = true;
}

static double share(int64_t part, int64_t whole)
{
    return whole > 0 && part > 0 ? (double)part / (double)whole : 0;
}

static struct line_cpu cpu_of(const struct cpu_sums *sums, int64_t samples)
{
    return (struct line_cpu){
        .self = share(sums->self, samples),
        .total = share(sums->total, samples),
        .kernel = share(sums->kernel, samples),
        .samples = sums->total > 0 ? (uint64_t)sums->total : 0,
    };
}

static double positive(int64_t scaled)
{
    return scaled > 0 ? (double)scaled / HEAP_SCALE : 0;
}

static struct line_heap heap_of(const struct heap_sums *sums, double window_sec)
{
    struct line_heap heap = {
        .self_live_bytes = positive(sums->self_live_bytes),
        .live_bytes = positive(sums->live_bytes),
        .live_blocks = positive(sums->live_blocks),
    };
    if (window_sec > 0) {
        heap.alloc_bytes_per_sec = positive(sums->window_alloc_bytes) / window_sec;
        heap.allocs_per_sec = positive(sums->window_alloc_blocks) / window_sec;
    }
    if (heap.live_bytes > 0 && sums->live_variance > 0)
        heap.rel_std_err = sqrt((double)sums->live_variance * VARIANCE_UNIT) / heap.live_bytes;
    return heap;
}

static int hotter_first(const void *a, const void *b)
{
    const struct snapshot_line *x = a, *y = b;
    if (x->window.self != y->window.self)
        return x->window.self < y->window.self ? 1 : -1;
    if (x->heap.self_live_bytes != y->heap.self_live_bytes)
        return x->heap.self_live_bytes < y->heap.self_live_bytes ? 1 : -1;
    if (x->window.total != y->window.total)
        return x->window.total < y->window.total ? 1 : -1;
    int by_file = strcmp(x->file, y->file);
    return by_file ? by_file : (x->line > y->line) - (x->line < y->line);
}

static void sum_window(const struct profile *profile, struct snapshot *snapshot, struct heap_sums *ret_heap)
{
    uint64_t cpu_ns = 0, ns = 0;
    for (size_t i = 0; i < profile->ticks.len; i++) {
        cpu_ns += profile->ticks.items[i].cpu_ns;
        ns += profile->ticks.items[i].to_ns - profile->ticks.items[i].from_ns;
    }
    snapshot->window_sec = (double)ns / NS_PER_SEC;
    snapshot->process_cores = ns ? (double)cpu_ns / (double)ns : 0;
    struct heap_sums heap = {0};
    for (size_t i = 0; i < profile->stacks.stacks.len; i++) {
        const struct stack_sums *sums = &profile->stacks.stacks.items[i].sums;
        heap.live_bytes += sums->live_bytes;
        heap.live_blocks += sums->live_blocks;
        heap.live_variance += sums->live_variance;
        heap.window_alloc_bytes += sums->window_alloc_bytes;
        heap.window_alloc_blocks += sums->window_alloc_blocks;
    }
    heap.self_live_bytes = heap.live_bytes;
    *ret_heap = heap;
}

static bool has_numbers(const struct line *line)
{
    return line->since_attach.total > 0 || line->window.total > 0 || line->heap.live_bytes > 0 ||
           line->heap.window_alloc_bytes > 0;
}

static void list_lines(struct profile *profile, double window_sec)
{
    profile->snapshot_lines.len = 0;
    for (size_t i = 0; i < profile->lines.lines.len; i++) {
        const struct line *line = &profile->lines.lines.items[i];
        struct snapshot_line *slot = has_numbers(line) ? vec_push(&profile->snapshot_lines) : NULL;
        if (!slot)
            continue;
        *slot = (struct snapshot_line){
            .file = intern_str(&profile->lines.strings, line->file),
            .line = line->number,
            .function = intern_str(&profile->lines.strings, line->function),
            .built = {line->built_ns,
                      line->file_md5 ? intern_str(&profile->lines.strings, line->file_md5) : NULL},
            .yours = line->yours,
            .window = cpu_of(&line->window, profile->window_samples),
            .since_attach = cpu_of(&line->since_attach, profile->samples),
            .heap = heap_of(&line->heap, window_sec),
        };
    }
    if (profile->snapshot_lines.len)
        qsort(profile->snapshot_lines.items, profile->snapshot_lines.len, sizeof(struct snapshot_line),
              hotter_first);
}

const struct snapshot *profile_snapshot(struct profile *profile)
{
    if (!profile->snapshot_old)
        return &profile->snapshot;
    update_outdated(profile);
    struct snapshot snapshot = {
        .duration_sec = (double)(profile->last_ns - profile->start_ns) / NS_PER_SEC,
        .samples = (uint64_t)profile->samples,
        .window_samples = (uint64_t)profile->window_samples,
    };
    struct heap_sums heap;
    sum_window(profile, &snapshot, &heap);
    snapshot.heap = heap_of(&heap, snapshot.window_sec);
    list_lines(profile, snapshot.window_sec);
    snapshot.lines = profile->snapshot_lines.items;
    snapshot.line_count = profile->snapshot_lines.len;
    profile->snapshot = snapshot;
    profile->snapshot_old = false;
    return &profile->snapshot;
}

size_t profile_relations(struct profile *profile, const char *file, uint32_t line, bool callers,
                         struct profile_relation *relations, size_t max)
{
    uint32_t id;
    if (line_table_find(&profile->lines, file, line, &id) < 0)
        return 0;
    return relations_collect(&profile->stacks, &profile->lines, id, callers, relations, max);
}

struct stack_view profile_stacks(const struct profile *profile)
{
    return (struct stack_view){&profile->stacks, &profile->lines};
}
