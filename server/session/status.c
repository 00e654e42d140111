/* What a session tells people about itself. */
#include "session/session_internal.h"

#include "target/process.h"

static uint64_t sum(const uint64_t *values, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

static void add_module_hints(struct session *session)
{
    for (size_t i = 0; i < session->modules.items.len; i++) {
        const struct target_module *module = &session->modules.items.items[i];
        if (!module->opened || !module->rust)
            continue;
        if (module->debug != DEBUG_LINES)
            hints_add(&session->hints,
                      "%s has no line information for its own code: add `debug = \"line-tables-only\"` to "
                      "its profile in Cargo.toml and build it again.",
                      module->path);
        else if (module->lacks_split)
            hints_add(&session->hints,
                      "The .dwo or .dwp files of %s are not where they were built, so inlined calls are not "
                      "told apart: put them back, or build with `split-debuginfo = \"off\"`.",
                      module->path);
    }
}

static void fill_cpu(struct session *session)
{
    const struct snapshot *snapshot = session_snapshot(session);
    session->status.cpu.samples = snapshot->samples;
    session->status.cpu.lost = session->run.probe_stats.samples_lost;
    session->status.cpu.freq_hz = session->options.cpu_freq_hz;
    const struct probe_stats *stats = &session->run.probe_stats;
    session->status.cpu.stacks_complete =
        stats->walks ? (double)stats->walks_complete / (double)stats->walks : 1;
    session->status.cpu.process_cores = snapshot->process_cores;
}

static void fill_heap(struct session *session)
{
    const struct line_heap *heap = &session_snapshot(session)->heap;
    session->status.heap.mode = session->run.heap_mode;
    session->status.heap.interval_bytes = session->run.heap_hook_stats.interval_bytes;
    session->status.heap.samples = session->run.heap_hook_stats.samples;
    session->status.heap.kernel_samples = session->run.heap_hook_stats.kernel_samples;
    session->status.heap.live_bytes = heap->live_bytes;
    session->status.heap.live_blocks = heap->live_blocks;
    session->status.heap.alloc_bytes_per_sec = heap->alloc_bytes_per_sec;
    session->status.heap.allocs_per_sec = heap->allocs_per_sec;
    const uint64_t *losses = session->run.probe_stats.losses;
    session->status.heap.lost = losses[LOSS_BLOCKS_FULL] + losses[LOSS_PENDING_FULL] +
                                losses[LOSS_FRAME_UNREADABLE] + session->run.heap_hook_stats.lost;
    /* When the target has ended its last number stays: its pid may be another's by now. */
    if (session->state == SESSION_DETACHED)
        session->status.heap.process_heap_bytes = 0;
    else if (session->probe)
        process_anon_bytes(session->modules.pid, &session->status.heap.process_heap_bytes);
}

static void add_symbolizer_hints(struct session *session)
{
    uint64_t left_out = session->symbolizer ? symbolizer_frames_left_out(session->symbolizer) : 0;
    if (session->run.symbolizer_restarts < 0)
        hints_add(&session->hints,
                  "Reading debug information failed again and again and was given up: new lines are "
                  "missing. Attach again, and rebuild the program if its file is damaged.");
    else if (session->run.symbolizer_restarts)
        hints_add(&session->hints,
                  "Reading debug information failed and was started again (%d times): some lines may be "
                  "missing. Rebuild the program if its file is damaged.",
                  session->run.symbolizer_restarts);
    if (left_out)
        hints_add(
            &session->hints,
            "%llu inlined calls were left out, as too many of them stand at one address or their names are "
            "too long: totals of the outermost lines are too low. Build with less inlining to see them.",
            (unsigned long long)left_out);
}

#define UNSEEN_MANY 100 /* fewer are nothing to speak of */

static void add_heap_hints(struct session *session)
{
    const struct heap_hook_stats *hook = &session->run.heap_hook_stats;
    if (hook->unseen > UNSEEN_MANY && hook->unseen > hook->samples / 100)
        hints_add(&session->hints,
                  "%llu of %llu sampled blocks were freed unseen, as by a loop that has kept the address of "
                  "`free` since before rsprof attached: live heap may be too high. --heap uprobe sees them "
                  "all, and costs more.",
                  (unsigned long long)hook->unseen, (unsigned long long)hook->samples);
}

static void fill_hints(struct session *session)
{
    session->hints = session->run.notes;
    add_module_hints(session);
    add_symbolizer_hints(session);
    add_heap_hints(session);
    uint64_t lost = sum(session->run.probe_stats.losses, LOSS_COUNT);
    if (lost)
        hints_add(&session->hints,
                  "%llu events were lost, as a table was full or a stack could not be read: if there are "
                  "many, detach and attach again to start afresh.",
                  (unsigned long long)lost);
    session->status.hint_count = session->hints.count;
    for (size_t i = 0; i < session->hints.count; i++)
        session->status.hints[i] = session->hints.texts[i];
}

const struct session_status *session_status(struct session *session)
{
    bool attached = session->state != SESSION_DETACHED;
    session->status.state = session->state;
    session->status.pid = attached ? session->modules.pid : 0;
    session->status.exe = attached && session->exe ? session->exe : "";
    fill_cpu(session);
    fill_heap(session);
    session->status.overhead_fraction = session->run.overhead;
    session->status.symbols.first_annotation_ms = session->run.first_annotation_ms;
    session->status.symbols.modules = session->modules.items.len;
    session->status.symbols.progress =
        session->run.addresses_asked
            ? (double)session->run.addresses_answered / (double)session->run.addresses_asked
            : 1;
    fill_hints(session);
    return &session->status;
}
