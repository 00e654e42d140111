#include "hook/seccomp.h"

#include "base/cleanup.h"
#include "base/rights.h"
#include "hook/remote.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

/* A program at work. */
struct machine {
    uint32_t a, x, memory[BPF_MEMWORDS];
    const struct seccomp_data *data;
};

static bool load(const struct machine *machine, const struct sock_filter *step, uint32_t *ret_value)
{
    switch (BPF_MODE(step->code)) {
    case BPF_IMM:
        *ret_value = step->k;
        return true;
    case BPF_LEN:
        *ret_value = sizeof(*machine->data);
        return true;
    case BPF_MEM:
        *ret_value = step->k < BPF_MEMWORDS ? machine->memory[step->k] : 0;
        return step->k < BPF_MEMWORDS;
    case BPF_ABS:
        if (step->k % 4 || step->k > sizeof(*machine->data) - 4)
            return false;
        memcpy(ret_value, (const uint8_t *)machine->data + step->k, sizeof(*ret_value));
        return true;
    }
    return false;
}

static bool store(struct machine *machine, const struct sock_filter *step, uint32_t value)
{
    if (step->k < BPF_MEMWORDS)
        machine->memory[step->k] = value;
    return step->k < BPF_MEMWORDS;
}

static uint32_t operand(const struct machine *machine, const struct sock_filter *step)
{
    return BPF_SRC(step->code) == BPF_X ? machine->x : step->k;
}

static bool compute(struct machine *machine, const struct sock_filter *step)
{
    uint32_t by = operand(machine, step);
    switch (BPF_OP(step->code)) {
    case BPF_ADD:
        machine->a += by;
        return true;
    case BPF_SUB:
        machine->a -= by;
        return true;
    case BPF_MUL:
        machine->a *= by;
        return true;
    case BPF_DIV:
        machine->a = by ? machine->a / by : 0;
        return by;
    case BPF_AND:
        machine->a &= by;
        return true;
    case BPF_OR:
        machine->a |= by;
        return true;
    case BPF_XOR:
        machine->a ^= by;
        return true;
    case BPF_LSH:
        machine->a <<= by & 31;
        return true;
    case BPF_RSH:
        machine->a >>= by & 31;
        return true;
    case BPF_NEG:
        machine->a = -machine->a;
        return true;
    }
    return false;
}

/* By how many steps to jump. */
static uint32_t jump(const struct machine *machine, const struct sock_filter *step)
{
    uint32_t to = operand(machine, step);
    switch (BPF_OP(step->code)) {
    case BPF_JA:
        return step->k;
    case BPF_JEQ:
        return machine->a == to ? step->jt : step->jf;
    case BPF_JGT:
        return machine->a > to ? step->jt : step->jf;
    case BPF_JGE:
        return machine->a >= to ? step->jt : step->jf;
    case BPF_JSET:
        return machine->a & to ? step->jt : step->jf;
    }
    return UINT32_MAX;
}

/* One step that is no return and no jump. */
static bool take(struct machine *machine, const struct sock_filter *step)
{
    switch (BPF_CLASS(step->code)) {
    case BPF_LD:
        return load(machine, step, &machine->a);
    case BPF_LDX:
        return load(machine, step, &machine->x);
    case BPF_ST:
        return store(machine, step, machine->a);
    case BPF_STX:
        return store(machine, step, machine->x);
    case BPF_ALU:
        return compute(machine, step);
    case BPF_MISC:
        *(BPF_MISCOP(step->code) == BPF_TXA ? &machine->a : &machine->x) =
            BPF_MISCOP(step->code) == BPF_TXA ? machine->x : machine->a;
        return true;
    }
    return false;
}

uint32_t seccomp_run(const struct sock_filter *program, size_t len, const struct seccomp_data *data)
{
    struct machine machine = {.data = data};
    for (size_t at = 0; at < len; at++) {
        const struct sock_filter *step = &program[at];
        if (BPF_CLASS(step->code) == BPF_RET)
            return BPF_RVAL(step->code) == BPF_A ? machine.a : step->k;
        if (BPF_CLASS(step->code) == BPF_JMP)
            at += jump(&machine, step);
        else if (!take(&machine, step))
            break;
    }
    return SECCOMP_RET_KILL_PROCESS;
}

static bool lets_all_through(const struct sock_filter *program, size_t len, const struct seccomp_data *calls,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t action = seccomp_run(program, len, &calls[i]) & SECCOMP_RET_ACTION_FULL;
        if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG)
            return false;
    }
    return true;
}

int seccomp_check(pid_t tid, const struct seccomp_data *calls, size_t count)
{
    WITH_RIGHTS(RIGHTS_FILTER);
    for (uintptr_t i = 0;; i++) {
        long len = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, i, NULL);
        if (len < 0)
            return errno == ENOENT && i > 0 ? 0 : -EPERM;
        OWNED_MEM struct sock_filter *program = calloc((size_t)len + 1, sizeof(*program));
        if (!program)
            return -ENOMEM;
        if (ptrace(PTRACE_SECCOMP_GET_FILTER, tid, i, program) != len)
            return -EPERM;
        if (!lets_all_through(program, (size_t)len, calls, count))
            return -ENOSYS;
    }
}

int seccomp_stopped_registers(pid_t pid, pid_t tid, struct user_regs_struct *ret_regs)
{
    enum { RESTARTNOHAND = 514, RESTART_RESTARTBLOCK = 516 };
    struct user_regs_struct regs;
    struct remote_thread_status status;
    if (ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0)
        return -errno;
    *ret_regs = regs;
    if ((int64_t)regs.orig_rax < 0 || (int64_t)regs.rax != -RESTART_RESTARTBLOCK ||
        remote_thread_status(pid, tid, &status) < 0 || status.seccomp == SECCOMP_MODE_DISABLED)
        return 0;
    const struct seccomp_data restart = {
        .nr = SYS_restart_syscall, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = regs.rip};
    if (seccomp_check(tid, &restart, 1) == 0)
        return 0;
    regs.rax = (uint64_t)-RESTARTNOHAND;
    if (ptrace(PTRACE_SETREGS, tid, 0, &regs) < 0)
        return -errno;
    *ret_regs = regs;
    return 0;
}
