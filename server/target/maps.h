/* The memory mappings of a process, from /proc/PID/maps.
 *
 * Errors: −ESRCH when the process is gone, −EACCES when it is not ours to look at. */
#ifndef RSPROF_TARGET_MAPS_H
#define RSPROF_TARGET_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memory_map {
    uint64_t start, end; /* [start, end) */
    uint64_t offset;     /* in the file, bytes */
    uint64_t device;     /* device and inode tell files apart, whatever their names */
    uint64_t inode;      /* 0: no file */
    bool executable, writable;
    char *path; /* as the target sees it, without " (deleted)"; "[vdso]" and the like; "" for anonymous memory
                 */
};

struct memory_maps {
    struct memory_map *items;
    size_t len;
};

int memory_maps_read(pid_t pid, struct memory_maps *ret_maps);
void memory_maps_release(struct memory_maps *maps);

/* Whether both have the same executable mappings of the same files. */
bool memory_maps_same_code(const struct memory_maps *a, const struct memory_maps *b);

/* Opens the very file that is mapped, even one deleted or replaced since. */
int memory_map_open(pid_t pid, const struct memory_map *map, int *ret_fd);

#endif
