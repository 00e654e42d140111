#include "hook/patches.h"

#include "base/clock.h"
#include "hook/injector.h"
#include "hook/remote.h"
#include "hook/standstill.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define PAGE_REST 4095u /* of an address, in its page */

/* ---- what to patch ---- */

int hook_patches_add(struct hook_patches *patches, uint64_t bias, const struct hook_definition *functions,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!functions[i].direct)
            continue;
        if (!functions[i].prologue.len)
            return -ENOEXEC;
        struct hook_patch *patch = vec_push(patches);
        if (!patch)
            return -ENOMEM;
        *patch = (struct hook_patch){bias + functions[i].address, (enum hook_function)functions[i].function,
                                     functions[i].prologue};
    }
    return 0;
}

void hook_patches_release(struct hook_patches *patches)
{
    vec_release(patches);
}

/* ---- one patch ---- */

/* Whether the stub's jumps lead to the door for calls that may be made of others. */
static bool may_call_others(enum hook_function function)
{
#define SHAPE_(id, shape, names) HOOK_SHAPE_##shape,
    static const enum hook_shape shapes[] = {HOOK_FUNCTIONS(SHAPE_)};
#undef SHAPE_
    return shapes[function] != HOOK_SHAPE_ALLOC && shapes[function] != HOOK_SHAPE_FREE;
}

/* What stands there must be the original, or a jump into a stub in front of its rest. */
static int check_code(int mem_fd, const struct memory_maps *maps, struct patch *patch)
{
    const struct prologue *prologue = &patch->prologue;
    uint8_t code[PROLOGUE_BYTES_MAX];
    int32_t distance;
    int r = remote_read(mem_fd, patch->address, code, prologue->len);
    if (r < 0)
        return r;
    memcpy(patch->before, code, sizeof(patch->before));
    if (!memcmp(code, prologue->original, prologue->len))
        return 0;
    memcpy(&distance, code + 1, sizeof(distance));
    bool ours = code[0] == patch->jump[0] &&
                injector_is_stub(maps, patch->address + sizeof(patch->jump) + (uint64_t)(int64_t)distance) &&
                !memcmp(code + sizeof(patch->jump), prologue->original + sizeof(patch->jump),
                        prologue->len - sizeof(patch->jump));
    return ours ? 0 : -EBUSY;
}

/* One that is there already is left as it is: it is the same, or another function's. */
static int write_trampoline(int mem_fd, const struct patch *patch)
{
    static const uint8_t none[PROLOGUE_MOVED_MAX];
    uint8_t code[PROLOGUE_MOVED_MAX], there[PROLOGUE_MOVED_MAX] = {0};
    int r = prologue_move(&patch->prologue, patch->address, patch->trampoline, code);
    if (r >= 0)
        r = remote_read(mem_fd, patch->trampoline, there, sizeof(there));
    if (r < 0 || !memcmp(there, code, sizeof(there)))
        return r;
    return memcmp(there, none, sizeof(there)) ? -EEXIST
                                              : remote_write(mem_fd, patch->trampoline, code, sizeof(code));
}

static int prepare(int mem_fd, const struct memory_maps *maps, uint64_t stub, const struct hook_image *image,
                   const struct hook_patch *wanted, struct patch *ret_patch)
{
    struct patch patch = {
        .address = wanted->address,
        .trampoline = stub + HOOK_OFFSET_TRAMPOLINES + wanted->function * HOOK_TRAMPOLINE_BYTES,
        .function = wanted->function,
        .prologue = wanted->prologue,
    };
    const uint32_t *doors = may_call_others(wanted->function) ? image->outer_entries : image->entries;
    if ((patch.address & PAGE_REST) + sizeof(patch.jump) > PAGE_REST + 1)
        return -ENOTSUP;
    int r = prologue_jump(patch.address, stub + doors[wanted->function], patch.jump);
    if (r >= 0)
        r = check_code(mem_fd, maps, &patch);
    if (r >= 0)
        r = write_trampoline(mem_fd, &patch);
    if (r >= 0)
        *ret_patch = patch;
    return r;
}

static struct patch *find(const struct patches *patches, uint64_t address)
{
    for (size_t i = 0; i < patches->items.len; i++)
        if (patches->items.items[i].address == address)
            return &patches->items.items[i];
    return NULL;
}

const struct patch *patches_find(const struct patches *patches, uint64_t address)
{
    return find(patches, address);
}

int patches_prepare(struct patches *patches, int mem_fd, const struct memory_maps *maps, uint64_t stub,
                    const struct hook_image *image, const struct hook_patch *wanted, size_t count)
{
    size_t before = patches->items.len;
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        struct patch patch;
        r = prepare(mem_fd, maps, stub, image, &wanted[i], &patch);
        if (r < 0)
            break;
        struct patch *place = find(patches, wanted[i].address);
        if (!place)
            place = vec_push(&patches->items);
        if (place)
            *place = patch;
        else
            r = -ENOMEM;
    }
    if (r < 0)
        patches->items.len = before;
    return r;
}

void patches_release(struct patches *patches)
{
    vec_release(&patches->items);
}

/* ---- all threads stopped ---- */

struct change {
    struct patches *patches;
    pid_t pid;
    int mem_fd;
    uint64_t timeout_ns;
};

