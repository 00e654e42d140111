/* Seccomp filters, run on the calls that a filter is asked about. */
#include "hook/seccomp.h"

#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define NUMBER  offsetof(struct seccomp_data, nr)
#define ARG2_LO (offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t))
#define RUN(program, ...)                                                                                    \
    seccomp_run(program, sizeof(program) / sizeof((program)[0]), &(struct seccomp_data){__VA_ARGS__})

static void calls_are_told_apart_by_number_and_arguments(void **state)
{
    (void)state;
    /* mmap without PROT_EXEC, and close */
    const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG2_LO),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    assert_int_equal(RUN(program, .nr = SYS_close), SECCOMP_RET_ALLOW);
    assert_int_equal(RUN(program, .nr = SYS_bpf), SECCOMP_RET_ERRNO | 1);
    assert_int_equal(RUN(program, .nr = SYS_mmap, .args = {0, 4096, 3}), SECCOMP_RET_ALLOW);
    assert_int_equal(RUN(program, .nr = SYS_mmap, .args = {0, 4096, 5}), SECCOMP_RET_ERRNO | 1);
}

static void programs_can_compute(void **state)
{
    (void)state;
    const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
        BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 4),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_MEM, 3),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 3),
        BPF_STMT(BPF_STX, 5),
        BPF_STMT(BPF_LDX | BPF_MEM, 5),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_A, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    /* (9 × 16 + 9) / 3 = 51; 51 xor 144 = 163, which is more than 144 */
    assert_int_equal(RUN(program, .nr = 9), 163);
    assert_int_equal(RUN(program, .nr = 0), sizeof(struct seccomp_data));
}

static void what_makes_no_sense_is_no_permission(void **state)
{
    (void)state;
    const struct sock_filter beyond[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
                                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_filter far[] = {BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX),
                                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_filter none[] = {BPF_STMT(BPF_LD | BPF_IMM, 1)};
    const struct sock_filter by_zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    assert_int_equal(RUN(beyond, .nr = 1), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(RUN(far, .nr = 1), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(RUN(none, .nr = 1), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(RUN(by_zero, .nr = 1), SECCOMP_RET_KILL_PROCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_told_apart_by_number_and_arguments),
        cmocka_unit_test(programs_can_compute),
        cmocka_unit_test(what_makes_no_sense_is_no_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
