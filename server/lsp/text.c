#include "lsp/text.h"

#include <errno.h>
#include <string.h>

static int index_lines(const struct buf *bytes, struct text *ret_text)
{
    struct text indexed = {.bytes = *bytes};
    size_t *slot = vec_push(&indexed.line_starts);
    if (!slot)
        return -ENOMEM;
    *slot = 0;
    for (size_t i = 0; i < bytes->len; i++) {
        char c = bytes->data[i];
        if (c != '\n' && (c != '\r' || (i + 1 < bytes->len && bytes->data[i + 1] == '\n')))
            continue;
        slot = vec_push(&indexed.line_starts);
        if (!slot) {
            vec_release(&indexed.line_starts);
            return -ENOMEM;
        }
        *slot = i + 1;
    }
    *ret_text = indexed;
    return 0;
}

int text_init(struct text *text, const char *bytes, size_t len)
{
    struct buf copy = BUF_INIT;
    int r = buf_append(&copy, bytes, len);
    if (r >= 0)
        r = index_lines(&copy, text);
    if (r < 0)
        buf_release(&copy);
    return r;
}

void text_release(struct text *text)
{
    buf_release(&text->bytes);
    vec_release(&text->line_starts);
}

size_t text_line_count(const struct text *text)
{
    return text->line_starts.len;
}

struct text_slice text_line(const struct text *text, size_t line)
{
    if (line >= text->line_starts.len)
        return (struct text_slice){"", 0};
    size_t start = text->line_starts.items[line];
    size_t end = line + 1 < text->line_starts.len ? text->line_starts.items[line + 1] : text->bytes.len;
    const char *data = text->bytes.data;
    if (end > start && line + 1 < text->line_starts.len && data[end - 1] == '\n')
        end--;
    if (end > start && line + 1 < text->line_starts.len && data[end - 1] == '\r')
        end--;
    return (struct text_slice){data + start, end - start};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

struct text_slice text_slice_trim(struct text_slice slice)
{
    while (slice.len && is_blank(slice.data[0])) {
        slice.data++;
        slice.len--;
    }
    while (slice.len && is_blank(slice.data[slice.len - 1]))
        slice.len--;
    return slice;
}

/* Bytes of the character that starts with `lead`; stray bytes count as characters of their own. */
static size_t character_bytes(unsigned char lead)
{
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static uint32_t character_units(size_t bytes, enum position_encoding encoding)
{
    if (encoding == ENCODING_UTF8)
        return (uint32_t)bytes;
    return encoding == ENCODING_UTF16 && bytes == 4 ? 2 : 1;
}

size_t text_offset(const struct text *text, struct text_position position, enum position_encoding encoding)
{
    if (position.line >= text->line_starts.len)
        return text->bytes.len;
    struct text_slice line = text_line(text, position.line);
    size_t offset = 0;
    for (uint32_t units = 0; offset < line.len && units < position.character;) {
        size_t bytes = character_bytes((unsigned char)line.data[offset]);
        if (bytes > line.len - offset)
            bytes = line.len - offset;
        units += character_units(bytes, encoding);
        if (units > position.character)
            break;
        offset += bytes;
    }
    return text->line_starts.items[position.line] + offset;
}

uint32_t text_line_units(const struct text *text, size_t line, enum position_encoding encoding)
{
    struct text_slice slice = text_line(text, line);
    uint32_t units = 0;
    for (size_t offset = 0; offset < slice.len;) {
        size_t bytes = character_bytes((unsigned char)slice.data[offset]);
        units += character_units(bytes, encoding);
        offset += bytes;
    }
    return units;
}

int text_replaced(const struct text *text, size_t start, size_t end, const char *replacement, size_t len,
                  struct text *ret_text)
{
    struct buf bytes = BUF_INIT;
    int r = buf_reserve(&bytes, text->bytes.len - (end - start) + len);
    if (r >= 0)
        r = buf_append(&bytes, text->bytes.data, start);
    if (r >= 0)
        r = buf_append(&bytes, replacement, len);
    if (r >= 0)
        r = buf_append(&bytes, text->bytes.data ? text->bytes.data + end : "", text->bytes.len - end);
    if (r >= 0)
        r = index_lines(&bytes, ret_text);
    if (r < 0)
        buf_release(&bytes);
    return r;
}
