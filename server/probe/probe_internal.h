/* What the parts of the probe share. */
#ifndef RSPROF_PROBE_INTERNAL_H
#define RSPROF_PROBE_INTERNAL_H

#include "base/vec.h"
#include "probe/probe.h"
#include "rsprof_bpf.skel.h"

/* A module's unwind table, mapped. */
struct probe_table {
    union unwind_element *elements; /* NULL: none */
    size_t len;
};

/* A module's table that the programs do not see yet. */
struct new_table {
    uint32_t module;
    int map_fd;
};

struct probe {
    struct rsprof_bpf *bpf;
    struct ring_buffer *ring;
    probe_stack_fn on_stack; /* during probe_read_stacks only */
    void *on_stack_userdata;
    struct cpu_counts *cpu_counts;   /* mapped */
    struct heap_counts *heap_counts; /* mapped */
    struct mapping *mappings;        /* mapped: MAPPING_SETS sets */
    struct probe_table tables[MODULES_MAX];
    VEC(struct new_table) new_tables;
    VEC(struct bpf_link *) cpu_links;
    bool uprobe_multi; /* the heap's programs are loaded for uprobe_multi.h; else for perf events */
    VEC(int) heap_fds; /* links of the one kind */
    VEC(struct bpf_link *) heap_links; /* and of the other */
};

#endif
