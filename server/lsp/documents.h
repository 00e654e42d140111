/* The documents a client has open, and for each the answer to: where is line N of the program's build now?
 *
 * Every line of a document has an identity, a number that edits carry along: lines shift, changed lines keep
 * theirs, new lines get new ones, a deleted line's is remembered for a while so that undo and moving text
 * bring it back. Each state of the file on disk that was seen while the document is open (at open, save and
 * attach) is kept as the identities of its lines with its time of modification. The *build state* links line
 * numbers of the program to lines of today's text, across saves and rebuilds: it is the one with the MD5 sum
 * that the debug info gives, and where it gives none, the one in force when the module was written.
 *
 * Without any state on disk, the text that was opened stands in for it.
 *
 * A document is stale when its file no longer is what the process was built from: no state on disk can be the
 * build state, or the newest one has other content, or the text differed from the disk when it was opened.
 *
 * Bounds: DOCUMENTS_MAX documents, DOCUMENTS_BYTES_MAX of text; more are refused with −E2BIG.
 * Lines are 0-based here; line numbers of the build are 1-based, as in DWARF. Times are ns since the epoch.
 */
#ifndef RSPROF_LSP_DOCUMENTS_H
#define RSPROF_LSP_DOCUMENTS_H

#include "base/md5.h"
#include "lsp/line_diff.h"
#include "lsp/text.h"
#include "profile/snapshot.h"

#include <stdbool.h>

#define DOCUMENTS_MAX           4096
#define DOCUMENTS_BYTES_MAX     (256u << 20)
#define DOCUMENT_STATES_MAX     16
#define DOCUMENT_REMEMBERED_MAX 1024
#define DOCUMENT_NO_LINE        UINT32_MAX

/* The file on disk at one moment. */
struct disk_state {
    uint64_t mtime_ns;
    uint64_t content_hash;
    struct md5_text md5;
    uint32_t *ids; /* owned; identity of each line */
    size_t count;
};

struct remembered_line {
    uint64_t hash;
    uint32_t id;
};

struct document {
    char *uri;
    char *path;      /* "" when the URI is no file */
    char *real_path; /* symbolic links resolved; the same as `path` when that fails */
    long version;
    struct text text;
    VEC(uint32_t) ids; /* identity of each line of `text` */
    uint32_t next_id;
    uint32_t opened_count; /* identities below this are the lines the document was opened with, in order */
    VEC(struct remembered_line) remembered;        /* deleted lines, oldest first */
    struct disk_state states[DOCUMENT_STATES_MAX]; /* oldest first */
    size_t state_count;
    struct file_build
        build; /* what the process was built from, owned; all unknown: nothing says that it has the file */
    size_t build_state; /* index into states */
    bool differs;       /* the text was not what the disk had when it was opened */
    bool stale;
    VEC(uint32_t) line_of_id; /* current line by identity; DOCUMENT_NO_LINE: gone */
    bool line_of_id_current;
    void *view_state; /* of annotations; freed by the owner of `documents` through `free_view_state` */
};

struct documents {
    VEC(struct document *) items;
    size_t bytes; /* of all texts */
    enum position_encoding encoding;
    void (*free_view_state)(void *view_state);
};

void documents_init(struct documents *documents, void (*free_view_state)(void *view_state));
void documents_release(struct documents *documents);

/* The document with this URI, or NULL. Compared as file paths where both are files, since clients spell URIs
 * differently. */
struct document *documents_find(const struct documents *documents, const char *uri);

/* The document of a file, by path or by real path; NULL: not open. */
struct document *documents_find_path(const struct documents *documents, const char *path);

/* Opens a document, or replaces it when it is open already. −E2BIG, −ENOMEM. */
int documents_open(struct documents *documents, const char *uri, long version, const char *text, size_t len,
                   struct document **ret_document);
void documents_close(struct documents *documents, struct document *document);

/* An edit: replaces what lies between two positions. Positions out of order or out of range are put right.
 * On failure the document is unchanged. */
int documents_edit(struct documents *documents, struct document *document, struct text_position start,
                   struct text_position end, const char *replacement, size_t len);

/* Replaces the whole text. */
int documents_replace(struct documents *documents, struct document *document, const char *text, size_t len);

/* Looks at the file again: after a save, and before an attach. */
int document_observe_disk(struct document *document);

/* Another process is looked at, or none: what was known of builds is forgotten, and files are looked at
 * again. */
void documents_forget_builds(struct documents *documents);

/* A module of the process was built from the file. The newest that is told counts. −ENOMEM. */
int document_set_build(struct document *document, const struct file_build *build);

/* Where line `build_line` (1-based) of the build is now, or DOCUMENT_NO_LINE. */
uint32_t document_line_of_build(struct document *document, uint32_t build_line);

/* Which line of the build (1-based) the current `line` was; 0: none. */
uint32_t document_build_of_line(const struct document *document, uint32_t line);

#endif
