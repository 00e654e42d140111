/* Names as people write them. Rust's legacy and v0 manglings, and C++'s, through libiberty. */
#ifndef RSPROF_DWARF_DEMANGLE_H
#define RSPROF_DWARF_DEMANGLE_H

#include "base/buf.h"

/* Names that would be longer than 64 KiB are cut, and end with "…" then.
 *
 * Appends the short form: "crate::module::function", without hash and generic arguments, closures as
 * "{closure#0}" (v0) or
 * "{closure}" (legacy, which does not number them). What is not mangled is appended as it is, without the
 * suffixes that compilers add to clones. −ENOMEM. */
int demangle_short(const char *mangled, struct buf *out);

/* Appends the full form, with generic arguments. */
int demangle_full(const char *mangled, struct buf *out);

/* Shortens a demangled Rust path: "<a::B<T> as c::D<U>>::f::<V>" becomes "<a::B as c::D>::f". */
int demangle_shorten(const char *path, struct buf *out);

#endif
