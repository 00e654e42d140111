/* A session at work: what the symbolizer and the probes report, tick by tick, goes into the profile. */
#include "session/session_internal.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "session/budget.h"
#include "session/heap_start.h"
#include "target/process.h"

#include <errno.h>
#include <string.h>

#define TICK_NS        (250 * NS_PER_MS)
#define FIRST_TICK_NS  (100 * NS_PER_MS) /* somebody waits for the first numbers */
#define READY_LIMIT_NS (10 * NS_PER_SEC) /* CPU sampling starts after this, with what tables there are */

/* What the symbolizer says. */

/* Where code lies, and how to unwind it: after the tables that the mappings speak of. */
static int send_code(struct session *session)
{
    struct mapping *mappings;
    size_t count;
    session->run.code_changed = false;
    int r = probe_publish_tables(session->probe);
    if (r == 0)
        r = modules_mappings(&session->modules, &mappings, &count);
    if (r < 0)
        return r;
    r = probe_set_mappings(session->probe, mappings, count);
    free(mappings);
    return r;
}

static void on_module_opened(void *userdata, uint32_t module, const struct module_info *info)
{
    struct session *session = userdata;
    modules_set_info(&session->modules, module, info);
    session->run.code_changed = true;
}

static void on_unwind_table(void *userdata, uint32_t module, int error, const union unwind_element *elements,
                            uint32_t element_count, uint32_t page_count, uint64_t start)
{
    struct session *session = userdata;
    if (!session->probe)
        return;
    if (error == 0)
        error = probe_set_unwind_table(session->probe, module, elements, element_count);
    modules_set_table(&session->modules, module, error == 0 ? page_count : 0, start);
    session->run.code_changed = true;
}

static void on_slots_scanned(void *userdata, uint32_t module, int error, const struct hook_scan *scan)
{
    (void)error; /* a module that cannot be scanned has no slots */
    struct session *session = userdata;
    modules_set_slots(&session->modules, module, scan);
}

static void on_address_resolved(void *userdata, uint32_t module, uint64_t address,
                                const struct source_frame *frames, size_t count)
{
    struct session *session = userdata;
    session->run.addresses_answered++;
    if (!session->profile)
        return;
    uint64_t frame = (uint64_t)module << FRAME_ADDRESS_BITS | (address & FRAME_ADDRESS_MASK);
    profile_set_source_frames(session->profile, frame, frames, count,
                              session->modules.items.items[module].written_ns);
}

static void note_first_annotation(struct session *session)
{
    const struct snapshot *snapshot = profile_snapshot(session->profile);
    if (session->run.first_annotation_ms > 0 || !snapshot->samples)
        return;
    for (size_t i = 0; i < snapshot->line_count; i++)
        if (snapshot->lines[i].yours) {
            session->run.first_annotation_ms =
                (double)(clock_now_ns() - session->run.attached_ns) / NS_PER_MS;
            return;
        }
}

/* The first numbers are shown when their names have come, not a tick later. */
static void on_symbolizer_idle(void *userdata)
{
    struct session *session = userdata;
    if (session->state != SESSION_RUNNING || session->run.first_annotation_ms > 0)
        return;
    note_first_annotation(session);
    session->observer->ticked(session->userdata);
}

static void on_symbolizer_died(void *userdata, int restarts)
{
    struct session *session = userdata;
    session->run.symbolizer_restarts = restarts;
}

const struct symbolizer_observer session_symbolizer_observer = {
    .module_opened = on_module_opened,
    .address_resolved = on_address_resolved,
    .unwind_table = on_unwind_table,
    .slots_scanned = on_slots_scanned,
    .idle = on_symbolizer_idle,
    .died = on_symbolizer_died,
};

/* Ticks. */

static void on_new_stack(void *userdata, const struct stack_event *event)
{
    struct session *session = userdata;
    profile_add_stack(session->profile, event);
    if (event->hooked && session->heap_hook)
        heap_hook_add_stack(session->heap_hook, event->slot);
}

/* Frames are asked for module by module, which lets the symbolizer answer from one index at a time. */
static void ask_for_symbols(struct session *session)
{
    const uint64_t *frames;
    size_t count = profile_take_unknown_frames(session->profile, &frames);
    OWNED_MEM uint64_t *addresses = calloc(count + 1, sizeof(*addresses));
    OWNED_MEM bool *done = calloc(count + 1, sizeof(*done));
    if (!addresses || !done)
        return;
    for (size_t i = 0; i < count; i++) {
        if (done[i])
            continue;
        uint32_t module = (uint32_t)(frames[i] >> FRAME_ADDRESS_BITS);
        size_t len = 0;
        for (size_t j = i; j < count; j++)
            if (frames[j] >> FRAME_ADDRESS_BITS == module) {
                addresses[len++] = frames[j] & FRAME_ADDRESS_MASK;
                done[j] = true;
            }
        if (module != FRAME_NO_MODULE &&
            modules_resolve(&session->modules, session->symbolizer, module, addresses, len) == 0)
            session->run.addresses_asked += len;
    }
}

static void lose_target(struct session *session)
{
    session_stop_probing(session);
    session_set_state(session, SESSION_LOST);
}

static bool lose_target_because(struct session *session, const char *hint)
{
    hints_add(&session->run.notes, "%s", hint);
    lose_target(session);
    return false;
}

/* It need not be mapped first: the heap hook of an earlier attachment may lie below it. */
static int executable_bias(const struct session *session, uint64_t *ret_bias)
{
    for (uint32_t i = 0; i < session->modules.items.len; i++)
        if (!strcmp(session->modules.items.items[i].path, session->exe))
            return modules_bias(&session->modules, i, ret_bias);
    return -ENOENT;
}

