#include "hook/springboard.h"

#include "hook/remote.h"
#include "hook/stub_abi.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

extern const uint8_t springboard_code[], springboard_entry[], springboard_data[], springboard_end[];

__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "springboard_code:\n"
        "    .ascii \"" HOOK_MEMFD_NAME "\\0\\0\\0\\0\\0\"\n"
        "springboard_entry:\n"
        "    leaq springboard_calls(%rip), %rbx\n"
        "    movq springboard_results(%rip), %r13\n"
        "    xorl %r12d, %r12d\n"
        "1:  movq (%rbx), %rax\n"
        "    cmpq $-1, %rax\n"
        "    je 3f\n"
        "    movq 8(%rbx), %rdi\n"
        "    movq 16(%rbx), %rsi\n"
        "    movq 24(%rbx), %rdx\n"
        "    movq 32(%rbx), %r10\n"
        "    movq 40(%rbx), %r8\n"
        "    movq 48(%rbx), %r9\n"
        "    syscall\n"
        "    cmpq $-4095, %rax\n" /* from here up: errors */
        "    jae 2f\n"
        "    testq %r13, %r13\n"
        "    jz 5f\n"
        "    movq %rax, (%r13, %r12, 8)\n"
        "5:  incq %r12\n"
        "    addq $56, %rbx\n"
        "    jmp 1b\n"
        "2:  cmpq springboard_writable(%rip), %r12\n"
        "    jb 4f\n"
        "    movq %rax, (%r13, %r12, 8)\n"
        "3:  testq %r13, %r13\n"
        "    jz 4f\n"
        "    movq springboard_cookie(%rip), %rax\n"
        "    movq %rax, 24(%r13)\n"
        "4:  leaq -128(%rsp), %rsp\n"
        "    pushq springboard_data + 16*8(%rip)\n"
        "    popfq\n"
        "    leaq 128(%rsp), %rsp\n"
        "    movq springboard_data + 0*8(%rip), %r15\n"
        "    movq springboard_data + 1*8(%rip), %r14\n"
        "    movq springboard_data + 2*8(%rip), %r13\n"
        "    movq springboard_data + 3*8(%rip), %r12\n"
        "    movq springboard_data + 4*8(%rip), %rbp\n"
        "    movq springboard_data + 5*8(%rip), %rbx\n"
        "    movq springboard_data + 6*8(%rip), %r11\n"
        "    movq springboard_data + 7*8(%rip), %r10\n"
        "    movq springboard_data + 8*8(%rip), %r9\n"
        "    movq springboard_data + 9*8(%rip), %r8\n"
        "    movq springboard_data + 10*8(%rip), %rax\n"
        "    movq springboard_data + 11*8(%rip), %rcx\n"
        "    movq springboard_data + 12*8(%rip), %rdx\n"
        "    movq springboard_data + 13*8(%rip), %rsi\n"
        "    movq springboard_data + 14*8(%rip), %rdi\n"
        "    jmp *springboard_data + 15*8(%rip)\n"
        ".balign 8\n"
        "springboard_data:\n"
        "    .fill 17, 8, 0\n"
        "springboard_results:\n"
        "    .quad 0\n"
        "springboard_writable:\n"
        "    .quad 0\n"
        "springboard_cookie:\n"
        "    .quad 0\n"
        "springboard_calls:\n"
        "    .fill 3 * 7 + 1, 8, -1\n"
        "springboard_end:\n"
        ".popsection\n");

/* What the code finds at springboard_data. */
struct data {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, rip, eflags;
    uint64_t results;
    uint64_t writable; /* from which answer on results can be written when it is an error */
    uint64_t cookie;
    struct springboard_call calls[SPRINGBOARD_CALLS_MAX];
    uint64_t end;
};
_Static_assert(sizeof(struct springboard_call) == 56 && offsetof(struct springboard_results, done) == 24,
               "as the code has it");

size_t springboard_start(void)
{
    return (size_t)(springboard_entry - springboard_code);
}

#define MARK_BYTES  16
#define PLACE_BYTES 640 /* for a springboard, with some zeros to spare */

