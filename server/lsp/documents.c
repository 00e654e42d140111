#include "lsp/documents.h"

#include "base/clock.h"
#include "base/cleanup.h"
#include "lsp/document_lines.h"
#include "lsp/uri.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

void documents_init(struct documents *documents, void (*free_view_state)(void *view_state))
{
    *documents = (struct documents){.free_view_state = free_view_state};
}

static void document_free(struct documents *documents, struct document *document)
{
    if (!document)
        return;
    if (document->view_state)
        documents->free_view_state(document->view_state);
    documents->bytes -= document->text.bytes.len;
    document_lines_release(document);
    text_release(&document->text);
    free(document->uri);
    free(document->path);
    free(document->real_path);
    free((char *)document->build.md5);
    free(document);
}

void documents_release(struct documents *documents)
{
    for (size_t i = 0; i < documents->items.len; i++)
        document_free(documents, documents->items.items[i]);
    vec_release(&documents->items);
}

struct document *documents_find_path(const struct documents *documents, const char *path)
{
    for (size_t i = 0; i < documents->items.len; i++) {
        struct document *document = documents->items.items[i];
        if (*document->path && (!strcmp(document->path, path) || !strcmp(document->real_path, path)))
            return document;
    }
    return NULL;
}

struct document *documents_find(const struct documents *documents, const char *uri)
{
    for (size_t i = 0; i < documents->items.len; i++)
        if (!strcmp(documents->items.items[i]->uri, uri))
            return documents->items.items[i];
    OWNED_MEM char *path = NULL;
    return uri_to_path(uri, &path) < 0 ? NULL : documents_find_path(documents, path);
}

/* Sets the names; a document whose URI is no file has an empty path. */
static int set_names(struct document *document, const char *uri)
{
    char resolved[PATH_MAX];
    document->uri = strdup(uri);
    int r = uri_to_path(uri, &document->path);
    if (r == -EINVAL)
        document->path = strdup("");
    const char *path = document->path ? document->path : "";
    document->real_path = strdup(*path && realpath(path, resolved) ? resolved : path);
    return document->uri && document->path && document->real_path ? 0 : -ENOMEM;
}

static bool may_be_build(const struct file_build *build, const struct disk_state *state)
{
    return build->md5 ? !strcmp(state->md5.hex, build->md5) : state->mtime_ns <= build->written_ns;
}

static void choose_build_state(struct document *document)
{
    size_t chosen = 0;
    bool found = false;
    for (size_t i = 0; i < document->state_count; i++)
        if (may_be_build(&document->build, &document->states[i])) {
            chosen = i;
            found = true;
        }
    document->build_state = chosen;
    const struct disk_state *newest =
        &document->states[document->state_count ? document->state_count - 1 : 0];
    bool is_known = document->build.written_ns || document->build.md5;
    document->stale = is_known && (!document->state_count || !found || document->differs ||
                                   newest->content_hash != document->states[chosen].content_hash);
}

static int read_disk(const char *path, uint64_t *ret_mtime_ns, struct text *ret_text)
{
    OWNED_BUF struct buf bytes = {.limit = DOCUMENTS_BYTES_MAX};
    struct stat info;
    OWNED_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) < 0)
        return -errno;
    if (!S_ISREG(info.st_mode))
        return -EINVAL;
    int r = buf_read_all(&bytes, fd);
    if (r < 0)
        return r;
    r = text_init(ret_text, bytes.data, bytes.len);
    if (r < 0)
        return r;
    *ret_mtime_ns = (uint64_t)info.st_mtim.tv_sec * NS_PER_SEC + (uint64_t)info.st_mtim.tv_nsec;
    return 0;
}

int document_observe_disk(struct document *document)
{
    struct text disk;
    uint64_t mtime_ns = 0;
    if (!*document->path)
        return 0;
    int r = read_disk(document->path, &mtime_ns, &disk);
    if (r >= 0) {
        r = document_lines_add_state(document, mtime_ns, &disk);
        text_release(&disk);
    }
    choose_build_state(document);
    return r;
}

static bool differs_from_disk(const struct document *document)
{
    if (!document->state_count)
        return true;
    uint64_t disk_hash = document->states[document->state_count - 1].content_hash;
    return disk_hash != document_lines_content_hash(&document->text);
}

