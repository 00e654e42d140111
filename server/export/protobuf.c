#include "export/protobuf.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

void proto_release(struct proto *proto)
{
    buf_release(&proto->bytes);
}

static void append(struct proto *proto, const void *bytes, size_t len)
{
    int r = buf_append(&proto->bytes, bytes, len);
    if (r < 0)
        proto->error = r;
}

static void append_varint(struct proto *proto, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[len++] = (uint8_t)(value | 0x80);
    bytes[len++] = (uint8_t)value;
    append(proto, bytes, len);
}

static void append_bytes(struct proto *proto, unsigned field, const void *bytes, size_t len)
{
    append_varint(proto, field << 3 | WIRE_BYTES);
    append_varint(proto, len);
    append(proto, bytes, len);
}

void proto_put_uint(struct proto *proto, unsigned field, uint64_t value)
{
    if (!value)
        return;
    append_varint(proto, field << 3 | WIRE_VARINT);
    append_varint(proto, value);
}

void proto_put_string(struct proto *proto, unsigned field, const char *string)
{
    append_bytes(proto, field, string, strlen(string));
}

void proto_put_packed(struct proto *proto, unsigned field, const uint64_t *values, size_t count)
{
    struct proto packed = {0};
    for (size_t i = 0; i < count; i++)
        append_varint(&packed, values[i]);
    proto_put_message(proto, field, &packed);
    proto_release(&packed);
}

void proto_put_message(struct proto *proto, unsigned field, struct proto *message)
{
    if (message->error)
        proto->error = message->error;
    append_bytes(proto, field, message->bytes.data, message->bytes.len);
    buf_clear(&message->bytes);
}