/* The patch whose jump will cover this address, but for its start, or NULL. */
static const struct patch *covering(const struct patches *patches, uint64_t address)
{
    for (size_t i = 0; i < patches->items.len; i++)
        if (address - patches->items.items[i].address - 1 < PROLOGUE_JUMP_BYTES - 1)
            return &patches->items.items[i];
    return NULL;
}

/* Whether a handler runs on this stack that will return into code that will be covered. */
static bool stack_leads_back(const struct change *change, uint64_t stack)
{
    enum { LOOK_BYTES = 32 << 10, PIECE_BYTES = 4096 };
    uint64_t words[PIECE_BYTES / sizeof(uint64_t)];
    for (uint64_t at = stack & ~7ull, end = at + LOOK_BYTES; at < end;) {
        size_t len = PIECE_BYTES - (at & PAGE_REST);
        if (remote_read(change->mem_fd, at, words, len) < 0)
            return false; /* the stack ends here */
        for (size_t i = 0; i < len / sizeof(words[0]); i++)
            if (covering(change->patches, words[i]))
                return true;
        at += len;
    }
    return false;
}

/* Sees that no thread will find itself in the middle of a jump. */
static int move_on(const struct change *change, pid_t tid)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0)
        return errno == ESRCH ? 0 : -errno; /* killed */
    const struct patch *patch = covering(change->patches, regs.rip);
    if (stack_leads_back(change, regs.rsp))
        return -EAGAIN;
    if (!patch)
        return 0;
    uint8_t position = patch->prologue.positions[regs.rip - patch->address];
    if (position == PROLOGUE_NO_POSITION)
        return -EAGAIN;
    regs.rip = patch->trampoline + position;
    return ptrace(PTRACE_SETREGS, tid, 0, &regs) < 0 ? -errno : 0;
}

static bool stands_there(int mem_fd, const struct patch *patch, const uint8_t bytes[PROLOGUE_JUMP_BYTES])
{
    uint8_t code[PROLOGUE_JUMP_BYTES];
    return remote_read(mem_fd, patch->address, code, sizeof(code)) == 0 && !memcmp(code, bytes, sizeof(code));
}

static bool is_in_place(int mem_fd, const struct patch *patch)
{
    return stands_there(mem_fd, patch, patch->jump);
}

static bool is_wanted(int mem_fd, const struct patch *patch)
{
    return memcmp(patch->before, patch->jump, sizeof(patch->jump)) != 0 &&
           stands_there(mem_fd, patch, patch->before);
}

static void put_back(const struct change *change)
{
    for (size_t i = 0; i < change->patches->items.len; i++) {
        const struct patch *patch = &change->patches->items.items[i];
        if (is_in_place(change->mem_fd, patch))
            (void)remote_write(change->mem_fd, patch->address, patch->prologue.original, sizeof(patch->jump));
    }
}

static int put_in_place(const struct change *change)
{
    int r = 0;
    for (size_t i = 0; i < change->patches->items.len && r == 0; i++) {
        const struct patch *patch = &change->patches->items.items[i];
        if (is_wanted(change->mem_fd, patch))
            r = remote_write(change->mem_fd, patch->address, patch->jump, sizeof(patch->jump));
    }
    return r;
}

static int apply(void *userdata)
{
    const struct change *change = userdata;
    struct standstill standstill;
    int r = standstill_begin(&standstill, change->pid, change->timeout_ns);
    if (r < 0)
        return r;
    for (size_t i = 0; i < standstill.threads.len && r == 0; i++)
        r = move_on(change, standstill.threads.items[i].tid);
    if (r == 0)
        r = put_in_place(change);
    change->patches->stop_ns += standstill_end(&standstill);
    return r;
}

static int undo(void *userdata)
{
    const struct change *change = userdata;
    struct standstill standstill;
    int r = standstill_begin(&standstill, change->pid, change->timeout_ns);
    if (r < 0)
        return r;
    put_back(change);
    change->patches->stop_ns += standstill_end(&standstill);
    return 0;
}

/* A thread that does not stop (it waits for a disk, or for a processor), or stands where it should not, does
 * so for a moment: the others are not kept waiting for it longer than it takes most times. */
static int persist(struct change *change, int (*step)(void *userdata))
{
    const uint64_t first_ns = 5 * NS_PER_MS, last_ns = 320 * NS_PER_MS;
    for (change->timeout_ns = first_ns; change->timeout_ns <= last_ns; change->timeout_ns *= 2) {
        int r = remote_on_thread(step, change);
        if (r != -EAGAIN && r != -ETIMEDOUT)
            return r;
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
    return -ETIMEDOUT;
}

static bool any(const struct change *change, bool (*is)(int mem_fd, const struct patch *patch))
{
    for (size_t i = 0; i < change->patches->items.len; i++)
        if (is(change->mem_fd, &change->patches->items.items[i]))
            return true;
    return false;
}

int patches_apply(struct patches *patches, pid_t pid, int mem_fd)
{
    struct change change = {.patches = patches, .pid = pid, .mem_fd = mem_fd};
    return any(&change, is_wanted) ? persist(&change, apply) : 0;
}

int patches_undo(struct patches *patches, pid_t pid, int mem_fd)
{
    struct change change = {.patches = patches, .pid = pid, .mem_fd = mem_fd};
    return any(&change, is_in_place) ? persist(&change, undo) : 0;
}
