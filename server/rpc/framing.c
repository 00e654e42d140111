#include "rpc/framing.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Past this size, memory of a finished message is given back instead of being kept for the next one. */
#define KEEP_MAX (1u << 20)

void framing_init(struct framing *framing)
{
    *framing = (struct framing){0};
}

void framing_release(struct framing *framing)
{
    buf_release(&framing->input);
    framing_init(framing);
}

int framing_feed(struct framing *framing, const void *bytes, size_t len)
{
    if (framing->consumed) {
        buf_drop_front(&framing->input, framing->consumed);
        framing->consumed = 0;
    }
    if (framing->input.len == 0 && framing->input.capacity > KEEP_MAX)
        buf_release(&framing->input);
    return buf_append(&framing->input, bytes, len);
}

static int broken(struct framing *framing, int error, const char *problem)
{
    framing->error = error;
    framing->problem = problem;
    return error;
}

/* The value of a Content-Length field: digits with optional blanks around them, nothing else. */
static int parse_length(const char *value, size_t len, size_t *ret_length)
{
    size_t i = 0, length = 0, digits = 0;
    while (i < len && (value[i] == ' ' || value[i] == '\t'))
        i++;
    for (; i < len && value[i] >= '0' && value[i] <= '9'; i++, digits++) {
        length = length * 10 + (size_t)(value[i] - '0');
        if (length > FRAMING_BODY_MAX)
            return -EMSGSIZE;
    }
    while (i < len && (value[i] == ' ' || value[i] == '\t'))
        i++;
    if (!digits || i < len)
        return -EBADMSG;
    *ret_length = length;
    return 0;
}

static const char content_length[] = "Content-Length";

static int parse_field(struct framing *framing, const char *line, size_t len, bool *has_length)
{
    const char *colon = memchr(line, ':', len);
    if (!colon || colon == line)
        return broken(framing, -EBADMSG, "a header line is not of the form 'Name: value'");
    size_t name_len = (size_t)(colon - line);
    if (name_len != sizeof(content_length) - 1 || strncasecmp(line, content_length, name_len) != 0)
        return 0;
    if (*has_length)
        return broken(framing, -EBADMSG, "a header has Content-Length twice");
    *has_length = true;
    int r = parse_length(colon + 1, len - name_len - 1, &framing->body_len);
    if (r == -EMSGSIZE)
        return broken(framing, r, "Content-Length is over 64 MiB");
    if (r < 0)
        return broken(framing, r, "Content-Length is not a number");
    return 0;
}

/* Checks the complete lines of the header under way, so that garbage is found out before its end. */
static int parse_lines(struct framing *framing, const char *header, size_t len, bool *ret_has_length)
{
    bool has_length = false;
    size_t pos = 0;
    for (const char *eol; (eol = memmem(header + pos, len - pos, "\r\n", 2)) && eol != header + pos;) {
        size_t line_len = (size_t)(eol - header) - pos;
        int r = parse_field(framing, header + pos, line_len, &has_length);
        if (r < 0)
            return r;
        pos += line_len + 2;
    }
    *ret_has_length = has_length;
    return 0;
}

/* Takes one header; 1 when it is complete. */
static int parse_header(struct framing *framing)
{
    size_t len = framing->input.len - framing->consumed;
    if (len == 0)
        return 0;
    if (len > FRAMING_HEADER_MAX)
        len = FRAMING_HEADER_MAX;
    const char *header = framing->input.data + framing->consumed;
    bool has_length;
    int r = parse_lines(framing, header, len, &has_length);
    if (r < 0)
        return r;
    const char *end = memmem(header, len, "\r\n\r\n", 4);
    if (!end && len == FRAMING_HEADER_MAX)
        return broken(framing, -EMSGSIZE, "a header is over 8 KiB");
    if (!end)
        return 0;
    if (!has_length)
        return broken(framing, -EBADMSG, "a header has no Content-Length");
    framing->consumed += (size_t)(end - header) + 4;
    framing->in_body = true;
    return 1;
}

int framing_next(struct framing *framing, char **ret_body, size_t *ret_len)
{
    if (framing->error)
        return framing->error;
    if (!framing->in_body) {
        int r = parse_header(framing);
        if (r <= 0)
            return r;
    }
    if (framing->input.len - framing->consumed < framing->body_len)
        return 0;
    *ret_body = framing->input.data + framing->consumed;
    *ret_len = framing->body_len;
    framing->consumed += framing->body_len;
    framing->in_body = false;
    return 1;
}

bool framing_is_partial(const struct framing *framing)
{
    return framing->in_body || framing->consumed < framing->input.len;
}

int framing_write(struct buf *out, const char *body, size_t len)
{
    size_t before = out->len;
    int r = buf_appendf(out, "%s: %zu\r\n\r\n", content_length, len);
    if (r >= 0)
        r = buf_append(out, body, len);
    if (r < 0 && out->data) {
        out->len = before;
        out->data[before] = '\0';
    }
    return r;
}
