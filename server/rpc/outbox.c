#include "rpc/outbox.h"

#include "rpc/framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct outbox_message {
    struct outbox_message *next;
    struct buf framed;
    char *key; /* NULL: not replaceable */
};

static void message_free(struct outbox_message *message)
{
    if (!message)
        return;
    buf_release(&message->framed);
    free(message->key);
    free(message);
}

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){0};
}

void outbox_release(struct outbox *outbox)
{
    for (struct outbox_message *message = outbox->first, *next; message; message = next) {
        next = message->next;
        message_free(message);
    }
    outbox_init(outbox);
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return !outbox->first;
}

bool outbox_is_full(const struct outbox *outbox)
{
    return outbox->bytes > OUTBOX_FULL_BYTES;
}

static int message_fill(struct outbox_message *message, const char *key, const char *body, size_t len)
{
    if (key) {
        message->key = strdup(key);
        if (!message->key)
            return -ENOMEM;
    }
    return framing_write(&message->framed, body, len);
}

static int message_new(const char *key, const char *body, size_t len, struct outbox_message **ret_message)
{
    struct outbox_message *message = calloc(1, sizeof(*message));
    if (!message)
        return -ENOMEM;
    int r = message_fill(message, key, body, len);
    if (r < 0) {
        message_free(message);
        return r;
    }
    *ret_message = message;
    return 0;
}

static void append(struct outbox *outbox, struct outbox_message *message)
{
    if (outbox->last)
        outbox->last->next = message;
    else
        outbox->first = message;
    outbox->last = message;
    outbox->bytes += message->framed.len;
    outbox->count++;
}

/* Takes out the message with this key, unless a part of it is written: then it must be finished. */
static void remove_key(struct outbox *outbox, const char *key)
{
    struct outbox_message *previous = NULL;
    for (struct outbox_message *message = outbox->first; message;
         previous = message, message = message->next) {
        if (!message->key || strcmp(message->key, key) != 0 || (message == outbox->first && outbox->written))
            continue;
        if (previous)
            previous->next = message->next;
        else
            outbox->first = message->next;
        if (outbox->last == message)
            outbox->last = previous;
        outbox->bytes -= message->framed.len;
        outbox->count--;
        outbox->replaced++;
        message_free(message);
        return;
    }
}

int outbox_put(struct outbox *outbox, const char *body, size_t len)
{
    struct outbox_message *message;
    int r = message_new(NULL, body, len, &message);
    if (r < 0)
        return r;
    append(outbox, message);
    return 0;
}

int outbox_put_replaceable(struct outbox *outbox, const char *key, const char *body, size_t len)
{
    struct outbox_message *message;
    int r = message_new(key, body, len, &message);
    if (r < 0)
        return r;
    remove_key(outbox, key);
    append(outbox, message);
    return 0;
}

int outbox_put_optional(struct outbox *outbox, const char *body, size_t len)
{
    if (outbox_is_full(outbox)) {
        outbox->dropped++;
        return -ENOBUFS;
    }
    return outbox_put(outbox, body, len);
}

static void drop_first(struct outbox *outbox)
{
    struct outbox_message *message = outbox->first;
    outbox->first = message->next;
    if (!outbox->first)
        outbox->last = NULL;
    outbox->written = 0;
    outbox->count--;
    message_free(message);
}

int outbox_write(struct outbox *outbox, int fd)
{
    while (outbox->first) {
        const struct buf *framed = &outbox->first->framed;
        ssize_t n = write(fd, framed->data + outbox->written, framed->len - outbox->written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
        outbox->written += (size_t)n;
        outbox->bytes -= (size_t)n;
        if (outbox->written == framed->len)
            drop_first(outbox);
    }
    return 0;
}
