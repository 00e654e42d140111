#include "lsp/publish.h"

#include "base/clock.h"
#include "base/map.h"
#include "lsp/diagnostics.h"
#include "lsp/protocol.h"
#include "lsp/server_state.h"
#include "lsp/status.h"

#include <limits.h>
#include <stdio.h>

/* A tick is about this long; a status a little early is better than every second one missing. */
#define STATUS_INTERVAL_NS  (900 * NS_PER_MS)
#define REFRESH_INTERVAL_NS NS_PER_SEC

struct annotations *publish_annotations_of(struct document *document)
{
    struct annotations *annotations = document->view_state;
    if (!annotations && annotations_new(&annotations) == 0)
        document->view_state = annotations;
    return document->view_state;
}

/* Hands each line of the snapshot to the document that shows its file. File names are compared once for each
 * distinct string. */
static int distribute(struct lsp_server *server, const struct snapshot *snapshot)
{
    struct map document_of_file = {0};
    int r = 0;
    for (size_t i = 0; i < snapshot->line_count && r == 0; i++) {
        const struct snapshot_line *line = &snapshot->lines[i];
        uint64_t found = 0;
        if (map_get(&document_of_file, (uintptr_t)line->file, &found) < 0) {
            found = (uintptr_t)documents_find_path(&server->documents, line->file);
            r = map_put(&document_of_file, (uintptr_t)line->file, found);
        }
        struct document *document = (struct document *)(uintptr_t)found;
        if (document && r == 0)
            r = annotations_add(document->view_state, line);
        if (document && r == 0)
            r = document_set_build(document, &line->built);
    }
    map_release(&document_of_file);
    return r;
}

void publish_refresh_lenses(struct lsp_server *server)
{
    if (server->client.code_lens_refresh)
        rpc_call(server->rpc, "workspace/codeLens/refresh", NULL, NULL, NULL);
}

static void send_refresh(struct lsp_server *server)
{
    server->publisher.refresh_wanted = false;
    server->publisher.refresh_sent_ns = clock_now_ns();
    if (server->client.inlay_hint_refresh)
        rpc_call(server->rpc, "workspace/inlayHint/refresh", NULL, NULL, NULL);
    if (server->settings.code_lens)
        publish_refresh_lenses(server);
}

static void on_refresh_due(void *userdata)
{
    struct lsp_server *server = userdata;
    loop_event_stop(&server->publisher.refresh_timer);
    if (server->publisher.refresh_wanted)
        send_refresh(server);
}

/* At most once a second. */
static void want_refresh(struct lsp_server *server)
{
    struct publisher *publisher = &server->publisher;
    uint64_t since_ns = clock_now_ns() - publisher->refresh_sent_ns;
    publisher->refresh_wanted = true;
    if (publisher->refresh_timer.watcher)
        return;
    if (since_ns >= REFRESH_INTERVAL_NS)
        send_refresh(server);
    else
        loop_timer_start(server->loop, &publisher->refresh_timer, REFRESH_INTERVAL_NS - since_ns, 0,
                         on_refresh_due, server);
}

static void send_document(struct lsp_server *server, struct document *document)
{
    struct annotations *annotations = document->view_state;
    if (server->client.annotations) {
        if (rpc_notify_state(server->rpc, METHOD_ANNOTATIONS, document->uri,
                             annotations_to_json(annotations, document)) < 0)
            return; /* it still differs from what was sent, so the next tick tries again */
    } else {
        want_refresh(server);
    }
    diagnostics_publish(server, document, annotations);
    annotations_mark_sent(annotations);
}

void publish_all(struct lsp_server *server, enum publish_extent extent)
{
    const struct snapshot *snapshot = session_snapshot(server->session);
    struct documents *documents = &server->documents;
    if (!documents->items.len || server->phase != PHASE_INITIALIZED)
        return;
    for (size_t i = 0; i < documents->items.len; i++) {
        struct annotations *annotations = publish_annotations_of(documents->items.items[i]);
        if (!annotations)
            return;
        annotations_begin(annotations);
    }
    if (distribute(server, snapshot) < 0)
        return;
    struct view_scale scale = view_scale_of(&server->settings.view, snapshot);
    for (size_t i = 0; i < documents->items.len; i++) {
        struct document *document = documents->items.items[i];
        struct annotations *annotations = document->view_state;
        if (annotations_finish(annotations, document, &server->settings.view, &scale) == 0 &&
            (extent == PUBLISH_EVERYTHING || annotations_differ_from_sent(annotations)))
            send_document(server, document);
    }
}

/* Files that changed since the build are a fact about documents, which the session does not know. */
static bool add_stale_hint(const struct lsp_server *server, cJSON *status)
{
    const struct documents *documents = &server->documents;
    const struct document *first = NULL;
    size_t count = 0;
    char hint[PATH_MAX + 256], others[48] = "";
    for (size_t i = 0; i < documents->items.len; i++) {
        const struct document *document = documents->items.items[i];
        const struct annotations *annotations = document->view_state;
        if (!document->stale || !annotations || !annotations->lines.len)
            continue;
        count++;
        if (!first)
            first = document;
    }
    if (!first)
        return true;
    if (count > 1)
        snprintf(others, sizeof(others), " (and %zu more)", count - 1);
    snprintf(hint, sizeof(hint),
             "%s%s is not what the process was built from: build it again and restart the process",
             first->path, others);
    return json_append(cJSON_GetObjectItemCaseSensitive(status, "hints"), cJSON_CreateString(hint));
}

void publish_status(struct lsp_server *server, bool now)
{
    uint64_t now_ns = clock_now_ns();
    if (server->phase != PHASE_INITIALIZED || !server->client.annotations)
        return;
    if (!now && now_ns - server->publisher.status_sent_ns < STATUS_INTERVAL_NS)
        return;
    server->publisher.status_sent_ns = now_ns;
    cJSON *status = status_to_json(session_status(server->session));
    status = json_finish(status, status && add_stale_hint(server, status));
    rpc_notify_state(server->rpc, METHOD_STATUS, "", status);
}

void publish_release(struct lsp_server *server)
{
    loop_event_stop(&server->publisher.refresh_timer);
}
