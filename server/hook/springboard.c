#include "hook/springboard.h"

#include "base/clock.h"
#include "hook/remote.h"
#include "hook/stub_abi.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

extern const uint8_t springboard_code[], springboard_entry[], springboard_called[], springboard_last[],
    springboard_data[], springboard_mask[], springboard_end[];

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
        "springboard_called:\n"
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
        "4:  movl $14, %eax\n" /* rt_sigprocmask(SIG_SETMASK, …) */
        "    movl $2, %edi\n"
        "    leaq springboard_mask(%rip), %rsi\n"
        "    xorl %edx, %edx\n"
        "    movl $8, %r10d\n"
        "    syscall\n"
        "springboard_last:\n"
        "    leaq -128(%rsp), %rsp\n"
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
        "    .quad 0\n"
        "springboard_mask:\n"
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
    uint64_t sent_ns;
    uint64_t signal_mask;
    struct springboard_call calls[SPRINGBOARD_CALLS_MAX];
    uint64_t end;
};
_Static_assert(sizeof(struct springboard_call) == 56 && offsetof(struct springboard_results, done) == 24,
               "as the code has it");

size_t springboard_start(void)
{
    return (size_t)(springboard_entry - springboard_code);
}

#define MARK_BYTES   16
#define ABANDONED_NS (2 * NS_PER_SEC) /* no thread takes that long to get home */
#define PLACE_BYTES  672              /* for a springboard, with some zeros to spare */

size_t springboard_last_steps(void)
{
    return (size_t)(springboard_last - springboard_code);
}

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
                        .cookie = plan->cookie,
                        .sent_ns = clock_now_ns(),
                        .signal_mask = plan->signal_mask};
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

size_t springboard_list_calls(uint64_t address, const uint8_t *code,
                              struct seccomp_data ret_calls[static SPRINGBOARD_CALLS_MAX + 1])
{
    struct data data;
    size_t count = 0;
    memcpy(&data, code + (springboard_data - springboard_code), sizeof(data));
    for (; count < SPRINGBOARD_CALLS_MAX && data.calls[count].number != UINT64_MAX; count++) {
        ret_calls[count] = (struct seccomp_data){
            .nr = (int)data.calls[count].number,
            .arch = AUDIT_ARCH_X86_64,
            .instruction_pointer = address + (uint64_t)(springboard_called - springboard_code)};
        for (size_t i = 0; i < 6; i++)
            ret_calls[count].args[i] = data.calls[count].args[i];
    }
    ret_calls[count] = (struct seccomp_data){
        .nr = SYS_rt_sigprocmask,
        .arch = AUDIT_ARCH_X86_64,
        .instruction_pointer = address + springboard_last_steps(),
        .args = {SIG_SETMASK, address + (uint64_t)(springboard_mask - springboard_code), 0, 8}};
    return count + 1;
}

/* Whether nobody needs a place any more: zeros, or a springboard that was left behind long ago. */
static bool place_is_free(const uint8_t *place, bool *ret_marked)
{
    static const uint8_t zeros[MARK_BYTES + PLACE_BYTES];
    uint64_t sent_ns;
    *ret_marked = !memcmp(place, springboard_code, MARK_BYTES);
    if (!*ret_marked)
        return !memcmp(place - MARK_BYTES, zeros, sizeof(zeros));
    memcpy(&sent_ns, place + (springboard_data - springboard_code) + offsetof(struct data, sent_ns),
           sizeof(sent_ns));
    return clock_now_ns() - sent_ns > ABANDONED_NS;
}

/* Looks for a place among the zeros that a mapping ends with, from its end down. */
static int page_find_place(int mem_fd, uint64_t page, uint64_t *ret_address)
{
    uint8_t bytes[4096];
    bool marked = true, any_marked = false;
    if (remote_read(mem_fd, page, bytes, sizeof(bytes)) < 0)
        return -ENOTSUP;
    for (size_t at = sizeof(bytes) - PLACE_BYTES; at >= PLACE_BYTES && marked; at -= PLACE_BYTES) {
        if (place_is_free(bytes + at, &marked)) {
            *ret_address = page + at;
            return 0;
        }
        any_marked |= marked;
    }
    return any_marked ? -EAGAIN : -ENOTSUP;
}

/* The vDSO first: it is there in every process, and nobody's file. Never a stub's code: an errand may map
 * that anew. */
static bool map_may_have_place(const struct memory_map *map, bool vdso)
{
    if (!map->executable || map->writable)
        return false;
    return vdso ? !strcmp(map->path, "[vdso]") : map->inode && strncmp(map->path, "/memfd:", 7);
}

int springboard_find_place(const struct memory_maps *maps, int mem_fd, uint64_t *ret_address)
{
    int result = -ENOTSUP;
    for (int vdso = 1; vdso >= 0; vdso--) {
        for (size_t i = 0; i < maps->len; i++) {
            const struct memory_map *map = &maps->items[i];
            if (!map_may_have_place(map, vdso))
                continue;
            int r = page_find_place(mem_fd, map->end - 4096, ret_address);
            if (r == 0)
                return 0;
            if (r == -EAGAIN)
                result = r;
        }
    }
    return result;
}
