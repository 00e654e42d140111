/* From counters of stacks to numbers on lines.
 *
 *     stacks (slot → frames) ──┐
 *     counters each tick ──────┼──► profile ──► snapshot
 *     source frames of frames ─┘
 *
 * A line's numbers are sums over stacks, kept up incrementally: each tick adds what is new and subtracts what
 * has left the window; a stack whose frames become known takes its old contribution away and adds it anew.
 * All sums are integers, so nothing drifts. No libbpf, no ELF, no clock: what goes in is plain data, and
 * tests replay it. Errors: −ENOMEM. */
#ifndef RSPROF_PROFILE_H
#define RSPROF_PROFILE_H

#include "dwarf/frames.h"
#include "events.h"
#include "profile/snapshot.h"
#include "profile/source_path.h"
#include "profile/stack_view.h"

struct profile;

/* `paths` must outlive the profile. */
int profile_new(double window_sec, const struct source_paths *paths, struct profile **ret_profile);
void profile_free(struct profile *profile);

/* A new stack, before anything is counted for its slot. */
int profile_add_stack(struct profile *profile, const struct stack_event *event);

/* Frames (in the encoding of events.h) of all stacks so far that nothing is known about yet. Each is given
 * once, here or later; `*ret_frames` is the profile's, valid until the next call of any kind. */
size_t profile_take_unknown_frames(struct profile *profile, const uint64_t **ret_frames);

/* What the symbolizer found for the frame `key` (in the encoding of events.h), in a module that was written
 * at `written_ns` since the epoch (0: unknown). */
int profile_set_source_frames(struct profile *profile, uint64_t key, const struct source_frame *frames,
                              size_t frame_count, uint64_t written_ns);

struct profile_counters {
    uint64_t now_ns;
    uint64_t process_cpu_ns;
    const struct cpu_counts *cpu;   /* by slot */
    const struct heap_counts *heap; /* by slot */
    uint32_t slot_count;
};

int profile_tick(struct profile *profile, const struct profile_counters *counters);

/* CPU counts start anew; live heap stays. */
void profile_reset(struct profile *profile);

/* Live heap is no longer known: tracking has ended, and blocks are freed unseen. */
void profile_forget_heap(struct profile *profile);

const struct snapshot *profile_snapshot(struct profile *profile);

/* The stacks behind the snapshot. */
struct stack_view profile_stacks(const struct profile *profile);

/* The function or line next to a line on the stacks that have it: towards the root (callers) or the leaf
 * (callees). */
struct profile_relation {
    const char *function, *file; /* file "": unknown */
    uint32_t line;
    double share; /* of the line's total CPU in the window */
};

size_t profile_relations(struct profile *profile, const char *file, uint32_t line, bool callers,
                         struct profile_relation *relations, size_t max);

#endif
