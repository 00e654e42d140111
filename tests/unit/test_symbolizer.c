/* The symbolizer with a real child: answers, privileges, death and restart. The test program symbolizes
 * itself. */
#include "symbolizer/symbolizer_internal.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
    struct loop *loop;
    struct loop_event limit;
    struct symbolizer *symbolizer;
    int opened, resolved, tables, idle, died, restarts;
    enum debug_level debug;
    bool rust;
    uint64_t text_address, text_offset;
    size_t frames; /* of the last address */
    char function[1024], file[1024];
    uint32_t line;
    uint64_t left_out; /* at the last answer */
    int table_error;
    uint32_t pages, elements;
    bool kill_on_open; /* kills the child when the module has been opened */
    bool stop_when_died;
    unsigned hangs; /* children yet to be stopped in the middle of a request */
};

static void on_opened(void *userdata, uint32_t module, const struct module_info *info)
{
    struct seen *seen = userdata;
    (void)module;
    seen->opened++;
    seen->debug = info->debug;
    seen->rust = info->rust;
    seen->text_address = info->text_address;
    seen->text_offset = info->text_offset;
    if (seen->kill_on_open)
        kill(symbolizer_pid(seen->symbolizer), SIGKILL);
}

static void on_resolved(void *userdata, uint32_t module, uint64_t address, const struct source_frame *frames,
                        size_t count)
{
    struct seen *seen = userdata;
    (void)module;
    (void)address;
    seen->resolved++;
    seen->frames = count;
    seen->left_out = symbolizer_frames_left_out(seen->symbolizer);
    if (!count)
        return;
    snprintf(seen->function, sizeof(seen->function), "%s", frames[0].function);
    snprintf(seen->file, sizeof(seen->file), "%s", frames[0].file);
    seen->line = frames[0].line;
}

static void on_table(void *userdata, uint32_t module, int error, const union unwind_element *elements,
                     uint32_t element_count, uint32_t page_count, uint64_t start)
{
    struct seen *seen = userdata;
    (void)module;
    (void)start;
    seen->tables++;
    seen->table_error = error;
    seen->elements = elements ? element_count : 0;
    seen->pages = page_count;
}

static void on_idle(void *userdata)
{
    struct seen *seen = userdata;
    seen->idle++;
    loop_stop(seen->loop);
}

/* Lets the child hang, and be noticed soon, if it is one of those that shall. */
static void hang(struct seen *seen)
{
    seen->symbolizer->answer_limit_ns = seen->hangs ? NS_PER_SEC / 5 : 60 * NS_PER_SEC;
    if (seen->hangs && seen->hangs--)
        kill(symbolizer_pid(seen->symbolizer), SIGSTOP);
}

static void on_died(void *userdata, int restarts)
{
    struct seen *seen = userdata;
    seen->died++;
    seen->restarts = restarts;
    if (seen->stop_when_died)
        loop_stop(seen->loop);
    hang(seen);
}

static const struct symbolizer_observer observer = {
    .module_opened = on_opened,
    .address_resolved = on_resolved,
    .unwind_table = on_table,
    .idle = on_idle,
    .died = on_died,
};

static void on_limit(void *userdata)
{
    struct seen *seen = userdata;
    loop_stop(seen->loop);
}

static void start(struct seen *seen)
{
    *seen = (struct seen){0};
    assert_int_equal(loop_new(&seen->loop), 0);
    assert_int_equal(symbolizer_new(seen->loop, &observer, seen, &seen->symbolizer), 0);
}

static void stop(struct seen *seen)
{
    symbolizer_free(seen->symbolizer);
    loop_event_stop(&seen->limit);
    loop_free(seen->loop);
}

/* Runs until the symbolizer is idle, or for a minute. */
static void run(struct seen *seen)
{
    assert_int_equal(loop_timer_start(seen->loop, &seen->limit, 60 * NS_PER_SEC, 0, on_limit, seen), 0);
    loop_run(seen->loop);
    loop_event_stop(&seen->limit);
}

