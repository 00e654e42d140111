/* From the file names that DWARF has to files of this machine, and to the question whose code it is.
 *
 * Rules, the first that applies: a FROM=TO prefix of the user's source map; the name itself if it exists;
 * Rust's own library,
 * `/rustc/<hash>/library/…`, onto the sources of an installed toolchain; the longest suffix of the name that
 * exists in a workspace folder; else the name as it is. Asks the file system, so callers cache per file. */
#ifndef RSPROF_PROFILE_SOURCE_PATH_H
#define RSPROF_PROFILE_SOURCE_PATH_H

#include "base/buf.h"
#include "base/vec.h"

#include <stdbool.h>

struct source_map_rule {
    char *from, *to;
};

struct source_paths {
    VEC(struct source_map_rule) rules;
    VEC(char *) folders;       /* the workspace's, without trailing slash */
    VEC(char *) library_roots; /* …/lib/rustlib/src/rust of installed toolchains */
};

int source_paths_init(struct source_paths *paths);
void source_paths_release(struct source_paths *paths);

/* In place of those there were; copied. −EINVAL, and nothing is changed, if one has no '=' or nothing before
 * it. */
int source_paths_set_rules(struct source_paths *paths, const char *const *rules, size_t count);
int source_paths_set_folders(struct source_paths *paths, const char *const *folders, size_t count);

/* Appends the local path of a DWARF file name. */
int source_paths_map(const struct source_paths *paths, const char *name, struct buf *path);

/* Whether a local path is in "your code": in a workspace folder (where there are none: any .rs file), but not
 * in Rust's library nor in a cargo registry or git checkout. */
bool source_paths_yours(const struct source_paths *paths, const char *path);

#endif
