/* What is drawn on the lines of one document, and whether that is something else than what was drawn before.
 *
 * Numbers that tremble would make text flicker, so a line shows a new value only when it moved noticeably, or
 * when the new label has stood still for ANNOTATION_SETTLE_TICKS; a line that is shown stays until it falls
 * well below the threshold.
 *
 * Once a tick: annotations_begin(), annotations_add() for each line of the snapshot that lies in the
 * document's file, annotations_finish(). Errors: −ENOMEM, and the lines shown are then as before. */
#ifndef RSPROF_LSP_ANNOTATIONS_H
#define RSPROF_LSP_ANNOTATIONS_H

#include "lsp/documents.h"
#include "lsp/label.h"
#include "rpc/json.h"

#define ANNOTATION_SETTLE_TICKS 8

/* One line of the document with something to show. A copy: it outlives the snapshot. */
struct annotation {
    uint32_t line; /* of the document now, 0-based */
    double heat;   /* 0…1, in steps of 1/100 */
    struct label label;
    struct line_cpu cpu;
    struct line_heap heap;
};

/* What a line of the build shows, from tick to tick. */
struct shown_line {
    uint32_t build_line;
    struct view_value value; /* that the label was made from */
    double heat;
    struct label label;
    struct label next; /* another label, seen `next_ticks` times in a row */
    unsigned next_ticks;
};

struct annotations {
    VEC(struct annotation) lines;              /* by line */
    VEC(struct shown_line) shown;              /* by build line */
    VEC(const struct snapshot_line *) pending; /* between begin and finish */
    struct view view;                          /* that `shown` was made with */
    uint64_t drawn_hash, sent_hash;            /* of what a person sees; 0: nothing */
};

int annotations_new(struct annotations **ret_annotations);
void annotations_free(struct annotations *annotations);

void annotations_begin(struct annotations *annotations);
int annotations_add(struct annotations *annotations, const struct snapshot_line *line);
int annotations_finish(struct annotations *annotations, struct document *document, const struct view *view,
                       const struct view_scale *scale);

/* Whether a person would see a difference to what was marked as sent. */
bool annotations_differ_from_sent(const struct annotations *annotations);
void annotations_mark_sent(struct annotations *annotations);

/* The annotation on a line of the document, or NULL. */
const struct annotation *annotations_find(const struct annotations *annotations, uint32_t line);

/* The params of rsprof/annotations, or NULL when out of memory. */
cJSON *annotations_to_json(const struct annotations *annotations, const struct document *document);

#endif