static int open_self(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* The link-time address of a function of this program. */
static uint64_t link_address(const struct seen *seen, const void *function)
{
    OWNED_FILE FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    uint64_t at = (uintptr_t)function, start, end, offset;
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps))
        if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 && at >= start && at < end)
            return at - (start - offset + seen->text_offset - seen->text_address);
    fail();
    return 0;
}

static void test_answers_name_line_and_table(void **state)
{
    struct seen seen;
    (void)state;
    start(&seen);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 7, open_self(), "/proc/self/exe", 0), 0);
    assert_int_equal(symbolizer_compile_unwind_table(seen.symbolizer, 7), 0);
    assert_int_equal(symbolizer_pending(seen.symbolizer), 2);
    run(&seen);
    assert_int_equal(seen.opened, 1);
    assert_int_equal(seen.debug, DEBUG_LINES);
    assert_int_equal(seen.tables, 1);
    assert_int_equal(seen.table_error, 0);
    assert_true(seen.pages > 0 && seen.elements > seen.pages);

    uint64_t address = link_address(&seen, (const void *)link_address);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 7, &address, 1), 0);
    run(&seen);
    assert_int_equal(seen.resolved, 1);
    assert_true(seen.frames >= 1);
    assert_string_equal(seen.function, "link_address");
    assert_non_null(strstr(seen.file, "test_symbolizer.c"));
    assert_int_equal(symbolizer_pending(seen.symbolizer), 0);
    assert_int_equal(seen.died, 0);
    stop(&seen);
}

static void test_not_elf_has_nothing(void **state)
{
    struct seen seen;
    uint64_t address = 0x1000;
    (void)state;
    start(&seen);
    int fd = memfd_create("not-elf", MFD_CLOEXEC);
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 1, fd, "/nowhere", 0), 0);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 1, &address, 1), 0);
    assert_int_equal(symbolizer_compile_unwind_table(seen.symbolizer, 1), 0);
    run(&seen);
    assert_int_equal(seen.opened, 1);
    assert_int_equal(seen.debug, DEBUG_NONE);
    assert_int_equal(seen.resolved, 1);
    assert_int_equal(seen.frames, 0);
    assert_true(seen.table_error < 0);
    stop(&seen);
}

static void test_asks_again_after_death(void **state)
{
    struct seen seen;
    uint64_t addresses[600];
    (void)state;
    start(&seen);
    pid_t first = symbolizer_pid(seen.symbolizer);
    seen.kill_on_open = true;
    for (size_t i = 0; i < 600; i++)
        addresses[i] = 0x1000 + i;
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 3, open_self(), "/proc/self/exe", 0), 0);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 3, addresses, 600), 0);
    run(&seen);
    assert_int_equal(seen.opened, 1); /* told once, though opened twice */
    assert_int_equal(seen.resolved, 600);
    assert_int_equal(seen.died, 1);
    assert_int_equal(seen.restarts, 1);
    assert_true(symbolizer_pid(seen.symbolizer) != first);
    stop(&seen);
}

static void kill_child(void *userdata)
{
    struct seen *seen = userdata;
    if (symbolizer_pid(seen->symbolizer))
        kill(symbolizer_pid(seen->symbolizer), SIGKILL);
}

static void test_answers_all_though_every_child_dies(void **state)
{
    struct seen seen;
    struct loop_event killer = {0};
    uint64_t addresses[5000];
    (void)state;
    start(&seen);
    for (size_t i = 0; i < 5000; i++)
        addresses[i] = 0x1000 + i;
    kill_child(&seen);
    assert_int_equal(loop_timer_start(seen.loop, &killer, NS_PER_MS / 10, NS_PER_MS / 10, kill_child, &seen),
                     0);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 3, open_self(), "/proc/self/exe", 0), 0);
    assert_int_equal(symbolizer_compile_unwind_table(seen.symbolizer, 3), 0);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 3, addresses, 5000), 0);
    run(&seen);
    loop_event_stop(&killer);
    assert_int_equal(symbolizer_pending(seen.symbolizer), 0);
    assert_true(seen.opened >= 1);
    assert_int_equal(seen.tables, 1);
    assert_int_equal(seen.resolved, 5000);
    assert_true(seen.died >= 1);
    stop(&seen);
}

