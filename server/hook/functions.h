/* The allocator functions that the hook stands in for, once: C and assembly expand the same list.
 *
 * A function's *shape* says where its size and block are, and what it gives back; the stub has one entry for
 * each function, so that an executable with its own jemalloc beside libc's malloc has both counted. Numbers
 * are the order of this list.
 *
 *     ALLOC          (size, …) → block
 *     ALLOC_PAGES    (size) → block
 *     ALLOC_ARRAY    (count, size) → block
 *     ALLOC_2ND      (alignment, size) → block
 *     ALLOC_OUT      (block *out, alignment, size) → 0 or an error
 *     REALLOC        (block, size, …) → block
 *     REALLOC_ARRAY  (block, count, size) → block
 *     FREE           (block, …)
 *
 * A function of another shape than ALLOC and FREE may be made of calls of others here: of malloc, most often.
 *
 * Sources: malloc(3), posix_memalign(3), jemalloc(3), mimalloc.h. Prefixes are those of Rust's jemalloc-sys
 * ("_rjem_") and of jemalloc built plain ("mallocx") or for Debian's own use ("je_"). jemalloc's xallocx
 * resizes in place and is not hooked: the block keeps the size it was allocated with. */
#ifndef RSPROF_HOOK_FUNCTIONS_H
#define RSPROF_HOOK_FUNCTIONS_H

/* clang-format off */
/* HOOK_FUNCTIONS(X): X(identifier, shape, symbol names, separated by blanks) */
#define HOOK_FUNCTIONS(X)                                                      \
    X(MALLOC,              ALLOC,         "malloc")                            \
    X(CALLOC,              ALLOC_ARRAY,   "calloc")                            \
    X(REALLOC,             REALLOC,       "realloc")                           \
    X(FREE,                FREE,          "free")                              \
    X(POSIX_MEMALIGN,      ALLOC_OUT,     "posix_memalign")                    \
    X(ALIGNED_ALLOC,       ALLOC_2ND,     "aligned_alloc")                     \
    X(MEMALIGN,            ALLOC_2ND,     "memalign")                          \
    X(REALLOCARRAY,        REALLOC_ARRAY, "reallocarray")                      \
    X(VALLOC,              ALLOC_PAGES,   "valloc")                            \
    X(PVALLOC,             ALLOC_PAGES,   "pvalloc")                           \
    X(JE_MALLOC,           ALLOC,         "_rjem_malloc je_malloc")            \
    X(JE_MALLOCX,          ALLOC,         "_rjem_mallocx mallocx je_mallocx")  \
    X(JE_CALLOC,           ALLOC_ARRAY,   "_rjem_calloc je_calloc")            \
    X(JE_REALLOC,          REALLOC,       "_rjem_realloc je_realloc")          \
    X(JE_RALLOCX,          REALLOC,       "_rjem_rallocx rallocx je_rallocx")  \
    X(JE_FREE,             FREE,          "_rjem_free je_free")                \
    X(JE_DALLOCX,          FREE,          "_rjem_dallocx dallocx je_dallocx")  \
    X(JE_SDALLOCX,         FREE,          "_rjem_sdallocx sdallocx je_sdallocx") \
    X(JE_POSIX_MEMALIGN,   ALLOC_OUT,     "_rjem_posix_memalign je_posix_memalign") \
    X(JE_ALIGNED_ALLOC,    ALLOC_2ND,     "_rjem_aligned_alloc je_aligned_alloc") \
    X(JE_MEMALIGN,         ALLOC_2ND,     "_rjem_memalign je_memalign")        \
    X(JE_VALLOC,           ALLOC_PAGES,   "_rjem_valloc je_valloc")            \
    X(MI_MALLOC,           ALLOC,         "mi_malloc")                         \
    X(MI_MALLOC_SMALL,     ALLOC,         "mi_malloc_small")                   \
    X(MI_ZALLOC,           ALLOC,         "mi_zalloc")                         \
    X(MI_ZALLOC_SMALL,     ALLOC,         "mi_zalloc_small")                   \
    X(MI_CALLOC,           ALLOC_ARRAY,   "mi_calloc")                         \
    X(MI_REALLOC,          REALLOC,       "mi_realloc")                        \
    X(MI_REZALLOC,         REALLOC,       "mi_rezalloc")                       \
    X(MI_FREE,             FREE,          "mi_free")                           \
    X(MI_FREE_SIZE,        FREE,          "mi_free_size")                      \
    X(MI_FREE_ALIGNED,     FREE,          "mi_free_aligned")                   \
    X(MI_FREE_SIZE_ALIGNED, FREE,         "mi_free_size_aligned")              \
    X(MI_MALLOC_ALIGNED,   ALLOC,         "mi_malloc_aligned")                 \
    X(MI_ZALLOC_ALIGNED,   ALLOC,         "mi_zalloc_aligned")                 \
    X(MI_REALLOC_ALIGNED,  REALLOC,       "mi_realloc_aligned")
/* clang-format on */

#ifndef __ASSEMBLER__

#include <stddef.h>

#define HOOK_FUNCTION_ENUM_(id, shape, names) HOOK_##id,
enum hook_function { HOOK_FUNCTIONS(HOOK_FUNCTION_ENUM_) HOOK_FUNCTION_COUNT };
#undef HOOK_FUNCTION_ENUM_

enum hook_shape {
    HOOK_SHAPE_ALLOC,
    HOOK_SHAPE_ALLOC_PAGES,
    HOOK_SHAPE_ALLOC_ARRAY,
    HOOK_SHAPE_ALLOC_2ND,
    HOOK_SHAPE_ALLOC_OUT,
    HOOK_SHAPE_REALLOC,
    HOOK_SHAPE_REALLOC_ARRAY,
    HOOK_SHAPE_FREE,
};

#endif
#endif
