/* What the profile says at one moment: plain data, for lsp and cli to show.
 *
 * Owner: the profile; valid until its next tick. Units: shares are fractions of the process's CPU time in the
 * period, bytes, per second. Lines are 1-based, as in DWARF. */
#ifndef RSPROF_PROFILE_SNAPSHOT_H
#define RSPROF_PROFILE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_cpu {
    double self;      /* share of samples charged to the line */
    double total;     /* share of samples with the line anywhere on the stack */
    double kernel;    /* share of samples in `total` that were in the kernel */
    uint64_t samples; /* samples behind `total` */
};

struct line_heap {
    double self_live_bytes; /* charged to the line */
    double live_bytes;      /* allocated with the line anywhere on the stack */
    double live_blocks;
    double alloc_bytes_per_sec;
    double allocs_per_sec;
    double rel_std_err; /* of live_bytes; 0: exact */
};

/* What is known of the file when it was compiled into a module. */
struct file_build {
    uint64_t written_ns; /* when the module was, since the epoch; 0: unknown */
    const char *md5;     /* of the file then, in hexadecimal; NULL: unknown */
};

/* One line of one file. A line's numbers are for the whole process, not for one thread. */
struct snapshot_line {
    const char *file;        /* absolute path, mapped to this machine */
    uint32_t line;           /* 1-based */
    const char *function;    /* short form */
    struct file_build built; /* the newest module that has the line */
    bool yours;              /* in your code */
    struct line_cpu window;
    struct line_cpu since_attach;
    struct line_heap heap;
};

struct snapshot {
    double duration_sec;  /* since attach or reset */
    double window_sec;    /* length of the window: less than asked for just after attach */
    double process_cores; /* CPU use of the process in the window, in cores */
    uint64_t samples;     /* since attach or reset */
    uint64_t window_samples;
    struct line_heap heap;             /* of the whole process; live_bytes and self_live_bytes are equal */
    const struct snapshot_line *lines; /* hottest first: by self in the window, then by live bytes */
    size_t line_count;
};

#endif