static bool child_maps(const struct seen *seen, const char *name)
{
    char path[64], line[512];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)symbolizer_pid(seen->symbolizer));
    OWNED_FILE FILE *maps = fopen(path, "re");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps))
        found |= strstr(line, name) != NULL;
    return found;
}

static void test_a_module_at_rest_is_forgotten_until_asked_about(void **state)
{
    struct seen seen;
    uint64_t address = 0x1000;
    (void)state;
    start(&seen);
    int fd = memfd_create("rsprof-at-rest", MFD_CLOEXEC), self = open_self();
    assert_true(sendfile(fd, self, NULL, 1 << 30) > 0);
    close(self);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 3, fd, "/at/rest", 0), 0);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 3, &address, 1), 0);
    run(&seen);
    assert_true(child_maps(&seen, "rsprof-at-rest"));
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 3, &address, 1), 0);
    assert_int_equal(symbolizer_rest_module(seen.symbolizer, 3), 0);
    run(&seen);
    assert_int_equal(seen.resolved, 2); /* what was asked before is answered */
    for (int i = 0; i < 3000 && child_maps(&seen, "rsprof-at-rest"); i++)
        usleep(10000);
    assert_false(child_maps(&seen, "rsprof-at-rest"));
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 3, &address, 1), 0);
    run(&seen);
    assert_int_equal(seen.resolved, 3);
    assert_int_equal(seen.opened, 1);
    assert_true(child_maps(&seen, "rsprof-at-rest"));
    stop(&seen);
}

static void test_a_child_that_hangs_is_replaced(void **state)
{
    struct seen seen;
    (void)state;
    start(&seen);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 3, open_self(), "/proc/self/exe", 0), 0);
    run(&seen);
    uint64_t address = link_address(&seen, (const void *)link_address);
    seen.hangs = 1;
    hang(&seen);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 3, &address, 1), 0);
    run(&seen);
    assert_int_equal(seen.died, 1);
    assert_int_equal(seen.resolved, 1);
    assert_string_equal(seen.function, "link_address");
    stop(&seen);
}

static void test_a_module_that_hangs_two_children_is_given_up(void **state)
{
    struct seen seen;
    uint64_t address = 0x1000;
    (void)state;
    start(&seen);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 3, open_self(), "/proc/self/exe", 0), 0);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 4, open_self(), "/proc/self/exe", 0), 0);
    run(&seen);
    uint64_t known = link_address(&seen, (const void *)link_address);
    seen.hangs = 2;
    hang(&seen);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 3, &address, 1), 0);
    run(&seen);
    assert_int_equal(seen.died, 2);
    assert_int_equal(seen.resolved, 1);
    assert_int_equal(seen.frames, 0);
    assert_int_equal(seen.debug, DEBUG_NONE);
    assert_int_equal(symbolizer_resolve(seen.symbolizer, 4, &known, 1), 0); /* others are not */
    run(&seen);
    assert_string_equal(seen.function, "link_address");
    assert_int_equal(seen.died, 2);
    stop(&seen);
}

/* A library whose one function, at 0x10000, holds as many inlined calls, one in another, with names of some
 * 500 bytes. */
static int build_deeply_inlined(int calls)
{
    char path[] = "/tmp/rsprof-test-XXXXXX", command[192];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    snprintf(command, sizeof(command),
             "cc -x c -shared -fPIC -nostdlib -fcf-protection=none -Wl,-Ttext=0x10000 -g -O1 -o %s -", path);
    FILE *cc = popen(command, "we");
    assert_non_null(cc);
    fprintf(cc, "static volatile int x;\n#define IN static inline __attribute__((always_inline)) void\n");
    fprintf(cc, "IN f_%0500d(void) { x++; }\n", 0);
    for (int i = 1; i < calls; i++)
        fprintf(cc, "IN f_%0500d(void) { f_%0500d(); }\n", i, i - 1);
    fprintf(cc, "void outer(void) { f_%0500d(); }\n", calls - 1);
    assert_int_equal(pclose(cc), 0);
    unlink(path);
    return fd;
}

