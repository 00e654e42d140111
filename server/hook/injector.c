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

static struct springboard_call call_memfd_create(const struct remote *remote, unsigned flags)
{
    return (struct springboard_call){SYS_memfd_create, {remote->board, MFD_CLOEXEC | flags}};
}

/* First step: the memfd, and for a new stub (`*address` 0) the memory for all of it before. */
static int make_memory(struct remote *remote, uint64_t *address, int64_t *ret_fd)
{
    const struct springboard_call calls[] = {{SYS_mmap,
                                              {0, HOOK_MAPPING_BYTES, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT64_MAX, 0}},
                                             call_memfd_create(remote, 0)};
    const struct springboard_call sealed = call_memfd_create(remote, MFD_NOEXEC_SEAL);
    size_t skip = *address ? 1 : 0;
    int64_t results[SPRINGBOARD_CALLS_MAX] = {0};
    int r = remote_call(remote, calls + skip, 2 - skip, results);
    if (!skip && results[0] > 0)
        *address = (uint64_t)results[0];
    *ret_fd = results[1 - skip];
    if (r == -EACCES) { /* sysctl vm.memfd_noexec */
        r = remote_call(remote, &sealed, 1, results);
        *ret_fd = results[0];
    }
    return r;
}

/* Between the steps: fills the target's memfd from our side, and keeps it. */
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

/* Second step: maps the code over the start of the memory. Huge pages would make a few counters cost
 * megabytes. */
static int map_code(struct remote *remote, uint64_t address, int64_t target_fd)
{
    const struct springboard_call calls[] = {
        {SYS_mmap,
         {address, HOOK_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, (uint64_t)target_fd, 0}},
        {SYS_close, {(uint64_t)target_fd}},
        {SYS_madvise, {address + HOOK_CODE_BYTES, HOOK_MAPPING_BYTES - HOOK_CODE_BYTES, MADV_NOHUGEPAGE}}};
    int64_t results[SPRINGBOARD_CALLS_MAX] = {-1, -1, -1};
    int r = remote_call(remote, calls, 3, results);
    return results[1] == 0 ? 0 : r; /* a kernel without huge pages refuses the last one */
}

static void undo(struct remote *remote, uint64_t new_address, int64_t target_fd)
{
    const struct springboard_call close_call = {SYS_close, {(uint64_t)target_fd}};
    const struct springboard_call unmap_call = {SYS_munmap, {new_address, HOOK_MAPPING_BYTES}};
    int64_t ignored[SPRINGBOARD_CALLS_MAX];
    if (target_fd >= 0)
        (void)remote_call(remote, &close_call, 1, ignored);
    if (new_address)
        (void)remote_call(remote, &unmap_call, 1, ignored);
}

static int map_stub(struct remote *remote, const struct hook_image *image, struct injection *injection)
{
    uint64_t old_address = injection->address;
    int64_t target_fd = -1;
    int r = make_memory(remote, &injection->address, &target_fd);
    if (r >= 0)
        r = fill_memfd(remote, target_fd, image, &injection->code_fd);
    if (r >= 0)
        r = map_code(remote, injection->address, target_fd);
    if (r < 0)
        undo(remote, old_address ? 0 : injection->address, target_fd);
    return r;
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
    r = map_stub(&remote, job->image, &job->injection);
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
