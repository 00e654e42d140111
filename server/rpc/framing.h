/* The framing of the Language Server Protocol: `Content-Length: N`, an empty line, N bytes of JSON.
 * Incremental: bytes go in as they come, whole bodies come out.
 *
 *     framing_feed(&framing, bytes, n);
 *     while ((r = framing_next(&framing, &body, &len)) > 0)
 *         handle(body, len);
 *
 * Invariants: holds at most FRAMING_HEADER_MAX + FRAMING_BODY_MAX bytes of unfinished input beyond what one
 * feed brings. A stream that broke stays broken: nobody can tell where the next message would start. Errors:
 * −ENOMEM; −EBADMSG a header that is none; −EMSGSIZE a body or header that is too long. Source: LSP 3.17,
 * "Base Protocol". */
#ifndef RSPROF_RPC_FRAMING_H
#define RSPROF_RPC_FRAMING_H

#include "base/buf.h"

#include <stdbool.h>

#define FRAMING_HEADER_MAX 8192u
#define FRAMING_BODY_MAX   (64u << 20)

struct framing {
    struct buf input;
    size_t consumed;     /* bytes at the front of `input` that were given out already */
    size_t body_len;     /* of the message under way; valid with `in_body` */
    bool in_body;        /* its header is complete and consumed */
    int error;           /* 0, or why the stream is broken */
    const char *problem; /* the same for people, when `error` is not 0 */
};

void framing_init(struct framing *framing);
void framing_release(struct framing *framing);

/* Appends what was read. Invalidates bodies given out before. */
int framing_feed(struct framing *framing, const void *bytes, size_t len);

/* 1 with the next body (NUL-terminated only by chance, writable, valid until the next feed), 0 when more
 * input is needed, or negative errno. */
int framing_next(struct framing *framing, char **ret_body, size_t *ret_len);

/* Whether a message has begun and not ended: an end of file now would cut it. */
bool framing_is_partial(const struct framing *framing);

/* Appends a message with its header to `out`. */
int framing_write(struct buf *out, const char *body, size_t len);

#endif
