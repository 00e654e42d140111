/* First instructions, moved: read from functions in assembly, and run where they were moved to. */
#include "hook/prologue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* Each is called as long f(long), and ends with `end_of_NAME`. */
#define FUNCTION(name, code)                                                                                 \
    extern const uint8_t name[], end_of_##name[];                                                            \
    __asm__(".text\n.balign 16\n" #name ":\n" code "\nend_of_" #name ":\n")

FUNCTION(pushes, "push %rbp\n mov %rsp, %rbp\n lea 1(%rdi), %rax\n pop %rbp\n ret");
FUNCTION(reads_near_itself, "mov forty_two(%rip), %rax\n add %rdi, %rax\n ret\n forty_two: .quad 42");
FUNCTION(branches_shortly, "test %rdi, %rdi\n je 1f\n lea 7(%rdi), %rax\n ret\n 1: mov $-1, %rax\n ret");
FUNCTION(jumps_on, "jmp.d32 pushes");
FUNCTION(ends_early, "mov %edi, %eax\n ret\n nop\n nop\n nop");
FUNCTION(loops_back, "xor %eax, %eax\n 1: inc %eax\n dec %rdi\n jnz 1b\n ret");
FUNCTION(starts_over, "lea -1(%rdi), %rdi\n test %rdi, %rdi\n jnz starts_over\n ret");
FUNCTION(calls_at_once, "call pushes\n inc %rax\n ret");
FUNCTION(counts_with_loop, "mov %rdi, %rcx\n 1: loop 1b\n xor %eax, %eax\n ret");
FUNCTION(too_short, "ret");
FUNCTION(recurses, "mov %rdi, %rax\n sub $1, %rdi\n js 1f\n call recurses\n 1: ret");

#define READ(name) read_function(name, (size_t)(end_of_##name - (name)))

static struct prologue read_function(const uint8_t *code, size_t size)
{
    struct prologue prologue;
    prologue_read(code, size, &prologue);
    return prologue;
}

/* A page near this program's code, as addresses of four bytes ask for. */
static uint8_t *page_near(const uint8_t *code)
{
    for (uintptr_t at = ((uintptr_t)code & ~0xfffull) - (1 << 28);; at -= 1 << 20) {
        void *page = mmap((void *)at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (page != MAP_FAILED)
            return page;
    }
}

static long run_moved(const uint8_t *function, const struct prologue *prologue, long argument)
{
    uint8_t *page = page_near(function);
    assert_int_equal(prologue_move(prologue, (uintptr_t)function, (uintptr_t)page, page), 0);
    long result = ((long (*)(long))(uintptr_t)page)(argument);
    munmap(page, 4096);
    return result;
}

static void moved_instructions_do_the_same(void **state)
{
    (void)state;
    struct prologue prologue = READ(pushes);
    assert_int_equal(prologue.len, 8);
    assert_memory_equal(prologue.original, pushes, 8);
    assert_int_equal(run_moved(pushes, &prologue, 5), 6);
    prologue = READ(reads_near_itself);
    assert_int_equal(prologue.len, 7);
    assert_int_equal(run_moved(reads_near_itself, &prologue, 5), 47);
    prologue = READ(branches_shortly);
    assert_int_equal(prologue.len, 5);
    assert_int_equal(run_moved(branches_shortly, &prologue, 5), 12);
    assert_int_equal(run_moved(branches_shortly, &prologue, 0), -1);
    prologue = READ(jumps_on);
    assert_int_equal(run_moved(jumps_on, &prologue, 5), 6);
    prologue = READ(ends_early);
    assert_int_equal(run_moved(ends_early, &prologue, 5), 5);
    prologue = READ(recurses);
    assert_int_equal(run_moved(recurses, &prologue, 5), 0);
}

static void a_thread_finds_its_instruction_again(void **state)
{
    (void)state;
    struct prologue prologue = READ(branches_shortly);
    const uint8_t expected[PROLOGUE_JUMP_BYTES] = {0, PROLOGUE_NO_POSITION, PROLOGUE_NO_POSITION, 3,
                                                   PROLOGUE_NO_POSITION};
    assert_memory_equal(prologue.positions, expected, sizeof(expected));
}

static void what_cannot_be_moved_is_told(void **state)
{
    (void)state;
    const uint8_t no_code[8] = {0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06};
    assert_int_equal(READ(loops_back).len, 0);
    assert_int_equal(READ(starts_over).len, 0);
    assert_int_equal(READ(calls_at_once).len, 0);
    assert_int_equal(READ(counts_with_loop).len, 0);
    assert_int_equal(READ(too_short).len, 0);
    assert_int_equal(read_function(no_code, sizeof(no_code)).len, 0);
    assert_int_equal(read_function(no_code, 0).len, 0);
}

static void reach_and_sense_are_checked(void **state)
{
    (void)state;
    uint8_t code[PROLOGUE_MOVED_MAX];
    struct prologue prologue = READ(reads_near_itself);
    assert_int_equal(prologue_move(&prologue, 1ull << 40, (1ull << 40) + (1ull << 32), code), -ERANGE);
    assert_int_equal(prologue_jump(1ull << 40, (1ull << 40) + (1ull << 32), code), -ERANGE);
    prologue.fixups[0].end = PROLOGUE_MOVED_MAX + 1;
    assert_int_equal(prologue_move(&prologue, 1 << 20, 2 << 20, code), -EBADMSG);
    prologue.len = 0;
    assert_int_equal(prologue_move(&prologue, 1 << 20, 2 << 20, code), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moved_instructions_do_the_same),
        cmocka_unit_test(a_thread_finds_its_instruction_again),
        cmocka_unit_test(what_cannot_be_moved_is_told),
        cmocka_unit_test(reach_and_sense_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
