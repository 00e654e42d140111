/* Where a line of the build is now, for clients to go to. */
#ifndef RSPROF_LSP_LOCATION_H
#define RSPROF_LSP_LOCATION_H

#include "lsp/documents.h"

struct location {
    char *uri;     /* of an open document as the client spells it */
    uint32_t line; /* 0-based, after edits */
};

/* `build_line` counts from 1. −ENOENT: the line was deleted, or there is none. −ENOMEM. */
int location_find(const struct documents *documents, const char *file, uint32_t build_line,
                  struct location *ret_location);

/* Likewise, but −ENOENT also when the file is neither open nor there: so are the sources of Rust's own
 * library where they are not installed. */
int location_find_readable(const struct documents *documents, const char *file, uint32_t build_line,
                           struct location *ret_location);
void location_release(struct location *location);

#define OWNED_LOCATION __attribute__((cleanup(location_release)))

#endif
