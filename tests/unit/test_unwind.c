/* The BPF unwinder, compiled as ordinary C, over stacks stored here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "events.h"

#define STACK_BASE 0x7ffe00000000ull
#define CODE_BASE  0x555500000000ull

static uint64_t stack_memory[1024];
static struct mapping mappings[4];
enum { LINES = 2 }; /* the pages, and the rows of the first */
static union unwind_element elements[LINES * UNWIND_LINE_ELEMENTS];
#define ROW(i) elements[UNWIND_LINE_ELEMENTS + (i)].row

static int unwind_read(void *to, __u32 size, __u64 address)
{
    if (address < STACK_BASE || address + size > STACK_BASE + sizeof(stack_memory))
        return -14;
    memcpy(to, (char *)stack_memory + (address - STACK_BASE), size);
    return 0;
}

static struct mapping *unwind_mapping(__u32 index)
{
    return index < 4 ? &mappings[index] : NULL;
}

static void *unwind_table(__u32 module)
{
    return module == 7 ? elements : NULL;
}

static union unwind_element *unwind_line(void *table, __u32 index)
{
    return index < LINES ? (union unwind_element *)table + (size_t)index * UNWIND_LINE_ELEMENTS : NULL;
}

#include "unwind.h"

static int set_up(void **state)
{
    (void)state;
    memset(stack_memory, 0, sizeof(stack_memory));
    memset(mappings, 0, sizeof(mappings));
    memset(elements, 0, sizeof(elements));
    /* Two pages of code at link-time address 0x1000: functions `leaf` (0x1000), `caller` (0x1040), `start`
     * (0x1100). */
    mappings[0] = (struct mapping){CODE_BASE + 0x1000, CODE_BASE + 0x1200, CODE_BASE, 0x1000, 2, 7};
    mappings[1] = (struct mapping){CODE_BASE + 0x10000, CODE_BASE + 0x11000, CODE_BASE, 0, 0, 9};
    elements[0].page = (struct unwind_page){.kind = UNWIND_ROWS, .line_count = 1, .first_line = 1};
    elements[1].row = (struct unwind_row){0x00, UNWIND_END, 0, 8};
    ROW(0) = (struct unwind_row){0x00, UNWIND_CFA_RSP, 0, 8};
    ROW(1) = (struct unwind_row){0x40, UNWIND_CFA_RSP, 0, 8};
    ROW(2) = (struct unwind_row){0x41, UNWIND_CFA_RBP, -16, 16};
    for (int i = 3; i < UNWIND_LINE_ELEMENTS; i++)
        ROW(i) = (struct unwind_row){0xc0, UNWIND_NONE, 0, 0};
    return 0;
}

static void put(uint64_t address, uint64_t value)
{
    stack_memory[(address - STACK_BASE) / 8] = value;
}

static struct unwind_walk walk_with_rax(uint64_t rip, uint64_t rsp, uint64_t rbp, uint64_t rax)
{
    struct unwind_walk walk = {.rax = rax};
    unwind_begin(&walk, 2);
    walk.rip = rip;
    walk.rsp = rsp;
    walk.rbp = rbp;
    walk.exact = 1;
    for (int i = 0; i <= STACK_MAX_FRAMES && !unwind_step(&walk); i++)
        ;
    return walk;
}

static struct unwind_walk walk_from(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
    return walk_with_rax(rip, rsp, rbp, 0);
}

static uint64_t frame(uint64_t link_time_address)
{
    return 7ull << FRAME_ADDRESS_BITS | link_time_address;
}

static void a_leaf_and_a_frame_with_rbp_are_walked_to_the_outermost_frame(void **state)
{
    (void)state;
    put(STACK_BASE + 0x100, CODE_BASE + 0x1050); /* leaf's return address, in caller */
    put(STACK_BASE + 0x110, STACK_BASE + 0x300); /* start's rbp, saved by caller */
    put(STACK_BASE + 0x118, CODE_BASE + 0x1110); /* caller's return address, in start */
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, STACK_BASE + 0x100, STACK_BASE + 0x110);
    assert_int_equal(walk.event.end, STACK_COMPLETE);
    assert_int_equal(walk.event.frame_count, 3);
    assert_true(walk.event.frames[0] == frame(0x1004));
    assert_true(walk.event.frames[1] == frame(0x104f)); /* return addresses are looked up inside the call */
    assert_true(walk.event.frames[2] == frame(0x110f));
    assert_true(walk.rbp == STACK_BASE + 0x300);
}