/* What the kernel would do to restart the system call that the thread was interrupted in, if any. */
static void restart_system_call(struct user_regs_struct *regs)
{
    enum { RESTARTSYS = 512, RESTARTNOINTR = 513, RESTARTNOHAND = 514, RESTART_RESTARTBLOCK = 516 };
    if ((int64_t)regs->orig_rax < 0)
        return;
    switch (-(int64_t)regs->rax) {
    case RESTARTSYS:
    case RESTARTNOINTR:
    case RESTARTNOHAND:
        regs->rax = regs->orig_rax;
        regs->rip -= 2;
        break;
    case RESTART_RESTARTBLOCK:
        regs->rax = SYS_restart_syscall;
        regs->rip -= 2;
        break;
    }
}

size_t springboard_build(uint64_t address, const struct user_regs_struct *regs,
                         const struct springboard_plan *plan, uint8_t ret_code[static SPRINGBOARD_BYTES_MAX])
{
    struct user_regs_struct home = *regs;
    restart_system_call(&home);
    struct data data = {.end = UINT64_MAX,
                        .results = plan->results,
                        .writable = plan->results ? plan->makes_memory : SPRINGBOARD_CALLS_MAX,
                        .cookie = plan->cookie};
#define KEEP(reg) data.reg = home.reg
    KEEP(r15), KEEP(r14), KEEP(r13), KEEP(r12), KEEP(rbp), KEEP(rbx), KEEP(r11), KEEP(r10), KEEP(r9);
    KEEP(r8), KEEP(rax), KEEP(rcx), KEEP(rdx), KEEP(rsi), KEEP(rdi), KEEP(rip), KEEP(eflags);
#undef KEEP
    for (size_t i = 0; i < plan->count; i++) {
        data.calls[i] = plan->calls[i];
        if (data.calls[i].args[0] == SPRINGBOARD_NAME)
            data.calls[i].args[0] = address;
    }
    if (plan->count < SPRINGBOARD_CALLS_MAX)
        data.calls[plan->count].number = UINT64_MAX;
    size_t len = (size_t)(springboard_end - springboard_code),
           data_at = (size_t)(springboard_data - springboard_code);
    assert(len <= SPRINGBOARD_BYTES_MAX && len - data_at == sizeof(data));
    memcpy(ret_code, springboard_code, data_at);
    memcpy(ret_code + data_at, &data, sizeof(data));
    return len;
}

/* Looks for a place among the zeros that a mapping ends with, from its end down. A marked one may be on some
 * thread's way home yet: only taken when `marked` is asked for. */
static bool page_find_place(int mem_fd, uint64_t page, bool marked, uint64_t *ret_address)
{
    uint8_t bytes[4096];
    if (remote_read(mem_fd, page, bytes, sizeof(bytes)) < 0)
        return false;
    for (size_t at = sizeof(bytes) - PLACE_BYTES; at >= PLACE_BYTES; at -= PLACE_BYTES) {
        bool has_mark = !memcmp(bytes + at, springboard_code, MARK_BYTES);
        bool zeros = true;
        for (size_t i = at - MARK_BYTES; i < at + PLACE_BYTES && zeros; i++)
            zeros = !bytes[i];
        if (marked ? has_mark : zeros) {
            *ret_address = page + at;
            return true;
        }
        if (!has_mark && !zeros)
            return false;
    }
    return false;
}

/* The vDSO first: it is there in every process, and nobody's file. */
static bool map_may_have_place(const struct memory_map *map, bool vdso)
{
    if (!map->executable || map->writable)
        return false;
    return vdso ? !strcmp(map->path, "[vdso]") : map->inode != 0;
}

int springboard_find_place(const struct memory_maps *maps, int mem_fd, uint64_t *ret_address)
{
    for (int pass = 0; pass < 4; pass++) {
        bool vdso = pass % 2 == 0, marked = pass >= 2;
        for (size_t i = 0; i < maps->len; i++) {
            const struct memory_map *map = &maps->items[i];
            if (map_may_have_place(map, vdso) &&
                page_find_place(mem_fd, map->end - 4096, marked, ret_address))
                return 0;
        }
    }
    return -ENOTSUP;
}
