#include "hook/injector.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "hook/remote.h"

#include <errno.h>
#include <fcntl.h>
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
    struct memory_maps maps;
    struct injection injection;
    uint64_t near; /* what the stub is to be in reach of; 0: nothing */
    bool made;     /* memory, in this job */
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

bool injector_is_stub(const struct memory_maps *maps, uint64_t address)
{
    for (size_t i = 0; i < maps->len; i++)
        if (address >= maps->items[i].start && address < maps->items[i].end)
            return map_is_stub(&maps->items[i]);
    return false;
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

/* A jump's reach is 2 GiB, and so is that of the instructions that are moved: half of it is left to them. */
#define REACH_BYTES (1ull << 30)

static bool in_reach(uint64_t address, uint64_t near)
{
    return !near || (address > near ? address - near : near - address) <= REACH_BYTES;
}

static uint64_t find_reusable(const struct memory_maps *maps, int mem_fd, uint64_t build, uint64_t near)
{
    for (size_t i = 0; i < maps->len; i++) {
        struct hook_header header;
        if (map_is_stub(&maps->items[i]) && stub_header(&maps->items[i], mem_fd, &header) == 0 &&
            header.abi_version == HOOK_ABI_VERSION && header.build == build &&
            in_reach(maps->items[i].start, near))
            return maps->items[i].start;
    }
    return 0;
}

/* ---- one thread's work ---- */

/* Where the kernel's answers go: to one of some places in the header's page, behind the header. Another one
 * each time, as a thread may still be on the errand of an rsprof that was killed. */
enum { RESULTS_OFFSET = 0x800, RESULTS_PLACES = 0x800 / sizeof(struct springboard_results) };
_Static_assert(sizeof(struct hook_header) <= RESULTS_OFFSET, "room for the results");

static int run(struct job *job, struct springboard_plan *plan, struct springboard_results *ret_results)
{
    plan->cookie = clock_now_ns();
    plan->results = job->injection.address + HOOK_CODE_BYTES + RESULTS_OFFSET +
                    plan->cookie / 64 % RESULTS_PLACES * sizeof(struct springboard_results);
    if (!plan->makes_memory) {
        const struct springboard_results none = {0};
        int r = remote_write(job->mem_fd, plan->results, &none, sizeof(none));
        if (r < 0)
            return r;
    }
    return remote_run(job->pid, job->mem_fd, &job->maps, plan, ret_results, &job->injection.stop_ns);
}

/* First errand: makes the memfd, whose name stands at the springboard's start, and before it the memory of a
 * new stub. */
static int make_memory(struct job *job, int64_t *ret_fd)
{
    struct springboard_plan plan = {.makes_memory = !job->injection.reused};
    struct springboard_results results = {.answers = {-1, -1, -1}};
    if (plan.makes_memory)
        plan.calls[plan.count++] = (struct springboard_call){
            SYS_mmap,
            {job->injection.address, HOOK_MAPPING_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, UINT64_MAX, 0}};
    plan.calls[plan.count++] = (struct springboard_call){SYS_memfd_create, {SPRINGBOARD_NAME, MFD_CLOEXEC}};
    int r = run(job, &plan, &results);
    job->made = plan.makes_memory && results.answers[0] == (int64_t)job->injection.address;
    if (r == -EACCES) { /* sysctl vm.memfd_noexec */
        plan = (struct springboard_plan){
            .calls = {{SYS_memfd_create, {SPRINGBOARD_NAME, MFD_CLOEXEC | MFD_NOEXEC_SEAL}}}, .count = 1};
        r = run(job, &plan, &results);
    }
    if (r >= 0)
        *ret_fd = results.answers[plan.count - 1];
    return r;
}

static int write_file(int fd, const void *bytes, size_t len, off_t offset)
{
    ssize_t n = pwrite(fd, bytes, len, offset);
    return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

/* Those of a stub taken over are in use. */
static int keep_trampolines(const struct job *job, int fd)
{
    uint8_t page[HOOK_CODE_BYTES - HOOK_OFFSET_TRAMPOLINES];
    if (!job->injection.reused)
        return 0;
    int r = remote_read(job->mem_fd, job->injection.address + HOOK_OFFSET_TRAMPOLINES, page, sizeof(page));
    return r < 0 ? r : write_file(fd, page, sizeof(page), HOOK_OFFSET_TRAMPOLINES);
}

/* Fills the target's memfd from our side, and keeps it. */
static int fill_memfd(struct job *job, int64_t target_fd)
{
    static const char link[] = "/memfd:" HOOK_MEMFD_NAME;
    char name[64], seen[sizeof(link)];
    snprintf(name, sizeof(name), "/proc/%d/fd/%d", job->pid, (int)target_fd);
    if (readlink(name, seen, sizeof(seen)) < (ssize_t)sizeof(seen) || memcmp(seen, link, sizeof(link) - 1))
        return -EBADF; /* the target closed what it did not open */
    OWNED_FD int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, HOOK_CODE_BYTES) < 0)
        return -errno;
    int r = write_file(fd, job->image->bytes, job->image->len, 0);
    if (r == 0)
        r = keep_trampolines(job, fd);
    if (r < 0)
        return r;
    job->injection.code_fd = take_fd(&fd);
    return 0;
}