int documents_open(struct documents *documents, const char *uri, long version, const char *text, size_t len,
                   struct document **ret_document)
{
    struct document *old = documents_find(documents, uri);
    if (old)
        documents_close(documents, old);
    if (documents->items.len >= DOCUMENTS_MAX || documents->bytes + len > DOCUMENTS_BYTES_MAX)
        return -E2BIG;
    struct document *document = calloc(1, sizeof(*document));
    if (!document)
        return -ENOMEM;
    document->version = version;
    int r = set_names(document, uri);
    if (r >= 0)
        r = text_init(&document->text, text, len);
    if (r >= 0)
        documents->bytes += len;
    if (r >= 0)
        r = document_lines_init(document);
    struct document **slot = r < 0 ? NULL : vec_push(&documents->items);
    if (!slot) {
        document_free(documents, document);
        return r < 0 ? r : -ENOMEM;
    }
    *slot = document;
    document_observe_disk(document);
    document->differs = *document->path && differs_from_disk(document);
    choose_build_state(document);
    *ret_document = document;
    return 0;
}

void documents_close(struct documents *documents, struct document *document)
{
    for (size_t i = 0; i < documents->items.len; i++)
        if (documents->items.items[i] == document) {
            documents->items.items[i] = documents->items.items[--documents->items.len];
            document_free(documents, document);
            return;
        }
}

static size_t line_at(const struct text *text, size_t offset)
{
    size_t low = 0, high = text->line_starts.len;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (text->line_starts.items[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Replaces bytes, and carries the identities of the lines along. */
static int replace_bytes(struct documents *documents, struct document *document, size_t start, size_t end,
                         const char *replacement, size_t len)
{
    struct text changed;
    size_t removed = end - start;
    if (documents->bytes - removed + len > DOCUMENTS_BYTES_MAX)
        return -E2BIG;
    int r = text_replaced(&document->text, start, end, replacement, len, &changed);
    if (r < 0)
        return r;
    r = document_lines_follow(document, &changed, line_at(&document->text, start),
                              line_at(&document->text, end));
    if (r < 0) {
        text_release(&changed);
        return r;
    }
    text_release(&document->text);
    document->text = changed;
    documents->bytes = documents->bytes - removed + len;
    return 0;
}

int documents_edit(struct documents *documents, struct document *document, struct text_position start,
                   struct text_position end, const char *replacement, size_t len)
{
    size_t from = text_offset(&document->text, start, documents->encoding);
    size_t to = text_offset(&document->text, end, documents->encoding);
    return replace_bytes(documents, document, from < to ? from : to, from < to ? to : from, replacement, len);
}

int documents_replace(struct documents *documents, struct document *document, const char *text, size_t len)
{
    return replace_bytes(documents, document, 0, document->text.bytes.len, text, len);
}

void documents_forget_builds(struct documents *documents)
{
    for (size_t i = 0; i < documents->items.len; i++) {
        struct document *document = documents->items.items[i];
        free((char *)document->build.md5);
        document->build = (struct file_build){0};
        document_observe_disk(document);
    }
}

int document_set_build(struct document *document, const struct file_build *build)
{
    struct file_build *known = &document->build;
    if (build->written_ns < known->written_ns ||
        (build->written_ns == known->written_ns && (known->md5 || !build->md5)))
        return 0;
    char *md5 = build->md5 ? strdup(build->md5) : NULL;
    if (build->md5 && !md5)
        return -ENOMEM;
    free((char *)known->md5);
    *known = (struct file_build){build->written_ns, md5};
    choose_build_state(document);
    return 0;
}

uint32_t document_line_of_build(struct document *document, uint32_t build_line)
{
    if (!build_line)
        return DOCUMENT_NO_LINE;
    if (!document->state_count)
        return build_line <= document->opened_count ? document_lines_find(document, build_line - 1)
                                                    : DOCUMENT_NO_LINE;
    const struct disk_state *state = &document->states[document->build_state];
    return build_line <= state->count ? document_lines_find(document, state->ids[build_line - 1])
                                      : DOCUMENT_NO_LINE;
}

uint32_t document_build_of_line(const struct document *document, uint32_t line)
{
    if (line >= document->ids.len)
        return 0;
    if (!document->state_count)
        return document->ids.items[line] < document->opened_count ? document->ids.items[line] + 1 : 0;
    const struct disk_state *state = &document->states[document->build_state];
    for (size_t i = 0; i < state->count; i++)
        if (state->ids[i] == document->ids.items[line])
            return (uint32_t)i + 1;
    return 0;
}
