#include "hook/hook.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "base/vec.h"
#include "hook/image.h"
#include "hook/injector.h"
#include "hook/rate.h"
#include "hook/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>

#define QUOTA_DEFAULT 1024
#define GRANT_DEFAULT 16384

struct installed_slot {
    uint64_t address;
    uint64_t original; /* what to put back */
    enum hook_function function;
};

struct hook {
    pid_t pid;
    int lock_fd; /* /proc/PID, locked: says that the process is taken */
    int mem_fd;
    int code_fd;
    uint64_t address;
    uint64_t stop_ns;
    struct hook_image image;
    struct patches patches;
    VEC(struct installed_slot) slots;
    struct map slot_addresses; /* of `slots` */
    size_t changed, other;
    struct hook_header header; /* as last read; `real` and what rsprof writes are always true */
    struct hook_site sites[HOOK_SITES];
    uint64_t rates[HOOK_SITES];
};

#define HEADER_OFFSET(field) (HOOK_CODE_BYTES + offsetof(struct hook_header, field))

static int write_field(struct hook *hook, size_t offset, const void *bytes, size_t len)
{
    return remote_write(hook->mem_fd, hook->address + offset, bytes, len);
}

#define write_header(hook, field)                                                                            \
    write_field((hook), HEADER_OFFSET(field), &(hook)->header.field, sizeof((hook)->header.field))

/* ---- life ---- */

/* The lock of a process is one on its directory in /proc: the kernel's, and gone with whoever held it. */
static int lock_process(pid_t pid, int *ret_fd)
{
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d", pid);
    OWNED_FD int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    *ret_fd = take_fd(&fd);
    return 0;
}

/* A stub taken over knows stacks as they were numbered in an earlier attachment. */
static int clear_known_stacks(struct hook *hook)
{
    const size_t first = offsetof(struct hook_data, rules), len = sizeof(struct hook_data) - first;
    OWNED_MEM uint8_t *zeros = calloc(1, len);
    return zeros ? write_field(hook, HOOK_CODE_BYTES + first, zeros, len) : -ENOMEM;
}

/* Writes who we are and what the stub needs, with sampling off. The counts of a stub taken over start anew;
 * its set of blocks stays, marked as another attachment's. */
static int prepare_header(struct hook *hook, bool reused)
{
    struct hook_header *header = &hook->header;
    if (reused) {
        int r = remote_read(hook->mem_fd, hook->address + HOOK_CODE_BYTES, header, sizeof(*header));
        if (r < 0)
            return r;
    }
    header->magic = HOOK_MAGIC;
    header->abi_version = HOOK_ABI_VERSION;
    header->function_count = HOOK_FUNCTION_COUNT;
    header->build = hook->image.build;
    header->code_bytes = HOOK_CODE_BYTES;
    for (size_t i = 0; i < HOOK_FUNCTION_COUNT; i++)
        header->entry[i] = hook->address + hook->image.entries[i];
    header->enabled = 0;
    header->attachment++;
    header->quota = QUOTA_DEFAULT;
    header->grant = GRANT_DEFAULT;
    header->trap_price = 1;
    header->counters = (struct hook_counters){0};
    if (getrandom(&header->seed, sizeof(header->seed), GRND_NONBLOCK) < 0)
        header->seed = hook->address; /* still another one for each process */
    int r = write_field(hook, HOOK_CODE_BYTES, header, sizeof(*header));
    if (r >= 0)
        r = write_field(hook, HOOK_CODE_BYTES + offsetof(struct hook_data, sites), hook->sites,
                        sizeof(hook->sites));
    if (r >= 0)
        r = hook_set_rates(hook, hook->rates);
    return r >= 0 && reused ? clear_known_stacks(hook) : r;
}

