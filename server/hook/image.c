#include "hook/image.h"

#include "stub_image.h"

_Static_assert(sizeof(stub_image) <= HOOK_OFFSET_TRAMPOLINES, "the stub outgrew its pages");

/* FNV-1a */
static uint64_t hash_bytes(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ull;
    return hash;
}

struct hook_image hook_image(void)
{
    return (struct hook_image){
        .bytes = stub_image,
        .len = sizeof(stub_image),
        .build = hash_bytes(stub_image, sizeof(stub_image)),
        .entries = stub_entries,
        .outer_entries = stub_outer_entries,
        .site_alloc = STUB_SITE_ALLOC,
        .site_free = STUB_SITE_FREE,
    };
}
