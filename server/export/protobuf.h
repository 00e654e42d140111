/* Writes messages of Protocol Buffers: fields of variable-length integers, and fields of bytes.
 *
 *     struct proto line = {0};
 *     proto_put_uint(&line, 1, function_id);
 *     proto_put_message(&location, 4, &line);   // and empties `line`, for the next
 *     proto_release(&line);
 *
 * An error (−ENOMEM) stays in the message, and goes with it into the one it is put into: look at the
 * outermost's, once. Source: https://protobuf.dev/programming-guides/encoding/ */
#ifndef RSPROF_EXPORT_PROTOBUF_H
#define RSPROF_EXPORT_PROTOBUF_H

#include "base/buf.h"

#include <stdint.h>

struct proto {
    struct buf bytes;
    int error;
};

void proto_release(struct proto *proto);

/* 0 is the default of every field, and is left out. */
void proto_put_uint(struct proto *proto, unsigned field, uint64_t value);
void proto_put_string(struct proto *proto, unsigned field, const char *string);
void proto_put_packed(struct proto *proto, unsigned field, const uint64_t *values, size_t count);
void proto_put_message(struct proto *proto, unsigned field, struct proto *message);

#endif
