#include "base/md5.h"

#include <stdio.h>

/* libiberty has it, and Debian does not install the header. */
void *md5_buffer(const char *buffer, size_t len, void *ret_md5);

struct md5_text md5_text(const uint8_t md5[MD5_BYTES])
{
    struct md5_text text;
    for (size_t i = 0; i < MD5_BYTES; i++)
        snprintf(text.hex + 2 * i, 3, "%02x", md5[i]);
    return text;
}

struct md5_text md5_of(const void *data, size_t len)
{
    uint8_t md5[MD5_BYTES];
    md5_buffer(data, len, md5);
    return md5_text(md5);
}
