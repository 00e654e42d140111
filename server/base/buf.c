#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

int buf_reserve(struct buf *buf, size_t extra)
{
    if (extra > (size_t)-1 / 2 - buf->len)
        return -ENOMEM;
    size_t need = buf->len + extra;
    if (buf->limit && need > buf->limit)
        return -E2BIG;
    if (need + 1 <= buf->capacity)
        return 0;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < need + 1)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (!data)
        return -ENOMEM;
    buf->data = data;
    buf->capacity = capacity;
    data[buf->len] = '\0';
    return 0;
}

int buf_append(struct buf *buf, const void *bytes, size_t len)
{
    int r = buf_reserve(buf, len);
    if (r < 0)
        return r;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return 0;
}

int buf_append_str(struct buf *buf, const char *str)
{
    return buf_append(buf, str, strlen(str));
}

int buf_appendf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return -EINVAL;
    int r = buf_reserve(buf, (size_t)len);
    if (r < 0)
        return r;
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
    return 0;
}

void buf_drop_front(struct buf *buf, size_t len)
{
    if (!buf->data)
        return;
    if (len > buf->len)
        len = buf->len;
    memmove(buf->data, buf->data + len, buf->len - len + 1);
    buf->len -= len;
}

int buf_read_all(struct buf *buf, int fd)
{
    for (;;) {
        int r = buf_reserve(buf, 4096);
        if (r < 0)
            return r;
        ssize_t n = read(fd, buf->data + buf->len, buf->capacity - buf->len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        buf->len += (size_t)n;
        buf->data[buf->len] = '\0';
    }
}
