/* A growable byte buffer that is always NUL-terminated, so that `buf.data` can be used as a C string.
 *
 * Invariants: `data` is NULL or holds at least `len + 1` bytes. An initialized buffer owns its memory;
 * `_release` frees it and makes it empty again. A failed append leaves the buffer as it was. Errors: −ENOMEM;
 * −E2BIG past the limit given to `buf_init_limited`. */
#ifndef RSPROF_BASE_BUF_H
#define RSPROF_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t limit; /* most bytes it may hold; 0: no limit */
};

#define BUF_INIT ((struct buf){0})

void buf_release(struct buf *buf);

/* Makes the buffer empty and keeps its memory. */
void buf_clear(struct buf *buf);

/* Makes room for `extra` more bytes. */
int buf_reserve(struct buf *buf, size_t extra);

int buf_append(struct buf *buf, const void *bytes, size_t len);
int buf_append_str(struct buf *buf, const char *str);
int buf_appendf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first `len` bytes. */
void buf_drop_front(struct buf *buf, size_t len);

/* Appends everything that can be read from `fd` until end of file. */
int buf_read_all(struct buf *buf, int fd);

#define OWNED_BUF __attribute__((cleanup(buf_release)))

#endif
