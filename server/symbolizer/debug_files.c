#include "symbolizer/debug_files.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEBUG_FOLDER "/usr/lib/debug"

/* The target's root folder, and whose rights count there. */
struct place {
    int root;
    uid_t uid;
    gid_t gid;
};

static int open_place(pid_t pid, struct place *ret_place)
{
    struct place place;
    struct stat st;
    char path[64];
    if (pid)
        snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
    else
        snprintf(path, sizeof(path), "/");
    place.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place.root < 0)
        return -errno;
    snprintf(path, sizeof(path), "/proc/%d", (int)(pid ? pid : getpid()));
    if (stat(path, &st) < 0) {
        int r = -errno;
        close(place.root);
        return r;
    }
    place.uid = st.st_uid;
    place.gid = st.st_gid;
    *ret_place = place;
    return 0;
}

/* Symbolic links, absolute ones too, stay inside the root. */
static int open_in_root(const struct place *place, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    struct stat st;
    OWNED_FD int fd = (int)syscall(SYS_openat2, place->root, path, &how, sizeof(how));
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? take_fd(&fd) : -EINVAL;
}

/* As the target's owner would: only root can and needs to step down; for others the calls change nothing. */
static int open_as_owner(const struct place *place, const char *path)
{
    gid_t gid = (gid_t)setfsgid(place->gid);
    uid_t uid = (uid_t)setfsuid(place->uid);
    int fd = open_in_root(place, path);
    setfsuid(uid);
    setfsgid(gid);
    return fd;
}

static int try_path(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int try_path(const struct place *place, const char *format, ...)
{
    char path[PATH_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    return len < 0 || len >= (int)sizeof(path) ? -ENAMETOOLONG : open_as_owner(place, path);
}

static int find_by_build_id(const struct place *place, const char *hex)
{
    size_t len = strlen(hex);
    if (len < 4 || strspn(hex, "0123456789abcdef") != len)
        return -EINVAL;
    return try_path(place, DEBUG_FOLDER "/.build-id/%.2s/%s.debug", hex, hex + 2);
}

/* Where gdb looks: beside the file, in .debug beside it, and under the global folder. */
static int find_by_link(const struct place *place, const char *exe, const char *name)
{
    const char *slash = strrchr(exe, '/');
    int folder_len = slash ? (int)(slash - exe) : 0;
    if (strchr(name, '/') || !*name)
        return -EINVAL;
    int fd = try_path(place, "%.*s/%s", folder_len, exe, name);
    if (fd < 0)
        fd = try_path(place, "%.*s/.debug/%s", folder_len, exe, name);
    if (fd < 0)
        fd = try_path(place, DEBUG_FOLDER "%.*s/%s", folder_len, exe, name);
    return fd;
}

/* A supplementary file stands beside the separate debug file, most often as "../../.dwz/…" from
 * /usr/lib/debug/.build-id/xx. */
static int find_supplement(const struct place *place, const char *exe, const char *name)
{
    if (name[0] == '/')
        return try_path(place, "%s", name);
    const char *slash = strrchr(exe, '/');
    int fd = try_path(place, DEBUG_FOLDER "/.build-id/xx/%s", name);
    return fd >= 0 ? fd : try_path(place, "%.*s/%s", slash ? (int)(slash - exe) : 0, exe, name);
}

static int find_in(const struct place *place, const char *exe, enum module_file_kind kind, const char *name)
{
    switch (kind) {
    case MODULE_FILE_BUILD_ID:
        return find_by_build_id(place, name);
    case MODULE_FILE_DEBUGLINK:
        return find_by_link(place, exe, name);
    case MODULE_FILE_ALTLINK:
        return find_supplement(place, exe, name);
    case MODULE_FILE_DWO:
        return name[0] == '/' ? try_path(place, "%s", name) : -EINVAL;
    case MODULE_FILE_DWP:
        return try_path(place, "%s.dwp", exe);
    }
    return -EINVAL;
}

int debug_file_find(void *userdata, enum module_file_kind kind, const char *name)
{
    const struct debug_file_places *places = userdata;
    OWNED_MEM char *absolute = places->pid ? strdup(places->exe) : realpath(places->exe, NULL);
    struct place place = {.root = -1};
    if (!absolute)
        return -errno;
    int r = open_place(places->pid, &place);
    if (r < 0)
        return r;
    r = find_in(&place, absolute, kind, name);
    close(place.root);
    return r;
}