static void test_says_what_it_leaves_out(void **state)
{
    static const struct {
        int calls;
        bool fit;
    } cases[] = {{100, true}, {400, false}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct seen seen;
        uint64_t address = 0x10000;
        start(&seen);
        assert_int_equal(
            symbolizer_open_module(seen.symbolizer, 1, build_deeply_inlined(cases[i].calls), "/a.so", 0), 0);
        assert_int_equal(symbolizer_resolve(seen.symbolizer, 1, &address, 1), 0);
        run(&seen);
        assert_int_equal(seen.frames + seen.left_out, cases[i].calls + 1);
        assert_int_equal(seen.left_out == 0, cases[i].fit);
        assert_true(seen.frames > 100);
        assert_true(strlen(seen.function) > 500 - strlen("f_"));
        stop(&seen);
    }
}

/* A line of /proc/PID/status. */
static void read_status(pid_t pid, const char *name, char *ret_value, size_t size)
{
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    OWNED_FILE FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, strlen(name)) != 0)
            continue;
        snprintf(ret_value, size, "%s", line + strlen(name) + strspn(line + strlen(name), ": \t"));
        ret_value[strcspn(ret_value, "\n")] = '\0';
        return;
    }
    fail();
}

static void test_child_has_no_privileges(void **state)
{
    struct seen seen;
    char value[64];
    (void)state;
    start(&seen);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 1, open_self(), "/proc/self/exe", 0), 0);
    run(&seen); /* an answer shows that it is in its sandbox */
    pid_t pid = symbolizer_pid(seen.symbolizer);
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        read_status(pid, sets[i], value, sizeof(value));
        assert_string_equal(value, "0000000000000000");
    }
    read_status(pid, "NoNewPrivs", value, sizeof(value));
    assert_string_equal(value, "1");
    read_status(pid, "Seccomp", value, sizeof(value));
    assert_string_equal(value, "2");
    stop(&seen);
    assert_int_equal(kill(pid, 0), -1); /* reaped */
}

static void test_child_holds_no_descriptor_of_ours(void **state)
{
    struct seen seen;
    char path[64], target[256];
    (void)state;
    OWNED_FD int secret = memfd_create("rsprof-secret", 0);
    assert_true(secret >= 0);
    start(&seen);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 1, open_self(), "/proc/self/exe", 0), 0);
    run(&seen);
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)symbolizer_pid(seen.symbolizer), fd);
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        assert_null(strstr(target, "rsprof-secret"));
        assert_true(fd <= 2 || strstr(target, "socket:"));
    }
    stop(&seen);
}

static void test_child_has_no_shared_memory_of_ours(void **state)
{
    struct seen seen;
    char path[64], line[512];
    (void)state;
    void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    start(&seen);
    assert_int_equal(symbolizer_open_module(seen.symbolizer, 1, open_self(), "/proc/self/exe", 0), 0);
    run(&seen);
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)symbolizer_pid(seen.symbolizer));
    OWNED_FILE FILE *maps = fopen(path, "re");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        const char *mode = strchr(line, ' ');
        assert_non_null(mode);
        assert_true(mode[4] != 's');
    }
    stop(&seen);
    munmap(shared, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_name_line_and_table),
        cmocka_unit_test(test_not_elf_has_nothing),
        cmocka_unit_test(test_asks_again_after_death),
        cmocka_unit_test(test_a_module_at_rest_is_forgotten_until_asked_about),
        cmocka_unit_test(test_a_child_that_hangs_is_replaced),
        cmocka_unit_test(test_a_module_that_hangs_two_children_is_given_up),
        cmocka_unit_test(test_says_what_it_leaves_out),
        cmocka_unit_test(test_child_has_no_privileges),
        cmocka_unit_test(test_answers_all_though_every_child_dies),
        cmocka_unit_test(test_child_holds_no_descriptor_of_ours),
        cmocka_unit_test(test_child_has_no_shared_memory_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