int hook_new(pid_t pid, uint64_t near, struct hook **ret_hook)
{
    struct injection injection = {.code_fd = -1};
    struct hook *hook = calloc(1, sizeof(*hook));
    if (!hook)
        return -ENOMEM;
    hook->pid = pid;
    hook->image = hook_image();
    hook->lock_fd = hook->mem_fd = hook->code_fd = -1;
    int r = lock_process(pid, &hook->lock_fd);
    if (r >= 0)
        r = remote_open_memory(pid, &hook->mem_fd);
    if (r >= 0)
        r = injector_map(pid, hook->mem_fd, &hook->image, near, &injection);
    if (r >= 0) {
        hook->code_fd = injection.code_fd;
        hook->address = injection.address;
        hook->stop_ns = injection.stop_ns;
        r = prepare_header(hook, injection.reused);
    }
    if (r < 0) {
        hook_free(hook);
        return r;
    }
    *ret_hook = hook;
    return 0;
}

/* Words that no longer hold our entry are somebody else's by now. */
static void restore_slots(struct hook *hook)
{
    for (size_t i = 0; i < hook->slots.len; i++) {
        const struct installed_slot *slot = &hook->slots.items[i];
        uint64_t word;
        if (remote_read(hook->mem_fd, slot->address, &word, sizeof(word)) == 0 &&
            word == hook->header.entry[slot->function])
            (void)remote_write_word(hook->mem_fd, slot->address, slot->original);
    }
}

void hook_free(struct hook *hook)
{
    if (!hook)
        return;
    if (hook->address) {
        hook->header.enabled = 0;
        (void)write_header(hook, enabled);
        restore_slots(hook);
        (void)patches_undo(&hook->patches, hook->pid, hook->mem_fd);
        memset(hook->rates, 0, sizeof(hook->rates));
        (void)hook_set_rates(hook, hook->rates);
    }
    patches_release(&hook->patches);
    vec_release(&hook->slots);
    map_release(&hook->slot_addresses);
    cleanup_fd(&hook->code_fd);
    cleanup_fd(&hook->mem_fd);
    cleanup_fd(&hook->lock_fd);
    free(hook);
}

struct hook_probe_sites hook_probe_sites(const struct hook *hook)
{
    return (struct hook_probe_sites){hook->code_fd, hook->image.site_alloc, hook->image.site_free};
}

uint64_t hook_stop_ns(const struct hook *hook)
{
    return hook->stop_ns + hook->patches.stop_ns;
}

uint64_t hook_address(const struct hook *hook)
{
    return hook->address;
}

static int enable(struct hook *hook)
{
    if (hook->header.enabled)
        return 0;
    hook->header.enabled = 1;
    return write_header(hook, enabled);
}

/* ---- patches ---- */

/* The stub knows the functions behind the jumps before there are any. */
static int tell_patched(struct hook *hook)
{
    int r = 0;
    for (size_t i = 0; i < hook->patches.items.len && r >= 0; i++) {
        const struct patch *patch = &hook->patches.items.items[i];
        uint64_t *real = &hook->header.real[patch->function];
        if (*real && *real != patch->address && *real != patch->trampoline)
            return -EEXIST;
        *real = patch->trampoline;
        r = write_header(hook, real[patch->function]);
    }
    return r;
}

int hook_patch(struct hook *hook, const struct hook_patch *patches, size_t count)
{
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    int r = memory_maps_read(hook->pid, &maps);
    if (r >= 0)
        r = patches_prepare(&hook->patches, hook->mem_fd, &maps, hook->address, &hook->image, patches, count);
    if (r >= 0)
        r = tell_patched(hook);
    if (r >= 0)
        r = enable(hook);
    if (r >= 0)
        r = patches_apply(&hook->patches, hook->pid, hook->mem_fd);
    return r;
}

/* ---- slots ---- */

