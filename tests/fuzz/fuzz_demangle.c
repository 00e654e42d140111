/* The demangler's door: any name gives a name, of bounded size. */
#include "dwarf/demangle.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED_BUF struct buf mangled = BUF_INIT;
    OWNED_BUF struct buf out = BUF_INIT;
    if (buf_append(&mangled, data, size) < 0)
        return 0;
    const char *name = mangled.data ? mangled.data : "";
    if (demangle_short(name, &out) == 0 && out.len > 8192 && out.len > strlen(name))
        __builtin_trap();
    buf_clear(&out);
    demangle_full(name, &out);
    buf_clear(&out);
    if (strlen(name) <= 4096)
        demangle_shorten(name, &out);
    return 0;
}