static void a_return_address_of_zero_ends_the_stack(void **state)
{
    (void)state;
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, STACK_BASE + 0x100, 0);
    assert_int_equal(walk.event.end, STACK_COMPLETE);
    assert_int_equal(walk.event.frame_count, 1);
}

static void an_endless_stack_keeps_its_innermost_frames(void **state)
{
    (void)state;
    for (uint64_t at = STACK_BASE; at < STACK_BASE + sizeof(stack_memory); at += 8)
        put(at, CODE_BASE + 0x1004);
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, STACK_BASE, 0);
    assert_int_equal(walk.event.end, STACK_TRUNCATED);
    assert_int_equal(walk.event.frame_count, STACK_MAX_FRAMES);
}

static void an_address_outside_of_all_code_is_kept_and_counted_as_such(void **state)
{
    (void)state;
    struct unwind_walk walk = walk_from(0x1234, STACK_BASE + 0x100, 0);
    assert_int_equal(walk.event.end, STACK_NO_MAPPING);
    assert_int_equal(walk.event.frame_count, 1);
    assert_true(walk.event.frames[0] == ((uint64_t)FRAME_NO_MODULE << FRAME_ADDRESS_BITS | 0x1234));
}

static void code_without_a_table_is_walked_by_its_frame_pointers(void **state)
{
    (void)state;
    put(STACK_BASE + 0x120, 0);                  /* saved rbp */
    put(STACK_BASE + 0x128, CODE_BASE + 0x1110); /* into start */
    struct unwind_walk walk = walk_from(CODE_BASE + 0x10010, STACK_BASE + 0x100, STACK_BASE + 0x120);
    assert_int_equal(walk.event.end, STACK_COMPLETE);
    assert_int_equal(walk.event.frame_count, 2);
    walk = walk_from(CODE_BASE + 0x10010, STACK_BASE + 0x100, 0x55);
    assert_int_equal(walk.event.end, STACK_NO_TABLE);
}

static void a_gap_between_functions_has_no_rule(void **state)
{
    (void)state;
    struct unwind_walk walk = walk_from(CODE_BASE + 0x10c8, STACK_BASE + 0x100, 0);
    assert_int_equal(walk.event.end, STACK_NO_ROW);
}

static void a_stack_that_cannot_be_read_ends_the_walk(void **state)
{
    (void)state;
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, 0x1000, 0);
    assert_int_equal(walk.event.end, STACK_BAD_READ);
    walk = walk_from(CODE_BASE + 0x1050, STACK_BASE + 0x200, STACK_BASE);
    assert_int_equal(walk.event.end, STACK_BAD_CFA);
}

static void the_last_words_of_a_stack_are_read_one_by_one(void **state)
{
    (void)state;
    uint64_t end = STACK_BASE + sizeof(stack_memory);
    put(end - 16, CODE_BASE + 0x1004); /* into leaf */
    put(end - 8, CODE_BASE + 0x1110);  /* into start */
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, end - 16, 0);
    assert_int_equal(walk.event.end, STACK_COMPLETE);
    assert_int_equal(walk.event.frame_count, 3);
}

static void a_realigned_frame_has_its_cfa_and_rbp_in_memory(void **state)
{
    (void)state;
    ROW(0) = (struct unwind_row){0x00, UNWIND_CFA_RBP_DEREF, 0, -8};
    put(STACK_BASE + 0x100, STACK_BASE + 0x700); /* the caller's rbp */
    put(STACK_BASE + 0xf8, STACK_BASE + 0x200);  /* the CFA */
    put(STACK_BASE + 0x1f8, CODE_BASE + 0x1110); /* into start */
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, STACK_BASE + 0x80, STACK_BASE + 0x100);
    assert_int_equal(walk.event.end, STACK_COMPLETE);
    assert_int_equal(walk.event.frame_count, 2);
    assert_true(walk.rbp == STACK_BASE + 0x700);
}

