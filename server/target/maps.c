#include "target/maps.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void strip_deleted(char *path)
{
    static const char suffix[] = " (deleted)";
    size_t len = strlen(path), cut = sizeof(suffix) - 1;
    if (len > cut && !strcmp(path + len - cut, suffix))
        path[len - cut] = '\0';
}

/* One line: "start-end perms offset major:minor inode   path". */
static int parse_line(const char *line, struct memory_map *ret_map)
{
    struct memory_map map = {0};
    char perms[5];
    unsigned major, minor;
    int path_at = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &map.start, &map.end,
               perms, &map.offset, &major, &minor, &map.inode, &path_at) < 7)
        return -EBADMSG;
    map.device = makedev(major, minor);
    map.writable = perms[1] == 'w';
    map.executable = perms[2] == 'x';
    map.path = strdup(line + path_at);
    if (!map.path)
        return -ENOMEM;
    strip_deleted(map.path);
    *ret_map = map;
    return 0;
}

int memory_maps_read(pid_t pid, struct memory_maps *ret_maps)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/maps", pid);
    OWNED_FD int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    OWNED_BUF struct buf text = BUF_INIT;
    int r = buf_read_all(&text, fd);
    if (r < 0)
        return r;
    VEC(struct memory_map) maps = {0};
    char *rest = NULL;
    for (char *line = text.data ? strtok_r(text.data, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        struct memory_map *map = vec_push(&maps);
        r = map ? parse_line(line, map) : -ENOMEM;
        if (r < 0) {
            struct memory_maps partial = {maps.items, maps.len};
            memory_maps_release(&partial);
            return r;
        }
    }
    *ret_maps = (struct memory_maps){maps.items, maps.len};
    return 0;
}

void memory_maps_release(struct memory_maps *maps)
{
    for (size_t i = 0; i < maps->len; i++)
        free(maps->items[i].path);
    free(maps->items);
    *maps = (struct memory_maps){0};
}

static const struct memory_map *next_code(const struct memory_maps *maps, size_t *cursor)
{
    while (*cursor < maps->len)
        if (maps->items[(*cursor)++].executable)
            return &maps->items[*cursor - 1];
    return NULL;
}

bool memory_maps_same_code(const struct memory_maps *a, const struct memory_maps *b)
{
    size_t at_a = 0, at_b = 0;
    for (;;) {
        const struct memory_map *in_a = next_code(a, &at_a), *in_b = next_code(b, &at_b);
        if (!in_a || !in_b)
            return !in_a && !in_b;
        if (in_a->start != in_b->start || in_a->end != in_b->end || in_a->inode != in_b->inode ||
            in_a->device != in_b->device || in_a->offset != in_b->offset)
            return false;
    }
}

/* The vDSO is an ELF image that has no file. It is the same in all 64-bit processes, ours too. */
static int open_vdso(const struct memory_map *map, int *ret_fd)
{
    ssize_t len = (ssize_t)(map->end - map->start);
    OWNED_FD int fd = memfd_create("rsprof-vdso", MFD_CLOEXEC);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gives it as a number
    ssize_t written = fd < 0 ? -1 : write(fd, (const void *)getauxval(AT_SYSINFO_EHDR), (size_t)len);
    if (written != len)
        return written < 0 ? -errno : -EIO;
    *ret_fd = take_fd(&fd);
    return 0;
}

int memory_map_open(pid_t pid, const struct memory_map *map, int *ret_fd)
{
    if (!strcmp(map->path, "[vdso]"))
        return open_vdso(map, ret_fd);
    char name[96];
    snprintf(name, sizeof(name), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start, map->end);
    OWNED_FD int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        /* map_files wants CAP_CHECKPOINT_RESTORE: by name, then, if that is still the same file. */
        OWNED_BUF struct buf path = BUF_INIT;
        int r = buf_appendf(&path, "/proc/%d/root%s", pid, map->path);
        if (r < 0)
            return r;
        fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
            return -errno;
        if (!S_ISREG(st.st_mode) || st.st_ino != map->inode)
            return -ESTALE;
    }
    *ret_fd = take_fd(&fd);
    return 0;
}