/* Swaps one word, after the stub knows the function behind it. */
static int install_slot(struct hook *hook, const struct memory_maps *maps, const struct hook_slot *slot)
{
    uint64_t word, known, real = slot->value, entry = hook->header.entry[slot->function];
    if (map_get(&hook->slot_addresses, slot->address, &known) == 0 && slot->value == entry)
        return 0; /* swapped already */
    int r = remote_read(hook->mem_fd, slot->address, &word, sizeof(word));
    if (r < 0 || word != slot->value) {
        hook->changed++;
        return r == -ESRCH ? r : 0;
    }
    while (injector_see_through(maps, hook->mem_fd, real, &real) == 0)
        ;
    if (patches_find(&hook->patches, real))
        return 0; /* calls come to the stub all the same */
    if (!hook->header.real[slot->function]) {
        hook->header.real[slot->function] = real;
        r = write_header(hook, real[slot->function]);
        if (r < 0)
            return r;
    }
    if (hook->header.real[slot->function] != real) {
        hook->other++;
        return 0;
    }
    r = map_put(&hook->slot_addresses, slot->address, slot->function);
    struct installed_slot *installed = r < 0 ? NULL : vec_push(&hook->slots);
    if (!installed)
        return -ENOMEM;
    *installed = (struct installed_slot){slot->address, real, slot->function};
    return word == entry ? 0 : remote_write_word(hook->mem_fd, slot->address, entry);
}

int hook_install(struct hook *hook, const struct hook_slot *slots, size_t count,
                 struct hook_installed *ret_installed)
{
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    int r = memory_maps_read(hook->pid, &maps);
    hook->changed = hook->other = 0;
    if (r >= 0)
        r = enable(hook);
    for (size_t i = 0; i < count && r >= 0; i++)
        r = install_slot(hook, &maps, &slots[i]);
    if (r < 0)
        return r;
    *ret_installed = (struct hook_installed){hook->slots.len, hook->changed, hook->other};
    return 0;
}

/* ---- each tick ---- */

int hook_set_rates(struct hook *hook, const uint64_t *rates)
{
    if (rates != hook->rates)
        memcpy(hook->rates, rates, sizeof(hook->rates));
    return write_field(hook, HOOK_CODE_BYTES + offsetof(struct hook_data, rates), hook->rates,
                       sizeof(hook->rates));
}

int hook_set_interval(struct hook *hook, uint64_t interval_bytes)
{
    uint64_t rate = rate_of_interval((double)interval_bytes);
    for (size_t i = 0; i < HOOK_SITES; i++)
        hook->rates[i] = rate;
    return hook_set_rates(hook, hook->rates);
}

int hook_set_site_rate(struct hook *hook, uint32_t site, uint64_t rate)
{
    hook->rates[site] = rate;
    return write_field(hook, HOOK_CODE_BYTES + offsetof(struct hook_data, rates) + site * sizeof(rate), &rate,
                       sizeof(rate));
}

int hook_set_limits(struct hook *hook, const struct hook_limits *limits)
{
    hook->header.quota = limits->quota;
    hook->header.grant = limits->grant;
    hook->header.trap_price = limits->trap_price;
    int r = write_header(hook, quota);
    if (r >= 0)
        r = write_header(hook, grant);
    return r < 0 ? r : write_header(hook, trap_price);
}

int hook_heartbeat(struct hook *hook)
{
    hook->header.epoch++;
    return write_header(hook, epoch);
}

int hook_read(struct hook *hook, struct hook_state *ret_state)
{
    const uint64_t data = hook->address + HOOK_CODE_BYTES;
    int r = remote_read(hook->mem_fd, data, &hook->header, sizeof(hook->header));
    if (r >= 0)
        r = remote_read(hook->mem_fd, data + offsetof(struct hook_data, rates), hook->rates,
                        sizeof(hook->rates));
    if (r >= 0)
        r = remote_read(hook->mem_fd, data + offsetof(struct hook_data, sites), hook->sites,
                        sizeof(hook->sites));
    if (r < 0)
        return r;
    *ret_state = (struct hook_state){&hook->header, hook->sites, hook->rates};
    return 0;
}
