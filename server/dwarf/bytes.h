/* A span of bytes, and a cursor over one that cannot leave it: what every parser in this folder reads hostile
 * input with.
 *
 * Reading past the end gives 0, moves the cursor to the end and sets `bad`; so a parser may read on and look
 * at `bad` once. Nothing here owns memory. Numbers are little-endian, as on the only machine we run on. */
#ifndef RSPROF_DWARF_BYTES_H
#define RSPROF_DWARF_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t len;
};

struct reader {
    const uint8_t *pos, *end;
    bool bad;
};

static inline struct bytes bytes_slice(struct bytes bytes, uint64_t offset, uint64_t len)
{
    if (offset > bytes.len || len > bytes.len - offset || !len)
        return (struct bytes){0};
    return (struct bytes){bytes.data + offset, (size_t)len};
}

static inline struct bytes bytes_from(struct bytes bytes, uint64_t offset)
{
    if (offset >= bytes.len)
        return (struct bytes){0};
    return (struct bytes){bytes.data + offset, bytes.len - (size_t)offset};
}

/* The NUL-terminated string at `offset`; "" if it is not one. */
static inline const char *bytes_str(struct bytes bytes, uint64_t offset)
{
    if (offset >= bytes.len || !memchr(bytes.data + offset, 0, bytes.len - (size_t)offset))
        return "";
    return (const char *)bytes.data + offset;
}

static inline struct reader reader_of(struct bytes bytes)
{
    static const uint8_t nothing[1]; /* since NULL + 0 is undefined */
    const uint8_t *data = bytes.len ? bytes.data : nothing;
    return (struct reader){data, data + bytes.len, false};
}

/* A cursor at `offset`; a bad one if that is outside. */
static inline struct reader reader_at(struct bytes bytes, uint64_t offset)
{
    struct reader reader = reader_of(bytes);
    reader.bad = offset > bytes.len;
    reader.pos = reader.bad ? reader.end : reader.pos + offset;
    return reader;
}

static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->pos);
}

static inline bool reader_fail(struct reader *reader)
{
    reader->pos = reader->end;
    reader->bad = true;
    return false;
}

static inline void reader_skip(struct reader *reader, uint64_t len)
{
    if (len > reader_left(reader))
        reader_fail(reader);
    else
        reader->pos += len;
}

/* An unsigned number of `size` bytes (1…8). */
static inline uint64_t reader_uint(struct reader *reader, unsigned size)
{
    uint64_t value = 0;
    if (size > reader_left(reader)) {
        reader_fail(reader);
        return 0;
    }
    memcpy(&value, reader->pos, size);
    reader->pos += size;
    return value;
}

static inline uint8_t reader_u8(struct reader *reader)
{
    if (reader->pos == reader->end) {
        reader_fail(reader);
        return 0;
    }
    return *reader->pos++;
}

static inline uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)reader_uint(reader, 2);
}

static inline uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)reader_uint(reader, 4);
}

static inline uint64_t reader_u64(struct reader *reader)
{
    return reader_uint(reader, 8);
}

/* LEB128 (DWARF 5 section 7.6); bits past the 64th are dropped. */
static inline uint64_t reader_leb(struct reader *reader, bool is_signed)
{
    uint64_t value = 0;
    uint8_t byte;
    unsigned shift = 0;
    do {
        if (reader->pos == reader->end) {
            reader_fail(reader);
            return 0;
        }
        byte = *reader->pos++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && shift < 64 && (byte & 0x40))
        value |= ~0ull << shift;
    return value;
}

static inline uint64_t reader_uleb(struct reader *reader)
{
    return reader_leb(reader, false);
}

static inline int64_t reader_sleb(struct reader *reader)
{
    return (int64_t)reader_leb(reader, true);
}

/* A NUL-terminated string, inside the span; "" and bad if there is none. */
static inline const char *reader_str(struct reader *reader)
{
    const uint8_t *nul = reader_left(reader) ? memchr(reader->pos, 0, reader_left(reader)) : NULL;
    if (!nul) {
        reader_fail(reader);
        return "";
    }
    const char *str = (const char *)reader->pos;
    reader->pos = nul + 1;
    return str;
}

/* A DWARF unit length: 4 bytes, or 0xffffffff and 8 bytes. Sets the offset size (4 or 8) of what follows. */
static inline uint64_t reader_unit_length(struct reader *reader, uint8_t *ret_offset_size)
{
    uint64_t length = reader_u32(reader);
    *ret_offset_size = 4;
    if (length == 0xffffffff) {
        length = reader_u64(reader);
        *ret_offset_size = 8;
    } else if (length >= 0xfffffff0) {
        reader_fail(reader);
    }
    return length;
}

#endif
