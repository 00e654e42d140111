/* What waits to be written to a client, bounded however slowly the client reads.
 *
 * Three kinds of messages, told apart by what may happen to them while they wait:
 *   - kept: answers and the like. Never dropped. Their number is bounded by whoever puts them in, who stops
 * taking requests while `outbox_is_full()`;
 *   - replaceable: state, under a key. A newer one with the same key takes the place of one that has not
 * begun to be written, and goes to the end of the queue;
 *   - optional: dropped and counted while the outbox is full.
 *
 * Writing never blocks: `outbox_write()` writes what the descriptor takes, which must be non-blocking.
 * Errors: −ENOMEM, and those of write(2). */
#ifndef RSPROF_RPC_OUTBOX_H
#define RSPROF_RPC_OUTBOX_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define OUTBOX_FULL_BYTES (4u << 20)

struct outbox_message;

struct outbox {
    struct outbox_message *first, *last;
    size_t written;    /* bytes of the first message that are out already */
    size_t bytes;      /* of all waiting messages, without `written` */
    size_t count;      /* messages waiting */
    uint64_t replaced; /* messages that a newer one made superfluous */
    uint64_t dropped;  /* optional messages that were not queued */
};

void outbox_init(struct outbox *outbox);
void outbox_release(struct outbox *outbox);

bool outbox_is_empty(const struct outbox *outbox);

/* More than OUTBOX_FULL_BYTES wait. */
bool outbox_is_full(const struct outbox *outbox);

/* Each frames `body` and queues it; the bytes are copied. */
int outbox_put(struct outbox *outbox, const char *body, size_t len);
int outbox_put_replaceable(struct outbox *outbox, const char *key, const char *body, size_t len);

/* −ENOBUFS when the outbox is full: the message is dropped and counted. */
int outbox_put_optional(struct outbox *outbox, const char *body, size_t len);

/* Writes what `fd` takes now; 0 also when nothing could be written for now. */
int outbox_write(struct outbox *outbox, int fd);

#endif
