/* What goes to the client without being asked for: annotations, status, diagnostics, and the request to fetch
 * hints again. */
#ifndef RSPROF_LSP_PUBLISH_H
#define RSPROF_LSP_PUBLISH_H

#include "base/loop.h"
#include "lsp/annotations.h"

struct lsp_server;

struct publisher {
    uint64_t status_sent_ns;
    uint64_t refresh_sent_ns;
    bool refresh_wanted;
    struct loop_event refresh_timer;
};

enum publish_extent {
    PUBLISH_CHANGED,    /* documents where a person would see a difference */
    PUBLISH_EVERYTHING, /* all documents, also those with no annotations */
};

/* Makes the annotations of all open documents from the session's snapshot, and sends them. */
void publish_all(struct lsp_server *server, enum publish_extent extent);

/* Asks the client to fetch lenses again, if it can be asked. */
void publish_refresh_lenses(struct lsp_server *server);

/* Sends rsprof/status to a client that draws annotations: always with `now`, else at most once a second. */
void publish_status(struct lsp_server *server, bool now);

/* The annotations of a document; made when it is asked for the first time. NULL when out of memory. */
struct annotations *publish_annotations_of(struct document *document);

void publish_release(struct lsp_server *server);

#endif