static bool has_new_image(const struct session *session)
{
    uint64_t bias;
    return executable_bias(session, &bias) < 0 || bias != session->run.image_bias;
}

static void extend_hook(struct session *session)
{
    int r = heap_hook_extend(session->heap_hook, &session->modules);
    if (r < 0 && r != -ENODATA)
        hints_add(&session->run.notes,
                  "Libraries that were loaded later are not all counted for live heap (%s).", strerror(-r));
    session->run.extend_hook = false;
}

/* Libraries come and go (dlopen); after exec nothing that we know of the process is true any more. False: it
 * is lost. */
static bool refresh_modules(struct session *session, uint64_t now_ns)
{
    if (now_ns - session->run.last_refresh_ns < NS_PER_SEC)
        return true;
    session->run.last_refresh_ns = now_ns;
    bool changed;
    int r = modules_refresh(&session->modules, session->symbolizer, &changed);
    if (r == -EACCES || r == -EPERM)
        return lose_target_because(session,
                                   "The process has gained rights, or hides itself now, and may not be "
                                   "looked at any more: run rsprof as root to see it.");
    if (r == 0 && changed) {
        if (has_new_image(session))
            return lose_target_because(session,
                                       "The process has started another program (exec): attach to it "
                                       "again.");
        session->run.code_changed = true;
        if (session->heap_hook)
            heap_hook_forget_stacks(session->heap_hook);
        session->run.extend_hook = true;
    }
    if (session->heap_hook && modules_ready(&session->modules) &&
        (session->run.extend_hook || session->run.heap_hook_stats.unbound))
        extend_hook(session);
    return true;
}

void session_read_counters(struct session *session, uint64_t now_ns)
{
    uint64_t cpu_ns;
    if (process_cpu_ns(session->modules.pid, &cpu_ns) == 0)
        session->run.process_cpu_ns = cpu_ns;
    /* Counters are read after the stacks they belong to, so that no count stands for a stack not announced.
     */
    uint32_t slot_count = probe_slot_count(session->probe);
    probe_read_stacks(session->probe, on_new_stack, session);
    if (session->heap_hook)
        heap_hook_count(session->heap_hook, session->probe);
    struct profile_counters counters = {
        .now_ns = now_ns,
        .process_cpu_ns = session->run.process_cpu_ns,
        .cpu = probe_cpu_counts(session->probe),
        .heap = probe_heap_counts(session->probe),
        .slot_count = slot_count,
    };
    profile_tick(session->profile, &counters);
    probe_stats(session->probe, &session->run.probe_stats);
}

/* Until then these stacks go through the kernel, which costs more and counts the same. */
static void teach_hook(struct session *session)
{
    const struct stack_view stacks = profile_stacks(session->profile);
    if (session->heap_hook)
        heap_hook_teach(session->heap_hook, &session->modules, session->probe, &stacks);
}

/* What allocates at a new stack may do so a million times before the next tick. */
static void on_hooked_stack(void *userdata, int events)
{
    (void)events;
    struct session *session = userdata;
    probe_read_stacks(session->probe, on_new_stack, session);
    teach_hook(session);
}

/* The hook's code becomes a module of the target: CPU samples start when its unwind table is there too. */
static int start_heap(struct session *session)
{
    bool changed;
    int r = send_code(session);
    if (r < 0)
        return r;
    session->run.heap_started = true;
    session_start_heap(session);
    r = loop_io_start(session->loop, &session->stacks_watch, probe_stacks_fd(session->probe), LOOP_READABLE,
                      on_hooked_stack, session);
    return r < 0 ? r : modules_refresh(&session->modules, session->symbolizer, &changed);
}

static void on_tick(void *userdata)
{
    struct session *session = userdata;
    uint64_t now_ns = clock_now_ns();
    session_read_counters(session, now_ns);
    budget_tick(session, now_ns);
    ask_for_symbols(session);
    if (!refresh_modules(session, now_ns))
        return;
    if (session->run.code_changed)
        send_code(session);
    teach_hook(session);
    if (!session->run.heap_started && modules_ready(&session->modules))
        start_heap(session);
    note_first_annotation(session);
    session->observer->ticked(session->userdata);
}

static int start_cpu(struct session *session)
{
    int r = executable_bias(session, &session->run.image_bias);
    if (r == 0)
        r = send_code(session);
    if (r == 0)
        r = probe_start_cpu(session->probe, session->modules.pid, session->options.cpu_freq_hz);
    if (r < 0)
        return r;
    session_read_counters(session, clock_now_ns());
    budget_start(session, clock_now_ns());
    loop_timer_start(session->loop, &session->tick, FIRST_TICK_NS, TICK_NS, on_tick, session);
    session_set_state(session, SESSION_RUNNING);
    return 0;
}

/* Until the unwind tables are there, stacks would be cut short. The heap waits for them, and for where to
 * hook, however long that takes; the CPU does not. */
void session_on_attaching(void *userdata)
{
    struct session *session = userdata;
    bool ready = modules_ready(&session->modules);
    if (!ready && clock_now_ns() - session->run.attached_ns <= READY_LIMIT_NS)
        return;
    if (!session_target_lives(session))
        return; /* which is about to be seen */
    int r = ready && !session->run.heap_started ? start_heap(session) : start_cpu(session);
    if (r < 0) {
        hints_add(&session->run.notes, "Sampling could not start (%s): detach, and look at `dmesg`.",
                  strerror(-r));
        lose_target(session);
    }
}

/* The target has ended: its last numbers stay to be looked at. */
void session_on_target_exit(void *userdata, int events)
{
    (void)events;
    struct session *session = userdata;
    if (session->state == SESSION_RUNNING)
        session_read_counters(session, clock_now_ns());
    lose_target(session);
}