/* Second errand: maps the code over the start of the memory. Huge pages would make a few counters cost
 * megabytes; a kernel that does not have them refuses to hear of it. */
static int map_code(struct job *job, int64_t *target_fd)
{
    uint64_t address = job->injection.address;
    struct springboard_plan plan = {
        .calls = {{SYS_mmap,
                   {address, HOOK_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
                    (uint64_t)*target_fd, 0}},
                  {SYS_close, {(uint64_t)*target_fd}},
                  {SYS_madvise,
                   {address + HOOK_CODE_BYTES, HOOK_MAPPING_BYTES - HOOK_CODE_BYTES, MADV_NOHUGEPAGE}}},
        .count = 3};
    struct springboard_results results = {.answers = {-1, -1, -1}};
    int r = run(job, &plan, &results);
    if (results.answers[0] == (int64_t)address)
        *target_fd = -1; /* closed */
    return r == results.answers[2] ? 0 : r;
}

/* What was made and cannot be used goes again; unless a thread is still on its way and could need it. */
static void undo(struct job *job, int error, int64_t target_fd)
{
    if (error == -EIO)
        return;
    struct springboard_plan plan = {0};
    struct springboard_results ignored;
    if (target_fd >= 0 && error != -EBADF)
        plan.calls[plan.count++] = (struct springboard_call){SYS_close, {(uint64_t)target_fd}};
    if (job->made)
        plan.calls[plan.count++] =
            (struct springboard_call){SYS_munmap, {job->injection.address, HOOK_MAPPING_BYTES}};
    if (plan.count)
        (void)remote_run(job->pid, job->mem_fd, &job->maps, &plan, &ignored, &job->injection.stop_ns);
}

/* An address that nothing is mapped at: in the widest gap, a gigabyte below its end, where the kernel rarely
 * comes. Near something, the part of the gaps that is in reach counts. */
static int find_gap(const struct memory_maps *maps, uint64_t near, uint64_t *ret_address)
{
    const uint64_t distance = 1 << 30, top = 0x7ffffffff000, bottom = 1 << 20;
    const uint64_t lowest = near > bottom + REACH_BYTES ? near - REACH_BYTES : bottom,
                   highest = near && near + REACH_BYTES < top ? near + REACH_BYTES : top;
    uint64_t widest = HOOK_MAPPING_BYTES * 4, end = 0;
    for (size_t i = 0; i < maps->len; i++) {
        uint64_t low = i ? maps->items[i - 1].end : bottom, high = maps->items[i].start;
        low = low > lowest ? low : lowest;
        high = high < highest ? high : highest;
        if (high > low && high - low > widest) {
            widest = high - low;
            end = high;
        }
    }
    if (!end)
        return -ENOMEM;
    uint64_t back = widest / 2 < distance ? widest / 2 : distance,
             room = widest / 4 < distance ? widest / 4 : distance;
    *ret_address = (end - back - clock_now_ns() / 64 % room) & ~0xfffull;
    return 0;
}

static int find_place(struct job *job, uint64_t near)
{
    job->injection.address = find_reusable(&job->maps, job->mem_fd, job->image->build, near);
    job->injection.reused = job->injection.address != 0;
    return job->injection.reused ? 0 : find_gap(&job->maps, near, &job->injection.address);
}

static int job_run(void *userdata)
{
    struct job *job = userdata;
    int64_t target_fd = -1;
    int r = memory_maps_read(job->pid, &job->maps);
    if (r < 0)
        return r;
    r = find_place(job, job->near);
    if (r == -ENOMEM && job->near)
        r = find_place(job, 0);
    if (r >= 0)
        r = make_memory(job, &target_fd);
    if (r >= 0)
        r = fill_memfd(job, target_fd);
    if (r >= 0)
        r = map_code(job, &target_fd);
    if (r < 0)
        undo(job, r, target_fd);
    return r;
}

int injector_map(pid_t pid, int mem_fd, const struct hook_image *image, uint64_t near,
                 struct injection *ret_injection)
{
    struct job job = {.pid = pid, .mem_fd = mem_fd, .image = image, .near = near, .injection.code_fd = -1};
    int r = remote_on_thread(job_run, &job);
    memory_maps_release(&job.maps);
    if (r < 0) {
        cleanup_fd(&job.injection.code_fd);
        return r;
    }
    *ret_injection = job.injection;
    return 0;
}
