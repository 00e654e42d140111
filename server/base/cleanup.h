/* Ownership made visible: a local that owns something is declared with the cleanup of its kind, and handed on
 * with `take_fd()` or `take_ptr()`. Cleanups keep errno and accept the empty value (−1, NULL). */
#ifndef RSPROF_BASE_CLEANUP_H
#define RSPROF_BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(func) __attribute__((cleanup(func)))

static inline void cleanup_fd(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

static inline void cleanup_free(void *ptr)
{
    free(*(void **)ptr);
}

static inline void cleanup_file(FILE **file)
{
    int saved = errno;
    if (*file)
        fclose(*file);
    errno = saved;
}

#define OWNED_FD   CLEANUP(cleanup_fd)
#define OWNED_MEM  CLEANUP(cleanup_free)
#define OWNED_FILE CLEANUP(cleanup_file)

/* Returns the descriptor and leaves −1 behind: the caller owns it now. */
static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define take_ptr(ptr)                                                                                        \
    ({                                                                                                       \
        __typeof__(ptr) taken_ = (ptr);                                                                      \
        (ptr) = NULL;                                                                                        \
        taken_;                                                                                              \
    })

#endif
