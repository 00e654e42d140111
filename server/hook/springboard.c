#include "hook/springboard.h"

#include "hook/remote.h"
#include "hook/stub_abi.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

extern const uint8_t springboard_code[], springboard_entry[], springboard_wait[], springboard_way_home[],
    springboard_registers[], springboard_list[], springboard_end[];

__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "springboard_code:\n"
        "    .ascii \"" HOOK_MEMFD_NAME "\\0\\0\\0\\0\\0\"\n"
        "springboard_entry:\n"
        "    leaq springboard_list(%rip), %rbx\n"
        "    xorl %r12d, %r12d\n"
        "1:  movq (%rbx), %rax\n"
        "    cmpq $-1, %rax\n"
        "    je springboard_wait\n"
        "    movq 8(%rbx), %rdi\n"
        "    movq 16(%rbx), %rsi\n"
        "    movq 24(%rbx), %rdx\n"
        "    movq 32(%rbx), %r10\n"
        "    movq 40(%rbx), %r8\n"
        "    movq 48(%rbx), %r9\n"
        "    syscall\n"
        "    movq %r14, %r13\n"
        "    movq %r15, %r14\n"
        "    movq %rax, %r15\n"
        "    incl %r12d\n"
        "    addq $56, %rbx\n"
        "    cmpq $-4095, %rax\n" /* from here up: errors */
        "    jb 1b\n"
        "springboard_wait:\n"
        "    movl $1000000, %ecx\n"
        "2:  pause\n"
        "    decl %ecx\n"
        "    jnz 2b\n"
        "springboard_way_home:\n"
        "    leaq -128(%rsp), %rsp\n"
        "    pushq 16*8 + springboard_registers(%rip)\n"
        "    popfq\n"
        "    leaq 128(%rsp), %rsp\n"
        "    movq 0*8 + springboard_registers(%rip), %r15\n"
        "    movq 1*8 + springboard_registers(%rip), %r14\n"
        "    movq 2*8 + springboard_registers(%rip), %r13\n"
        "    movq 3*8 + springboard_registers(%rip), %r12\n"
        "    movq 4*8 + springboard_registers(%rip), %rbp\n"
        "    movq 5*8 + springboard_registers(%rip), %rbx\n"
        "    movq 6*8 + springboard_registers(%rip), %r11\n"
        "    movq 7*8 + springboard_registers(%rip), %r10\n"
        "    movq 8*8 + springboard_registers(%rip), %r9\n"
        "    movq 9*8 + springboard_registers(%rip), %r8\n"
        "    movq 10*8 + springboard_registers(%rip), %rax\n"
        "    movq 11*8 + springboard_registers(%rip), %rcx\n"
        "    movq 12*8 + springboard_registers(%rip), %rdx\n"
        "    movq 13*8 + springboard_registers(%rip), %rsi\n"
        "    movq 14*8 + springboard_registers(%rip), %rdi\n"
        "    jmp *15*8 + springboard_registers(%rip)\n"
        ".balign 8\n"
        "springboard_registers:\n"
        "    .fill 17, 8, 0\n"
        "springboard_list:\n"
        "    .fill 3 * 7 + 1, 8, -1\n"
        "springboard_end:\n"
        ".popsection\n");

size_t springboard_start(void)
{
    return (size_t)(springboard_entry - springboard_code);
}

size_t springboard_done(void)
{
    return (size_t)(springboard_wait - springboard_code);
}

size_t springboard_home(void)
{
    return (size_t)(springboard_way_home - springboard_code);
}

size_t springboard_calls(void)
{
    return (size_t)(springboard_list - springboard_code);
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

size_t springboard_build(const struct user_regs_struct *regs, uint8_t ret_code[static SPRINGBOARD_BYTES_MAX])
{
    struct user_regs_struct home = *regs;
    restart_system_call(&home);
    const uint64_t words[] = {home.r15, home.r14, home.r13, home.r12, home.rbp,   home.rbx,
                              home.r11, home.r10, home.r9,  home.r8,  home.rax,   home.rcx,
                              home.rdx, home.rsi, home.rdi, home.rip, home.eflags};
    size_t len = (size_t)(springboard_end - springboard_code);
    assert(len <= SPRINGBOARD_BYTES_MAX);
    memcpy(ret_code, springboard_code, len);
    memcpy(ret_code + (springboard_registers - springboard_code), words, sizeof(words));
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
