/* The stub's walk against the one of the BPF programs, over made-up call chains; and over garbage. */
#include "events.h"
#include "hook/stub/math.h"
#include "hook/stub/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define PAGE        4096
#define STACK_WORDS (4 * PAGE / 8)
#define CODE_BASE   0x555500000000ull
#define FUNCTIONS   256 /* each a page of code, in the unwind table's sense, with one rule */
#define FUNCTION_AT 0x80

static uint64_t *stack; /* STACK_WORDS, between two pages that nobody may touch */
static union unwind_element functions[FUNCTIONS];
static struct hook_entry rules[HOOK_RULES];
static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    return hook_random(&random_state) % below;
}

static int unwind_read(void *to, __u32 size, __u64 address)
{
    if (address < (uintptr_t)stack || address + size > (uintptr_t)(stack + STACK_WORDS))
        return -14;
    memcpy(to, (const char *)stack + (address - (uintptr_t)stack), size);
    return 0;
}

static struct mapping code = {CODE_BASE, CODE_BASE + FUNCTIONS * 256, CODE_BASE, 0, FUNCTIONS, 3};

static struct mapping *unwind_mapping(__u32 index)
{
    return index ? NULL : &code;
}

static void *unwind_table(__u32 module)
{
    return module == 3 ? functions : NULL;
}

static union unwind_element *unwind_line(void *table, __u32 index)
{
    size_t first = (size_t)index * UNWIND_LINE_ELEMENTS;
    return first < FUNCTIONS ? (union unwind_element *)table + first : NULL;
}

#include "unwind.h"

static uint64_t return_address(uint64_t function)
{
    return CODE_BASE + function * 256 + FUNCTION_AT;
}

static void set_rule(uint64_t function, enum unwind_kind row_kind, enum hook_rule_kind kind,
                     int32_t cfa_offset, int16_t rbp_offset)
{
    functions[function].row = (struct unwind_row){0, row_kind, rbp_offset, cfa_offset};
    uint64_t key = return_address(function);
    uint32_t place = hook_entry_home(key, HOOK_RULES);
    while (rules[place].key)
        place = (place + 1) & (HOOK_RULES - 1);
    rules[place] = (struct hook_entry){.key = key, .rule = {cfa_offset, rbp_offset, kind}};
}

static int set_up(void **state)
{
    (void)state;
    random_state = 4711;
    memset(rules, 0, sizeof(rules));
    uint8_t *pages =
        mmap(NULL, STACK_WORDS * 8 + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages, PAGE, PROT_NONE) < 0 ||
        mprotect(pages + PAGE + STACK_WORDS * 8, PAGE, PROT_NONE) < 0)
        return -1;
    stack = (uint64_t *)(pages + PAGE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return munmap((uint8_t *)stack - PAGE, STACK_WORDS * 8 + 2 * PAGE);
}

/* Functions of three kinds, by number: by rsp, with or without a saved rbp; by rbp; and the outermost. */
static void make_functions(void)
{
    set_rule(0, UNWIND_END, HOOK_RULE_END, 8, 0);
    for (uint64_t i = 1; i < FUNCTIONS; i++) {
        int32_t size = 24 + 8 * (int32_t)draw(20);
        if (i % 3 == 0)
            set_rule(i, UNWIND_CFA_RBP, HOOK_RULE_RBP, 16, -16);
        else
            set_rule(i, UNWIND_CFA_RSP, HOOK_RULE_RSP, size, i % 3 == 1 ? -16 : 0);
    }
}

/* Lays a chain of calls on the stack. */
static struct hook_frame make_chain(unsigned depth)
{
    for (size_t i = 0; i < STACK_WORDS; i++)
        stack[i] = hook_random(&random_state);
    uint64_t function = depth ? 1 + draw(FUNCTIONS - 1) : 0, rsp = (uintptr_t)stack;
    struct hook_frame frame = {return_address(function), rsp, 0};
    uint64_t *rbp_at = &frame.rbp; /* where the rbp of the frame being laid is kept */
    for (unsigned left = depth; left > 0; left--) {
        const struct unwind_row row = functions[function].row;
        uint64_t cfa = rsp + (row.kind == UNWIND_CFA_RBP ? 16 + 8 * draw(30) : (uint64_t)row.cfa_offset);
        if (row.kind == UNWIND_CFA_RBP)
            *rbp_at = cfa - 16;
        if (row.rbp_offset)
            rbp_at = (uint64_t *)(cfa + (uint64_t)(int64_t)row.rbp_offset);
        function = left > 1 ? 1 + draw(FUNCTIONS - 1) : 0;
        *(uint64_t *)(cfa - 8) = return_address(function);
        rsp = cfa;
    }
    return frame;
}

