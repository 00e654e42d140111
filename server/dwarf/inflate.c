#include "dwarf/inflate.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

static int inflate_zlib(struct bytes in, uint8_t *out, size_t size)
{
    uLongf out_len = size;
    if (uncompress(out, &out_len, in.data, in.len) != Z_OK || out_len != size)
        return -EBADMSG;
    return 0;
}

static int inflate_zstd(struct bytes in, uint8_t *out, size_t size)
{
    size_t out_len = ZSTD_decompress(out, size, in.data, in.len);
    return ZSTD_isError(out_len) || out_len != size ? -EBADMSG : 0;
}

static int inflate_as(uint32_t type, struct bytes in, uint64_t size, uint8_t **ret_data, size_t *ret_len)
{
    if (!size || size > INFLATE_MAX_BYTES)
        return -EBADMSG;
    OWNED_MEM uint8_t *out = malloc((size_t)size);
    if (!out)
        return -ENOMEM;
    int r = -EBADMSG;
    if (type == ELFCOMPRESS_ZLIB)
        r = inflate_zlib(in, out, (size_t)size);
    else if (type == ELFCOMPRESS_ZSTD)
        r = inflate_zstd(in, out, (size_t)size);
    if (r < 0)
        return r;
    *ret_data = take_ptr(out);
    *ret_len = (size_t)size;
    return 0;
}

int inflate_section(struct bytes compressed, uint8_t **ret_data, size_t *ret_len)
{
    struct reader reader = reader_of(compressed);
    uint32_t type = reader_u32(&reader);
    reader_u32(&reader); /* reserved */
    uint64_t size = reader_u64(&reader);
    reader_u64(&reader); /* alignment */
    if (reader.bad)
        return -EBADMSG;
    struct bytes in = {reader.pos, reader_left(&reader)};
    return inflate_as(type, in, size, ret_data, ret_len);
}

int inflate_gnu_section(struct bytes compressed, uint8_t **ret_data, size_t *ret_len)
{
    if (compressed.len < 12 || memcmp(compressed.data, "ZLIB", 4) != 0)
        return -EBADMSG;
    uint64_t size;
    memcpy(&size, compressed.data + 4, 8);
    return inflate_as(ELFCOMPRESS_ZLIB, bytes_from(compressed, 12), be64toh(size), ret_data, ret_len);
}

/* It does not say before its end how large it will be. */
int inflate_xz(struct bytes compressed, uint8_t **ret_data, size_t *ret_len)
{
    OWNED_BUF struct buf out = {.limit = INFLATE_MAX_BYTES};
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret status = lzma_stream_decoder(&stream, INFLATE_MAX_BYTES, 0);
    stream.next_in = compressed.data;
    stream.avail_in = compressed.len;
    int r = 0;
    while (r == 0 && status == LZMA_OK) {
        r = buf_reserve(&out, compressed.len + 1);
        stream.next_out = (uint8_t *)out.data + out.len;
        stream.avail_out = r == 0 ? out.capacity - out.len - 1 : 0;
        if (r == 0)
            status = lzma_code(&stream, LZMA_FINISH);
        out.len = (size_t)stream.total_out;
    }
    lzma_end(&stream);
    if (r == 0 && status != LZMA_STREAM_END)
        r = status == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
    if (r < 0)
        return r;
    *ret_len = out.len;
    *ret_data = (uint8_t *)take_ptr(out.data);
    return 0;
}
