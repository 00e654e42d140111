/* The kernel side of one attachment: loads the BPF programs, attaches them to the target, and gives what they
 * count.
 *
 * CPU sampling and heap tracking can each be started and stopped; unwind tables and mappings are filled in
 * from outside as they become known (until a module has its table, stacks through it are cut short, and
 * counted as such). Freeing a probe detaches everything; the target is as before. Errors: negative errno of
 * the kernel; −EOPNOTSUPP when the kernel cannot load the programs. Lives on one thread. */
#ifndef RSPROF_PROBE_H
#define RSPROF_PROBE_H

#include "events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct probe;

/* The capabilities that all of it takes on this kernel. */
uint64_t probe_rights(void);

int probe_new(struct probe **ret_probe);
void probe_free(struct probe *probe);

/* Copies a module's unwind table into the kernel, for probe_publish_tables to show it to the programs.
 * `module` < MODULES_MAX. */
int probe_set_unwind_table(struct probe *probe, uint32_t module, const union unwind_element *elements,
                           uint32_t count);

/* Lets the programs see the tables that were set since the last call. The kernel waits until no program may
 * use what was there before: some 10 ms, however many they are (before Linux 5.19, for each). */
int probe_publish_tables(struct probe *probe);

/* Replaces the mappings (sorted by start; more than MAPPINGS_MAX: the first ones count). */
int probe_set_mappings(struct probe *probe, const struct mapping *mappings, size_t count);

/* The rule in force at a link-time address, in the table that the module was given; UNWIND_NONE: there is
 * none. `mapping` says which module, and where its table starts. */
struct unwind_row probe_unwind_row(const struct probe *probe, const struct mapping *mapping,
                                   uint64_t address);

/* Whether the kernel lets us have the clocks for it: 0, or −EACCES. */
int probe_try_cpu(void);

/* Samples every thread of the process, also those that start later, `freq_hz` times a second of CPU time. */
int probe_start_cpu(struct probe *probe, pid_t pid, unsigned freq_hz);

/* One function of an allocator in the target. */
struct heap_function {
    const char *path;     /* the file, as this process can open it */
    uint64_t file_offset; /* of the function's first instruction */
    enum heap_call call;
};

/* Tracks the blocks these functions hand out from now on. Functions at one place are probed once. */
int probe_start_heap(struct probe *probe, pid_t pid, const struct heap_function *functions, size_t count);

/* Tracks the blocks that the hook in the target samples: its two probe sites, as offsets in the file at
 * `path`. */
int probe_start_sampled_heap(struct probe *probe, pid_t pid, const char *path, uint64_t alloc_offset,
                             uint64_t free_offset);

/* Ends either. Blocks tracked so far stay live for ever: free the probe, or start again with a new one. */
void probe_stop_heap(struct probe *probe);

/* Hands every stack that is new since the last call to `on_stack`. */
typedef void (*probe_stack_fn)(void *userdata, const struct stack_event *event);
int probe_read_stacks(struct probe *probe, probe_stack_fn on_stack, void *userdata);

/* The probe's descriptor, readable when there is a new stack of a block that the hook sampled. */
int probe_stacks_fd(const struct probe *probe);

/* Slots given out so far: counters of higher ones are zero. */
uint32_t probe_slot_count(const struct probe *probe);

/* Live views of the kernel's counters, one for each slot: they change while you look. */
const struct cpu_counts *probe_cpu_counts(const struct probe *probe);
const struct heap_counts *probe_heap_counts(const struct probe *probe);

/* Adds what was counted elsewhere to those of a slot. */
void probe_add_heap_counts(struct probe *probe, uint32_t slot, const struct heap_counts *counts);

struct probe_stats {
    uint64_t samples;                            /* CPU samples taken */
    uint64_t samples_lost;                       /* of these, not charged to any stack */
    uint64_t walks, walks_complete, walk_frames; /* walks: of stacks that were there */
    uint64_t ends[STACK_END_COUNT];
    uint64_t losses[LOSS_COUNT];
};

/* CPU time that the probes have cost the target so far: measured time in the programs, and for each uprobe
 * hit the trap. */
uint64_t probe_cost_ns(const struct probe *probe);

/* What a sampled block costs the target, measured: passing the hook's probe site when it is allocated, and
 * when it is freed. A guess until there have been some. */
struct probe_heap_cost {
    double sample_ns, free_ns;
};

struct probe_heap_cost probe_heap_cost(const struct probe *probe);

void probe_stats(const struct probe *probe, struct probe_stats *ret_stats);

#endif