static struct unwind_walk walk_as_the_kernel(const struct hook_frame *frame)
{
    struct unwind_walk walk = {0};
    unwind_begin(&walk, 1);
    walk.rip = frame->rip;
    walk.rsp = frame->rsp;
    walk.rbp = frame->rbp;
    walk.exact = 0;
    for (int i = 0; i <= STACK_MAX_FRAMES && !unwind_step(&walk); i++)
        ;
    return walk;
}

static const uint64_t *stack_end(void)
{
    return stack + STACK_WORDS;
}

static void the_stub_walks_as_the_kernel_does(void **state)
{
    (void)state;
    make_functions();
    for (unsigned round = 0; round < 20000; round++) {
        unsigned depth = (unsigned)draw(40);
        struct hook_frame frame = make_chain(depth);
        struct unwind_walk walk = walk_as_the_kernel(&frame);
        uint64_t hash, truth = HOOK_HASH_SEED;
        assert_int_equal(walk.event.end, STACK_COMPLETE);
        assert_int_equal(hook_walk(rules, &frame, (uintptr_t)stack_end(), &hash), walk.event.frame_count);
        for (unsigned i = 0; i < walk.event.frame_count; i++)
            truth = hook_stack_hash(truth, CODE_BASE + (walk.event.frames[i] & FRAME_ADDRESS_MASK) + 1);
        assert_int_equal(hash, truth);
    }
}

static void a_frame_without_a_rule_ends_the_walk(void **state)
{
    (void)state;
    make_functions();
    struct hook_frame frame = make_chain(10);
    uint64_t hash;
    assert_int_equal(hook_walk(rules, &frame, (uintptr_t)stack_end(), &hash), 11);
    struct unwind_walk walk = walk_as_the_kernel(&frame);
    for (unsigned i = 0; i < 11; i++) {
        uint64_t address = CODE_BASE + (walk.event.frames[i] & FRAME_ADDRESS_MASK) + 1;
        struct hook_entry *rule = (struct hook_entry *)hook_entry_find(rules, HOOK_RULES, address);
        rule->key = 1;
        assert_int_equal(hook_walk(rules, &frame, (uintptr_t)stack_end(), &hash), 0);
        rule->key = address;
    }
}

static void a_stack_deeper_than_the_kernel_keeps_is_not_known(void **state)
{
    (void)state;
    set_rule(0, UNWIND_END, HOOK_RULE_END, 8, 0);
    set_rule(1, UNWIND_CFA_RSP, HOOK_RULE_RSP, 16, 0);
    uint64_t hash;
    for (unsigned depth = HOOK_WALK_FRAMES - 2; depth < HOOK_WALK_FRAMES + 2; depth++) {
        for (unsigned i = 0; i < depth; i++)
            stack[2 * i + 1] = return_address(i + 1 < depth);
        struct hook_frame frame = {return_address(1), (uintptr_t)stack, 0};
        unsigned frames = hook_walk(rules, &frame, (uintptr_t)stack_end(), &hash);
        assert_int_equal(frames, depth < HOOK_WALK_FRAMES ? depth + 1 : 0);
    }
}

/* The pages around the stack would fault. */
static void wrong_rules_and_registers_read_nothing_but_the_stack(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < FUNCTIONS; i++)
        set_rule(i, UNWIND_CFA_RSP,
                 (enum hook_rule_kind[]){HOOK_RULE_END, HOOK_RULE_RSP, HOOK_RULE_RBP}[i % 3],
                 (int32_t)draw(1 << 12) * (draw(4) ? 8 : -3), (int16_t)draw(UINT16_MAX));
    unsigned ended = 0;
    for (unsigned round = 0; round < 200000; round++) {
        uint64_t start = draw(STACK_WORDS), hash;
        for (unsigned i = 0; i < 64; i++) {
            uint64_t near = (uintptr_t)stack + draw(STACK_WORDS * 8);
            stack[draw(STACK_WORDS)] = draw(3) ? return_address(draw(FUNCTIONS)) : near;
        }
        struct hook_frame frame = {return_address(1 + draw(FUNCTIONS - 1)), (uintptr_t)(stack + start),
                                   draw(2) ? (uintptr_t)stack + draw(STACK_WORDS * 8)
                                           : hook_random(&random_state)};
        ended += hook_walk(rules, &frame, (uintptr_t)stack_end(), &hash) > 0;
    }
    assert_true(ended > 100); /* it is not all refused at the first step */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_stub_walks_as_the_kernel_does),
        TEST(a_frame_without_a_rule_ends_the_walk),
        TEST(a_stack_deeper_than_the_kernel_keeps_is_not_known),
        TEST(wrong_rules_and_registers_read_nothing_but_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
