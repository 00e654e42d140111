#include "hook/injector.h"

#include "base/cleanup.h"
#include "hook/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

/* Where the memfd's name stands in the target while it is made: in the header's page, behind the header. */
#define NAME_OFFSET (HOOK_CODE_BYTES + 0xfe0)
_Static_assert(sizeof(struct hook_header) <= 0xfe0 && sizeof(HOOK_MEMFD_NAME) <= 0x20, "room for the name");

struct job {
    pid_t pid;
    int mem_fd;
    const struct hook_image *image;
    struct injection injection;
    int result;
};

/* ---- stubs that are there already ---- */

static bool map_is_stub(const struct memory_map *map)
{
    return map->executable && map->offset == 0 && !strcmp(map->path, "/memfd:" HOOK_MEMFD_NAME);
}

static int stub_header(const struct memory_map *map, int mem_fd, struct hook_header *ret_header)
{
    struct hook_header header;
    int r = remote_read(mem_fd, map->end, &header, sizeof(header));
    if (r < 0)
        return r;
    if (header.magic != HOOK_MAGIC || header.code_bytes != map->end - map->start)
        return -EBADMSG;
    *ret_header = header;
    return 0;
}

int injector_see_through(const struct memory_maps *maps, int mem_fd, uint64_t word, uint64_t *ret_real)
{
    for (size_t i = 0; i < maps->len; i++) {
        const struct memory_map *map = &maps->items[i];
        struct hook_header header;
        if (word < map->start || word >= map->end)
            continue;
        if (!map_is_stub(map) || stub_header(map, mem_fd, &header) < 0)
            return -ENOENT;
        for (size_t f = 0; f < HOOK_FUNCTION_MAX; f++) {
            if (header.entry[f] == word && header.real[f]) {
                *ret_real = header.real[f];
                return 0;
            }
        }
    }
    return -ENOENT;
}

static uint64_t find_reusable(const struct memory_maps *maps, int mem_fd, uint64_t build)
{
    for (size_t i = 0; i < maps->len; i++) {
        struct hook_header header;
        if (map_is_stub(&maps->items[i]) && stub_header(&maps->items[i], mem_fd, &header) == 0 &&
            header.abi_version == HOOK_ABI_VERSION && header.build == build)
            return maps->items[i].start;
    }
    return 0;
}

/* ---- one thread's work ---- */

static int call(struct remote *remote, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                uint64_t e, uint64_t f, int64_t *ret_result)
{
    const uint64_t args[6] = {a, b, c, d, e, f};
    int64_t result;
    int r = remote_syscall(remote, number, args, &result);
    if (r < 0)
        return r;
    if (result < 0)
        return (int)result;
    *ret_result = result;
    return 0;
}

static int make_memfd(struct remote *remote, uint64_t name, int64_t *ret_fd)
{
    int r = call(remote, SYS_memfd_create, name, MFD_CLOEXEC | MFD_NOEXEC_SEAL, 0, 0, 0, 0, ret_fd);
    if (r == -EINVAL) /* before Linux 6.3 */
        r = call(remote, SYS_memfd_create, name, MFD_CLOEXEC, 0, 0, 0, 0, ret_fd);
    return r;
}

/* Fills the target's memfd from our side, and keeps it. */
static int fill_memfd(const struct remote *remote, int64_t target_fd, const struct hook_image *image,
                      int *ret_fd)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/fd/%d", remote->tid, (int)target_fd);
    OWNED_FD int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, HOOK_CODE_BYTES) < 0)
        return -errno;
    ssize_t n = pwrite(fd, image->bytes, image->len, 0);
    if (n < 0)
        return -errno;
    if ((size_t)n != image->len)
        return -EIO;
    *ret_fd = take_fd(&fd);
    return 0;
}

