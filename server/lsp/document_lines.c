#include "lsp/document_lines.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

/* Lines shorter than this are found everywhere ("}"), so a deleted one is not recognised again by its
 * content. */
#define TELLING_BYTES 8

int document_lines_init(struct document *document)
{
    for (size_t i = 0; i < text_line_count(&document->text); i++) {
        uint32_t *id = vec_push(&document->ids);
        if (!id)
            return -ENOMEM;
        *id = document->next_id++;
    }
    document->opened_count = document->next_id;
    return 0;
}

void document_lines_release(struct document *document)
{
    for (size_t i = 0; i < document->state_count; i++)
        free(document->states[i].ids);
    vec_release(&document->ids);
    vec_release(&document->remembered);
    vec_release(&document->line_of_id);
}

uint64_t document_lines_content_hash(const struct text *text)
{
    uint64_t hash = 14695981039346656037ull; /* FNV-1a */
    for (size_t line = 0; line < text_line_count(text); line++) {
        struct text_slice slice = text_line(text, line);
        for (size_t i = 0; i < slice.len; i++)
            hash = (hash ^ (uint8_t)slice.data[i]) * 1099511628211ull;
        hash = (hash ^ '\n') * 1099511628211ull;
    }
    return hash;
}

/* A line that is being deleted can come back. What cannot be remembered for lack of memory just stays
 * deleted. */
static void remember(struct document *document, size_t line)
{
    struct text_slice slice = text_line(&document->text, line);
    if (text_slice_trim(slice).len < TELLING_BYTES)
        return;
    if (document->remembered.len == DOCUMENT_REMEMBERED_MAX) {
        size_t kept = DOCUMENT_REMEMBERED_MAX / 2;
        memmove(document->remembered.items, document->remembered.items + (DOCUMENT_REMEMBERED_MAX - kept),
                kept * sizeof(*document->remembered.items));
        document->remembered.len = kept;
    }
    struct remembered_line *slot = vec_push(&document->remembered);
    if (slot)
        *slot = (struct remembered_line){line_hash(slice), document->ids.items[line]};
}

/* The identity of a new line: that of the latest deleted line with the same content, else a new one. */
static uint32_t identify(struct document *document, struct text_slice slice)
{
    if (text_slice_trim(slice).len >= TELLING_BYTES) {
        uint64_t hash = line_hash(slice);
        for (size_t i = document->remembered.len; i-- > 0;) {
            struct remembered_line line = document->remembered.items[i];
            if (line.hash != hash)
                continue;
            memmove(&document->remembered.items[i], &document->remembered.items[i + 1],
                    (--document->remembered.len - i) * sizeof(line));
            return line.id;
        }
    }
    return document->next_id++;
}

static void remember_removed(struct document *document, size_t first, size_t count, const uint32_t *origins,
                             size_t origin_count)
{
    size_t next = 0; /* origins ascend */
    for (size_t i = 0; i < count; i++) {
        while (next < origin_count && (origins[next] == LINE_DIFF_NONE || origins[next] < i))
            next++;
        if (next == origin_count || origins[next] != i)
            remember(document, first + i);
    }
}

int document_lines_follow(struct document *document, const struct text *changed, size_t first, size_t last)
{
    size_t old_count = last - first + 1, after = document->ids.len - last - 1;
    /* A \r before the edit and a \n after it can have become one line end. */
    if (text_line_count(changed) < first + after)
        return document_lines_follow(document, changed, 0, document->ids.len - 1);
    size_t new_count = text_line_count(changed) - first - after;
    OWNED_MEM uint32_t *origins = malloc((new_count + 1) * sizeof(*origins));
    if (!origins)
        return -ENOMEM;
    int r = line_diff((struct line_range){&document->text, first, old_count},
                      (struct line_range){changed, first, new_count}, origins);
    if (r < 0)
        return r;
    OWNED_MEM uint32_t *ids = malloc((first + new_count + after + 1) * sizeof(*ids));
    if (!ids)
        return -ENOMEM;
    remember_removed(document, first, old_count, origins, new_count);
    memcpy(ids, document->ids.items, first * sizeof(*ids));
    for (size_t j = 0; j < new_count; j++)
        ids[first + j] = origins[j] == LINE_DIFF_NONE ? identify(document, text_line(changed, first + j))
                                                      : document->ids.items[first + origins[j]];
    memcpy(ids + first + new_count, document->ids.items + last + 1, after * sizeof(*ids));
    free(document->ids.items);
    document->ids.len = document->ids.capacity = first + new_count + after;
    document->ids.items = take_ptr(ids);
    document->line_of_id_current = false;
    return 0;
}

/* The identities of the lines on disk: those of the lines of the text that they are, new ones for the rest.
 */
static int identify_disk(struct document *document, const struct text *disk, uint32_t **ret_ids)
{
    size_t count = text_line_count(disk);
    OWNED_MEM uint32_t *ids = malloc(count * sizeof(*ids));
    if (!ids)
        return -ENOMEM;
    int r = line_diff((struct line_range){&document->text, 0, text_line_count(&document->text)},
                      (struct line_range){disk, 0, count}, ids);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        ids[i] = ids[i] == LINE_DIFF_NONE ? document->next_id++ : document->ids.items[ids[i]];
    *ret_ids = take_ptr(ids);
    return 0;
}

int document_lines_add_state(struct document *document, uint64_t mtime_ns, const struct text *disk)
{
    uint64_t hash = document_lines_content_hash(disk);
    if (document->state_count) {
        struct disk_state *newest = &document->states[document->state_count - 1];
        if (newest->mtime_ns == mtime_ns && newest->content_hash == hash)
            return 0;
    }
    struct disk_state state = {.mtime_ns = mtime_ns,
                               .content_hash = hash,
                               .md5 = md5_of(disk->bytes.data, disk->bytes.len),
                               .count = text_line_count(disk)};
    int r = identify_disk(document, disk, &state.ids);
    if (r < 0)
        return r;
    if (document->state_count == DOCUMENT_STATES_MAX) {
        free(document->states[1].ids);
        memmove(&document->states[1], &document->states[2], (DOCUMENT_STATES_MAX - 2) * sizeof(state));
        document->state_count--;
    }
    document->states[document->state_count++] = state;
    return 0;
}

static void index_ids(struct document *document)
{
    document->line_of_id.len = 0;
    while (document->line_of_id.len < document->next_id) {
        uint32_t *slot = vec_push(&document->line_of_id);
        if (!slot)
            break;
        *slot = DOCUMENT_NO_LINE;
    }
    for (size_t line = 0; line < document->ids.len; line++)
        if (document->ids.items[line] < document->line_of_id.len)
            document->line_of_id.items[document->ids.items[line]] = (uint32_t)line;
    document->line_of_id_current = true;
}

uint32_t document_lines_find(struct document *document, uint32_t id)
{
    if (!document->line_of_id_current)
        index_ids(document);
    return id < document->line_of_id.len ? document->line_of_id.items[id] : DOCUMENT_NO_LINE;
}
