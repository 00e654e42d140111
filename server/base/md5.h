/* MD5 sums, by which DWARF 5 tells what a source file held when it was compiled. They say nothing about who
 * wrote it. */
#ifndef RSPROF_BASE_MD5_H
#define RSPROF_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16

/* In lower-case hexadecimal. */
struct md5_text {
    char hex[2 * MD5_BYTES + 1];
};

struct md5_text md5_text(const uint8_t md5[MD5_BYTES]);
struct md5_text md5_of(const void *data, size_t len);

#endif
