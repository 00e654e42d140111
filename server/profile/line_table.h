/* Lines of source, by number, with the sums that the profile keeps for each. */
#ifndef RSPROF_PROFILE_LINE_TABLE_H
#define RSPROF_PROFILE_LINE_TABLE_H

#include "base/intern.h"
#include "base/map.h"
#include "base/vec.h"
#include "dwarf/frames.h"
#include "profile/source_path.h"

/* Samples. `total` counts stacks that have the line, once each. */
struct cpu_sums {
    int64_t self, total, kernel;
};

/* In the 1/256 of struct heap_counts, but for the variance. */
struct heap_sums {
    int64_t self_live_bytes, live_bytes, live_blocks, live_variance;
    int64_t window_alloc_bytes, window_alloc_blocks;
};

struct line {
    uint32_t file;     /* string id; 0: unknown, then the line stands for its function */
    uint32_t number;   /* 1-based; 0: unknown */
    uint32_t function; /* string id */
    uint64_t built_ns; /* when the newest module that has the line was written; 0: unknown */
    uint32_t file_md5; /* of the file when that was compiled: string id; 0: unknown */
    bool yours;
    struct cpu_sums window, since_attach;
    struct heap_sums heap;
};

struct line_table {
    struct intern strings;
    VEC(struct line) lines;
    struct map by_place; /* file and number, or function → index */
    struct map files;    /* id of a DWARF name → id of the local path << 1 | yours */
    const struct source_paths *paths;
};

void line_table_release(struct line_table *table);

/* The index of the line of a source frame, in a module that was written at `built_ns`. */
int line_table_put(struct line_table *table, const struct source_frame *frame, uint64_t built_ns,
                   uint32_t *ret_line);

/* The index of a line by local path; −ENOENT. */
int line_table_find(const struct line_table *table, const char *file, uint32_t number, uint32_t *ret_line);

#endif
