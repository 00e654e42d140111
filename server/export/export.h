/* A snapshot in the formats of other tools.
 *
 *   folded   one line for each distinct stack, root;…;leaf, with its CPU samples: flamegraph.pl, inferno,
 *            speedscope
 *   pprof    gzipped profile.proto, CPU and heap: `go tool pprof`, Pyroscope, …
 *   firefox  JSON for profiler.firefox.com, CPU and live heap
 *
 * CPU is counted since attach or reset; live heap is of the moment, and allocations since attach. In all of
 * them `[kernel]` is the leaf of time in the kernel, `[incomplete]` the root of a stack that could not be
 * walked to its end, and a module's name in brackets a function without a name. */
#ifndef RSPROF_EXPORT_H
#define RSPROF_EXPORT_H

#include "session/session.h"

#include <stdio.h>

enum snapshot_format { SNAPSHOT_JSON = 0, SNAPSHOT_FOLDED, SNAPSHOT_PPROF, SNAPSHOT_FIREFOX };

/* By format; ends with NULL. */
extern const char *const snapshot_format_names[];

/* Any format but JSON, which the protocol defines (lsp/snapshot_json.h). −ENOMEM; whether writing failed is
 * for the caller to see, by ferror(). */
int export_session(struct session *session, enum snapshot_format format, FILE *out);

#endif
