/* The words to swap, found in this program's own file and memory: it calls libc's allocator by name, and has
 * one linked in. */
#include "hook/remote.h"
#include "hook/slot_scan.h"
#include "hook/slots.h"

#include "base/cleanup.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cmocka.h>

/* An allocator of our own, by a name that rsprof knows, and a table that calls go through. */
void *mi_malloc(size_t size);
void mi_free(void *block);

__attribute__((noinline)) void *mi_malloc(size_t size)
{
    __asm__ volatile("");
    return malloc(size);
}

__attribute__((noinline)) void mi_free(void *block)
{
    __asm__ volatile("");
    free(block);
}

static struct {
    void *(*allocate)(size_t);
    void (*release)(void *);
    uint64_t number;
} table = {mi_malloc, mi_free, 4711};

static uint64_t own_bias(void)
{
    return getauxval(AT_PHDR) - ((ElfW(Ehdr) *)(getauxval(AT_PHDR) & ~0xfffull))->e_phoff;
}

static struct hook_scan scan_self(void)
{
    OWNED_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct hook_scan scan;
    assert_int_equal(hook_scan_file(fd, &scan), 0);
    return scan;
}

static const struct hook_candidate *candidate_at(const struct hook_scan *scan, const void *word)
{
    for (size_t i = 0; i < scan->candidate_count; i++)
        if (scan->candidates[i].address + own_bias() == (uintptr_t)word)
            return &scan->candidates[i];
    return NULL;
}

static void words_that_hold_a_linked_in_function_are_candidates(void **state)
{
    (void)state;
    CLEANUP(hook_scan_release) struct hook_scan scan = scan_self();
    const struct hook_candidate *candidate = candidate_at(&scan, &table.allocate);
    assert_non_null(candidate);
    assert_int_equal(candidate->function, HOOK_MI_MALLOC);
    assert_int_equal(candidate->target + own_bias(), (uintptr_t)mi_malloc);
    candidate = candidate_at(&scan, &table.release);
    assert_non_null(candidate);
    assert_int_equal(candidate->function, HOOK_MI_FREE);
    assert_null(candidate_at(&scan, &table.number));
}

static void linked_in_functions_are_defined(void **state)
{
    (void)state;
    CLEANUP(hook_scan_release) struct hook_scan scan = scan_self();
    bool found = false;
    for (size_t i = 0; i < scan.definition_count; i++)
        found |= scan.definitions[i].function == HOOK_MI_FREE &&
                 scan.definitions[i].address + own_bias() == (uintptr_t)mi_free;
    assert_true(found);
}

static void slots_hold_what_the_linker_bound(void **state)
{
    (void)state;
    CLEANUP(hook_scan_release) struct hook_scan scan = scan_self();
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    CLEANUP(hook_slots_release) struct hook_slots slots = {0};
    OWNED_FD int mem_fd = -1;
    table.allocate = mi_malloc;
    free(malloc(1)); /* bind them, if that is done lazily */
    free(calloc(1, 1));
    assert_int_equal(memory_maps_read(getpid(), &maps), 0);
    assert_int_equal(remote_open_memory(getpid(), &mem_fd), 0);
    assert_int_equal(hook_slots_add(&slots, mem_fd, &maps, own_bias(), &scan), 0);
    bool seen[HOOK_FUNCTION_COUNT] = {0};
    for (size_t i = 0; i < slots.len; i++) {
        assert_int_equal(*(uint64_t *)slots.items[i].address, slots.items[i].value);
        seen[slots.items[i].function] = true;
    }
    assert_true(seen[HOOK_MALLOC] && seen[HOOK_FREE] && seen[HOOK_MI_MALLOC] && seen[HOOK_MI_FREE]);
}

static void a_word_that_holds_something_else_is_left_alone(void **state)
{
    (void)state;
    CLEANUP(hook_scan_release) struct hook_scan scan = scan_self();
    CLEANUP(memory_maps_release) struct memory_maps maps = {0};
    CLEANUP(hook_slots_release) struct hook_slots slots = {0};
    OWNED_FD int mem_fd = -1;
    table.allocate = malloc;
    assert_int_equal(memory_maps_read(getpid(), &maps), 0);
    assert_int_equal(remote_open_memory(getpid(), &mem_fd), 0);
    assert_int_equal(hook_slots_add(&slots, mem_fd, &maps, own_bias(), &scan), 0);
    assert_true(slots.mismatch > 0);
    for (size_t i = 0; i < slots.len; i++)
        assert_true(slots.items[i].address != (uintptr_t)&table.allocate);
    table.allocate = mi_malloc;
}

static void damaged_files_give_fewer_candidates_and_no_crash(void **state)
{
    (void)state;
    enum { LEN_MAX = 400000 };
    static uint8_t bytes[LEN_MAX], damaged[LEN_MAX];
    OWNED_FD int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
                 copy = memfd_create("damaged", MFD_CLOEXEC);
    ssize_t len = read(self, bytes, sizeof(bytes));
    uint64_t random = 99;
    assert_true(len > 4096);
    for (int round = 0; round < 400; round++) {
        memcpy(damaged, bytes, (size_t)len);
        size_t kept = (size_t)len;
        for (int i = 0; i < 64; i++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            size_t reach = round % 2 ? 1024 : kept; /* headers, or anywhere */
            damaged[random >> 33 & 1 ? random % reach : reach / 2 + random % (reach / 2)] =
                (uint8_t)(random >> 20);
        }
        if (round % 3 == 0)
            kept = random % kept;
        memcpy(damaged, bytes, 20); /* still an ELF file */
        assert_int_equal(ftruncate(copy, 0), 0);
        assert_int_equal(pwrite(copy, damaged, kept, 0), kept);
        struct hook_scan scan;
        if (hook_scan_file(copy, &scan) == 0)
            hook_scan_release(&scan);
    }
}

static void what_is_no_elf_file_is_refused(void **state)
{
    (void)state;
    struct hook_scan scan;
    OWNED_FD int empty = memfd_create("empty", MFD_CLOEXEC),
                 text = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    assert_true(hook_scan_file(empty, &scan) < 0);
    assert_true(hook_scan_file(text, &scan) < 0);
    assert_int_equal(
        write(empty, "#!/bin/sh                                                                    ", 70),
        70);
    assert_int_equal(hook_scan_file(empty, &scan), -ENOEXEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_hold_a_linked_in_function_are_candidates),
        cmocka_unit_test(linked_in_functions_are_defined),
        cmocka_unit_test(slots_hold_what_the_linker_bound),
        cmocka_unit_test(a_word_that_holds_something_else_is_left_alone),
        cmocka_unit_test(damaged_files_give_fewer_candidates_and_no_crash),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
