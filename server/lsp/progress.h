/* $/progress while the symbols of a new attachment load: created, begun, reported, ended, at most once an
 * attachment. Only for clients that can create progress. */
#ifndef RSPROF_LSP_PROGRESS_H
#define RSPROF_LSP_PROGRESS_H

#include <stdbool.h>

struct lsp_server;

enum progress_phase {
    PROGRESS_IDLE = 0, /* nothing to show, or shown already */
    PROGRESS_WANTED,   /* attached; not created yet */
    PROGRESS_CREATING, /* the client was asked */
    PROGRESS_SHOWN,    /* begun */
};

struct progress {
    enum progress_phase phase;
    int percentage; /* last reported */
};

/* A new attachment began. */
void progress_start(struct lsp_server *server);

/* A tick passed, or the state changed. */
void progress_update(struct lsp_server *server);

#endif