static void assembly_that_keeps_the_stack_pointer_on_its_stack_is_walked(void **state)
{
    (void)state;
    ROW(0) = (struct unwind_row){0x00, UNWIND_CFA_RSP_DEREF, -24, 112 * 256 + 8};
    put(STACK_BASE + 0x80 + 112, STACK_BASE + 0x1f8); /* CFA - 8 */
    put(STACK_BASE + 0x1e8, STACK_BASE + 0x700);      /* the caller's rbp */
    put(STACK_BASE + 0x1f8, CODE_BASE + 0x1110);      /* into start */
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, STACK_BASE + 0x80, STACK_BASE + 0x10);
    assert_int_equal(walk.event.end, STACK_COMPLETE);
    assert_int_equal(walk.event.frame_count, 2);
    assert_true(walk.rbp == STACK_BASE + 0x700);
    walk = walk_from(CODE_BASE + 0x1004, STACK_BASE + sizeof(stack_memory), 0);
    assert_int_equal(walk.event.end, STACK_BAD_READ);
}

static void after_clone_the_maker_has_a_caller_and_the_new_thread_has_none(void **state)
{
    (void)state;
    ROW(0) = (struct unwind_row){0x00, UNWIND_CLONE, 0, 8};
    put(STACK_BASE + 0x100, CODE_BASE + 0x1110); /* into start; or, in the new thread, anything */
    struct unwind_walk maker = walk_with_rax(CODE_BASE + 0x1004, STACK_BASE + 0x100, 0, 4711);
    assert_int_equal(maker.event.end, STACK_COMPLETE);
    assert_int_equal(maker.event.frame_count, 2);
    struct unwind_walk made = walk_with_rax(CODE_BASE + 0x1004, STACK_BASE + 0x100, 0, 0);
    assert_int_equal(made.event.end, STACK_COMPLETE);
    assert_int_equal(made.event.frame_count, 1);
}

static void a_signal_frame_continues_where_the_signal_struck(void **state)
{
    (void)state;
    ROW(0) = (struct unwind_row){0x00, UNWIND_SIGNAL, 0, 0};
    uint64_t gregs = STACK_BASE + 0x100 + UNWIND_GREGS_OFFSET;
    put(gregs + 8 * UNWIND_GREG_RIP, CODE_BASE + 0x1100); /* the first byte of start: not a return address */
    put(gregs + 8 * UNWIND_GREG_RSP, STACK_BASE + 0x800);
    struct unwind_walk walk = walk_from(CODE_BASE + 0x1004, STACK_BASE + 0x100, 0);
    assert_int_equal(walk.event.end, STACK_COMPLETE);
    assert_int_equal(walk.event.frame_count, 2);
    assert_true(walk.event.frames[1] == frame(0x1100));
}

static void different_stacks_have_different_hashes_and_equal_ones_the_same(void **state)
{
    (void)state;
    put(STACK_BASE + 0x100, CODE_BASE + 0x1110);
    struct unwind_walk a = walk_from(CODE_BASE + 0x1004, STACK_BASE + 0x100, 0);
    struct unwind_walk again = walk_from(CODE_BASE + 0x1004, STACK_BASE + 0x100, 0);
    struct unwind_walk b = walk_from(CODE_BASE + 0x1005, STACK_BASE + 0x100, 0);
    assert_true(a.hash == again.hash);
    assert_true(a.hash != b.hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_leaf_and_a_frame_with_rbp_are_walked_to_the_outermost_frame, set_up),
        cmocka_unit_test_setup(a_return_address_of_zero_ends_the_stack, set_up),
        cmocka_unit_test_setup(an_endless_stack_keeps_its_innermost_frames, set_up),
        cmocka_unit_test_setup(an_address_outside_of_all_code_is_kept_and_counted_as_such, set_up),
        cmocka_unit_test_setup(code_without_a_table_is_walked_by_its_frame_pointers, set_up),
        cmocka_unit_test_setup(a_gap_between_functions_has_no_rule, set_up),
        cmocka_unit_test_setup(a_stack_that_cannot_be_read_ends_the_walk, set_up),
        cmocka_unit_test_setup(the_last_words_of_a_stack_are_read_one_by_one, set_up),
        cmocka_unit_test_setup(a_realigned_frame_has_its_cfa_and_rbp_in_memory, set_up),
        cmocka_unit_test_setup(assembly_that_keeps_the_stack_pointer_on_its_stack_is_walked, set_up),
        cmocka_unit_test_setup(after_clone_the_maker_has_a_caller_and_the_new_thread_has_none, set_up),
        cmocka_unit_test_setup(a_signal_frame_continues_where_the_signal_struck, set_up),
        cmocka_unit_test_setup(different_stacks_have_different_hashes_and_equal_ones_the_same, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
