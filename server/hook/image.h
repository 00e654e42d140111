/* The stub's code, as it is built into rsprof. */
#ifndef RSPROF_HOOK_IMAGE_H
#define RSPROF_HOOK_IMAGE_H

#include "hook/stub_abi.h"

#include <stddef.h>

struct hook_image {
    const uint8_t *bytes; /* an ELF file, mapped as it is */
    size_t len;
    uint64_t build;          /* hash of the bytes */
    const uint32_t *entries; /* offset of each function's entry */
    const uint32_t
        *outer_entries; /* … of the one for calls that may be made of others that come to the stub */
    uint32_t site_alloc, site_free; /* offsets of the probe sites */
};

/* The bytes live for ever. */
struct hook_image hook_image(void);

#endif