/* Maps the code at `address` from a memfd of the target, which is closed again. */
static int map_code(struct remote *remote, uint64_t address, const struct hook_image *image, int *ret_fd)
{
    int64_t target_fd = -1, ignored;
    OWNED_FD int fd = -1;
    int r = remote_write(remote->mem_fd, address + NAME_OFFSET, HOOK_MEMFD_NAME, sizeof(HOOK_MEMFD_NAME));
    if (r < 0)
        return r;
    r = make_memfd(remote, address + NAME_OFFSET, &target_fd);
    if (r < 0)
        return r;
    r = fill_memfd(remote, target_fd, image, &fd);
    if (r >= 0)
        r = call(remote, SYS_mmap, address, HOOK_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
                 (uint64_t)target_fd, 0, &ignored);
    int closed = call(remote, SYS_close, (uint64_t)target_fd, 0, 0, 0, 0, 0, &ignored);
    if (r < 0 || closed < 0)
        return r < 0 ? r : closed;
    *ret_fd = take_fd(&fd);
    return 0;
}

/* A new stub: memory for all of it first, then the code over its start. */
static int map_new(struct remote *remote, const struct hook_image *image, struct injection *injection)
{
    int64_t address = 0, ignored;
    int r = call(remote, SYS_mmap, 0, HOOK_MAPPING_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT64_MAX, 0, &address);
    if (r < 0)
        return r;
    (void)call(remote, SYS_madvise, (uint64_t)address, HOOK_MAPPING_BYTES, MADV_NOHUGEPAGE, 0, 0, 0,
               &ignored);
    r = map_code(remote, (uint64_t)address, image, &injection->code_fd);
    if (r < 0) {
        (void)call(remote, SYS_munmap, (uint64_t)address, HOOK_MAPPING_BYTES, 0, 0, 0, 0, &ignored);
        return r;
    }
    injection->address = (uint64_t)address;
    return 0;
}

/* Whether the target filters its system calls: then ours could be refused, or answered by a signal that
 * kills. */
static int check_seccomp(pid_t pid)
{
    char name[64], line[256];
    int mode = 0;
    snprintf(name, sizeof(name), "/proc/%d/status", pid);
    OWNED_FILE FILE *file = fopen(name, "re");
    if (!file)
        return errno == ENOENT ? -ESRCH : -errno;
    while (fgets(line, sizeof(line), file))
        (void)sscanf(line, "Seccomp: %d", &mode);
    return mode ? -EPERM : 0;
}

static int job_run(struct job *job)
{
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    struct remote remote;
    int r = check_seccomp(job->pid);
    if (r < 0)
        return r;
    r = memory_maps_read(job->pid, &maps);
    if (r < 0)
        return r;
    job->injection.address = find_reusable(&maps, job->mem_fd, job->image->build);
    job->injection.reused = job->injection.address != 0;
    r = remote_stop(job->pid, &maps, job->mem_fd, &remote);
    if (r < 0)
        return r;
    if (job->injection.reused)
        r = map_code(&remote, job->injection.address, job->image, &job->injection.code_fd);
    else
        r = map_new(&remote, job->image, &job->injection);
    int released = remote_release(&remote, &job->injection.stop_ns);
    return r < 0 ? r : released;
}

static void *job_thread(void *userdata)
{
    struct job *job = userdata;
    job->result = job_run(job);
    return NULL;
}

/* On a thread of its own: whatever goes wrong with the target, its end makes the kernel let go. */
int injector_map(pid_t pid, int mem_fd, const struct hook_image *image, struct injection *ret_injection)
{
    struct job job = {.pid = pid, .mem_fd = mem_fd, .image = image, .injection.code_fd = -1};
    pthread_t thread;
    int r = pthread_create(&thread, NULL, job_thread, &job);
    if (r)
        return -r;
    pthread_join(thread, NULL);
    if (job.result < 0) {
        cleanup_fd(&job.injection.code_fd);
        return job.result;
    }
    *ret_injection = job.injection;
    return 0;
}
