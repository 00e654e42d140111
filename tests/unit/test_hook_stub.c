/* The stub, mapped into this very process, in front of a real and of a made-up allocator. Its probe sites
 * jump to functions of the test, which keep the books that a BPF program would. */
#include "hook/image.h"
#include "hook/known_stacks.h"
#include "hook/stub_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* Under AddressSanitizer an allocation that cannot be is to fail as everywhere else. */
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static struct {
    uint8_t *code;
    struct hook_data *data;
    struct hook_image image;
} stub;

/* What passed the probe sites. */
static struct {
    atomic_ulong allocs, frees;
    atomic_ulong live_weight_bytes, live_weight_blocks;
    uint64_t token, block, weight_bytes, weight_blocks, freed_token, freed_block;
    struct hook_frame frame;
    double variance; /* as heap.bpf.c adds it up; one thread only */
} seen;

static void on_alloc(uint64_t token, uint64_t block, uint64_t variance, uint64_t weight_bytes,
                     uint64_t weight_blocks, const struct hook_frame *frame)
{
    seen.allocs++;
    seen.live_weight_bytes += weight_bytes;
    seen.live_weight_blocks += weight_blocks;
    seen.token = token;
    seen.block = block;
    seen.weight_bytes = weight_bytes;
    seen.weight_blocks = weight_blocks;
    seen.frame = *frame;
    seen.variance += (double)variance * 1024;
}

static void on_free(uint64_t token, uint64_t block, uint64_t weight_bytes)
{
    seen.frees++;
    seen.live_weight_bytes -= weight_bytes;
    seen.freed_token = token;
    seen.freed_block = block;
}

/* Turns the nop at a probe site into a jump to `function`, by way of the code's unused end. */
static void lead_site_to(uint32_t site, uint32_t by_way_of, void (*function)(void))
{
    uint8_t thunk[12] = {0x48, 0xb8, [10] = 0xff, 0xe0}; /* movabs $function, %rax; jmp *%rax */
    uint8_t jump[5] = {0xe9};
    int32_t distance = (int32_t)(by_way_of - (site + 5));
    memcpy(thunk + 2, &function, sizeof(function));
    memcpy(jump + 1, &distance, sizeof(distance));
    memcpy(stub.code + by_way_of, thunk, sizeof(thunk));
    memcpy(stub.code + site, jump, sizeof(jump));
}

static void set_rate(uint64_t rate)
{
    for (size_t i = 0; i < HOOK_SITES; i++)
        stub.data->rates[i] = rate;
}

static uint64_t rate_of(double interval)
{
    return (uint64_t)(0x1p48 / interval);
}

static void *entry(enum hook_function function)
{
    return stub.code + stub.image.entries[function];
}

/* A fresh stub for each test. */
static int set_up(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof(seen));
    stub.image = hook_image();
    stub.code = mmap(NULL, HOOK_MAPPING_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stub.code == MAP_FAILED)
        return -1;
    memcpy(stub.code, stub.image.bytes, stub.image.len);
    stub.data = (struct hook_data *)(stub.code + HOOK_CODE_BYTES);
    lead_site_to(stub.image.site_alloc, HOOK_CODE_BYTES - 64, (void (*)(void))on_alloc);
    lead_site_to(stub.image.site_free, HOOK_CODE_BYTES - 32, (void (*)(void))on_free);
    struct hook_header *header = &stub.data->header;
    header->real[HOOK_MALLOC] = (uintptr_t)malloc;
    header->real[HOOK_CALLOC] = (uintptr_t)calloc;
    header->real[HOOK_REALLOC] = (uintptr_t)realloc;
    header->real[HOOK_REALLOCARRAY] = (uintptr_t)reallocarray;
    header->real[HOOK_FREE] = (uintptr_t)free;
    header->real[HOOK_POSIX_MEMALIGN] = (uintptr_t)posix_memalign;
    header->real[HOOK_ALIGNED_ALLOC] = (uintptr_t)aligned_alloc;
    header->enabled = 1;
    header->attachment = 1;
    header->quota = header->grant = UINT32_MAX;
    header->trap_price = 1;
    header->seed = 42;
    set_rate(HOOK_RATE_ALL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return munmap(stub.code, HOOK_MAPPING_BYTES);
}

/* volatile: the compiler knows malloc by name only, but it is not to be tempted */
#define hooked_malloc(size)     ((void *(*volatile)(size_t))entry(HOOK_MALLOC))(size)
#define hooked_calloc(n, m)     ((void *(*volatile)(size_t, size_t))entry(HOOK_CALLOC))((n), (m))
#define hooked_realloc(p, size) ((void *(*volatile)(void *, size_t))entry(HOOK_REALLOC))((p), (size))
#define hooked_free(p)          ((void (*volatile)(void *))entry(HOOK_FREE))(p)

static void every_allocation_is_seen_at_interval_0(void **state)
{
    (void)state;
    for (size_t size = 1; size < 3000; size += 7) {
        void *block = hooked_malloc(size);
        assert_non_null(block);
        assert_ptr_equal((void *)seen.block, block);
        assert_int_equal(seen.weight_bytes, size);
        assert_int_equal(seen.weight_blocks, 65536);
        uint64_t token = seen.token;
        hooked_free(block);
        assert_int_equal(seen.freed_token, token);
        assert_ptr_equal((void *)seen.freed_block, block);
    }
    assert_int_equal(seen.live_weight_bytes, 0);
    assert_int_equal(stub.data->header.counters.samples, seen.allocs);
    assert_int_equal(stub.data->header.counters.frees, seen.frees);
}

__attribute__((noinline)) static uint64_t allocate_here(uint64_t *ret_rsp, uint64_t *ret_rbp)
{
    void *(*volatile function)(size_t) = (void *(*)(size_t))entry(HOOK_MALLOC);
    void *block;
    uint64_t after;
    __asm__ volatile("movq %%rsp, %1\n\tmovq %%rbp, %2\n\tleaq 1f(%%rip), %3\n\tcall *%4\n1:"
                     : "=a"(block), "=&b"(*ret_rsp), "=&r"(*ret_rbp), "=&r"(after)
                     : "r"(function), "D"(24)
                     : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory");
    hooked_free(block);
    return after;
}

static void the_frame_is_that_of_the_caller_after_the_return(void **state)
{
    (void)state;
    uint64_t rsp, rbp, rip = allocate_here(&rsp, &rbp);
    assert_true(seen.frame.rip == rip);
    assert_true(seen.frame.rsp == rsp);
    assert_true(seen.frame.rbp == rbp);
}

static void calloc_counts_the_product_and_refuses_overflow(void **state)
{
    (void)state;
    uint8_t *block = hooked_calloc(13, 21);
    assert_int_equal(seen.weight_bytes, 273);
    for (size_t i = 0; i < 273; i++)
        assert_int_equal(block[i], 0);
    hooked_free(block);
    unsigned long before = seen.allocs;
    assert_null(hooked_calloc(SIZE_MAX / 2, 3));
    assert_int_equal(seen.allocs, before);
}

static void aligned_blocks_are_seen(void **state)
{
    (void)state;
    void *block = NULL;
    assert_int_equal(
        ((int (*volatile)(void **, size_t, size_t))entry(HOOK_POSIX_MEMALIGN))(&block, 256, 1000), 0);
    assert_int_equal((uintptr_t)block % 256, 0);
    assert_ptr_equal((void *)seen.block, block);
    assert_int_equal(seen.weight_bytes, 1000);
    hooked_free(block);
    assert_ptr_equal((void *)seen.freed_block, block);
    unsigned long before = seen.allocs;
    assert_int_equal(((int (*volatile)(void **, size_t, size_t))entry(HOOK_POSIX_MEMALIGN))(&block, 3, 1000),
                     EINVAL);
    assert_int_equal(seen.allocs, before);
    block = ((void *(*volatile)(size_t, size_t))entry(HOOK_ALIGNED_ALLOC))(64, 640);
    assert_int_equal((uintptr_t)block % 64, 0);
    assert_int_equal(seen.weight_bytes, 640);
    hooked_free(block);
}

static void realloc_is_a_free_and_an_allocation_in_place_or_moved(void **state)
{
    (void)state;
    void *block = hooked_realloc(NULL, 100);
    assert_int_equal(seen.allocs, 1);
    for (size_t size = 104; size < 4 << 20; size = size * 3 / 2) {
        uint64_t token = seen.token;
        block = hooked_realloc(block, size);
        assert_non_null(block);
        assert_int_equal(seen.freed_token, token);
        assert_ptr_equal((void *)seen.block, block);
        assert_int_equal(seen.live_weight_bytes, size);
    }
    block = ((void *(*volatile)(void *, size_t, size_t))entry(HOOK_REALLOCARRAY))(block, 10, 30);
    assert_int_equal(seen.weight_bytes, 300);
    assert_int_equal(seen.live_weight_bytes, 300);
    assert_null(hooked_realloc(block, 0)); /* glibc frees */
    assert_int_equal(seen.live_weight_bytes, 0);
    assert_int_equal(seen.allocs, seen.frees);
}

static void a_failed_realloc_keeps_the_old_block(void **state)
{
    (void)state;
    void *block = hooked_malloc(64);
    uint64_t token = seen.token;
    assert_null(hooked_realloc(block, SIZE_MAX / 4));
    assert_int_equal(seen.frees, 0);
    assert_int_equal(stub.data->header.counters.realloc_failed, 1);
    hooked_free(block);
    assert_int_equal(seen.freed_token, token);
}

static void null_may_be_freed(void **state)
{
    (void)state;
    memset(stub.data->filter, 1, sizeof(stub.data->filter));
    hooked_free(NULL);
    assert_int_equal(seen.frees, 0);
}

/* An allocator that always answers with the same few addresses, and never writes there. */
static uint64_t next_address, address_step;

static void *fake_malloc(size_t size)
{
    (void)size;
    return (void *)(next_address += address_step);
}

static void fake_free(void *block)
{
    (void)block;
}

static void use_fake_allocator(uint64_t start, uint64_t step)
{
    next_address = start;
    address_step = step;
    stub.data->header.real[HOOK_MALLOC] = (uintptr_t)fake_malloc;
    stub.data->header.real[HOOK_FREE] = (uintptr_t)fake_free;
}

static void an_address_that_comes_again_unfreed_ends_the_old_block(void **state)
{
    (void)state;
    use_fake_allocator(1 << 20, 0);
    hooked_malloc(10);
    uint64_t token = seen.token;
    hooked_malloc(20);
    assert_int_equal(seen.freed_token, token);
    assert_int_not_equal(seen.token, token);
    assert_int_equal(seen.live_weight_bytes, 20);
    assert_int_equal(stub.data->header.counters.freed_unseen, 1);
}

static void a_full_set_is_counted_and_no_block_is_lost_before(void **state)
{
    (void)state;
    use_fake_allocator(1 << 20, 48);
    const unsigned blocks = 2 * HOOK_SET;
    for (unsigned i = 0; i < blocks; i++)
        hooked_malloc(10);
    assert_int_equal(stub.data->header.counters.samples + stub.data->header.counters.set_full, blocks);
    assert_true(stub.data->header.counters.samples > HOOK_SET / 10 * 9);
    for (unsigned i = 1; i <= blocks; i++)
        hooked_free((void *)(uintptr_t)((1 << 20) + i * 48));
    assert_int_equal(seen.frees, seen.allocs);
    assert_int_equal(seen.live_weight_bytes, 0);
    for (unsigned i = 0; i < HOOK_SET; i++)
        assert_int_equal(stub.data->set[i], HOOK_PLACE_EMPTY);
}

static void half_a_set_of_blocks_is_never_full(void **state)
{
    (void)state;
    use_fake_allocator(0x7f0000000000, 32);
    for (unsigned i = 0; i < HOOK_SET / 2; i++)
        hooked_malloc(10);
    assert_int_equal(stub.data->header.counters.set_full, 0);
}

static void blocks_of_an_earlier_attachment_make_room(void **state)
{
    (void)state;
    use_fake_allocator(1 << 20, 48);
    for (unsigned i = 0; i < 2 * HOOK_SET; i++)
        hooked_malloc(10);
    stub.data->header.attachment++;
    stub.data->header.counters = (struct hook_counters){0};
    unsigned long frees = seen.frees;
    for (unsigned i = 0; i < HOOK_SET / 2; i++)
        hooked_malloc(10);
    assert_int_equal(stub.data->header.counters.set_full, 0);
    for (unsigned i = 1; i <= 2 * HOOK_SET; i++)
        hooked_free((void *)(uintptr_t)((1 << 20) + i * 48));
    assert_int_equal(seen.frees, frees);
}

static void estimates_are_unbiased_and_their_errors_as_stated(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        double interval;
    } cases[] = {{48, 4096}, {1000, 4096}, {4096, 4096}, {30000, 4096}, {17, 64}, {8, 1 << 16}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double p = -expm1(-(double)cases[i].size / cases[i].interval);
        unsigned long count = (unsigned long)(5000 / p);
        use_fake_allocator(1 << 20, 0);
        set_rate(rate_of(cases[i].interval));
        memset(&seen, 0, sizeof(seen));
        for (unsigned long j = 0; j < count; j++) {
            hooked_malloc(cases[i].size);
            hooked_free((void *)next_address);
        }
        uint64_t bytes = 0;
        for (size_t j = 0; j < HOOK_SITES; j++)
            bytes += stub.data->sites[j].bytes, stub.data->sites[j].bytes = 0;
        double truth = (double)count * (double)cases[i].size;
        double error = sqrt((double)count * (1 - p) / p) * (double)cases[i].size;
        if (fabs((double)bytes - truth) > 5 * error + 1e-5 * truth)
            fail_msg("%zu bytes at %g: %g instead of %g ± %g", cases[i].size, cases[i].interval,
                     (double)bytes, truth, error);
    }
}

/* What 200 runs say of their own error, from their samples alone, against the truth: two standard errors are
 * to hold it in 95 % of them, and the error's square in units of the stated one is to be 1 on average. */
static void stated_errors_are_honest(void **state)
{
    (void)state;
    enum { RUNS = 200, BLOCKS = 4000, STEP = 4096 };
    const uint64_t start = 1 << 20;
    int within = 0;
    double sum = 0, sum_of_squares = 0;
    set_rate(rate_of(4096));
    for (int run = 0; run < RUNS; run++) {
        double truth = 0;
        seen.live_weight_bytes = 0;
        seen.variance = 0;
        use_fake_allocator(start, STEP);
        for (size_t i = 0; i < BLOCKS; i++) {
            size_t size = 16 + i * 7919 % 2048;
            truth += (double)size;
            hooked_malloc(size);
        }
        double error = ((double)seen.live_weight_bytes - truth) / sqrt(seen.variance);
        within += fabs(error) <= 2;
        sum += error;
        sum_of_squares += error * error;
        for (uint64_t i = 1; i <= BLOCKS; i++)
            hooked_free((void *)(start + i * STEP));
    }
    const double by_chance = 5; /* standard deviations */
    assert_true(within >= RUNS * 0.9545 - by_chance * sqrt(RUNS * 0.9545 * 0.0455));
    assert_true(fabs(sum) <= by_chance * sqrt(RUNS));
    assert_true(fabs(sum_of_squares - RUNS) <= by_chance * sqrt(2 * RUNS));
}

static void sites_with_different_intervals_share_a_countdown_without_bias(void **state)
{
    (void)state;
    enum { ROUNDS = 2000000 };
    uint64_t bytes[2] = {0};
    use_fake_allocator(1 << 20, 0);
    void *(*volatile function)(size_t) = (void *(*)(size_t))entry(HOOK_MALLOC);
    set_rate(rate_of(1e6));
    function(64); /* learn the two sites */
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = stub.data->header.counters.samples;
        function(64);
        if (stub.data->header.counters.samples != before) {
            bytes[0] += seen.weight_bytes;
            stub.data->rates[hook_site_index(seen.frame.rip)] =
                rate_of(round % 2 ? 30000 : 1000); /* chosen from the past */
        }
        before = stub.data->header.counters.samples;
        function(640);
        if (stub.data->header.counters.samples != before)
            bytes[1] += seen.weight_bytes;
    }
    double truth = 64.0 * ROUNDS, truth_other = 640.0 * ROUNDS;
    assert_true(fabs((double)bytes[0] - truth) < 0.05 * truth);
    assert_true(fabs((double)bytes[1] - truth_other) < 0.12 * truth_other);
}

static void the_stub_lowers_a_rate_by_itself_without_heartbeats(void **state)
{
    (void)state;
    use_fake_allocator(1 << 20, 0);
    stub.data->header.quota = 100;
    uint64_t bytes = 0;
    const unsigned long rounds = 3000000;
    for (unsigned long i = 0; i < rounds; i++) {
        hooked_malloc(50);
        hooked_free((void *)next_address);
    }
    for (size_t i = 0; i < HOOK_SITES; i++)
        bytes += stub.data->sites[i].bytes;
    assert_true(seen.allocs < 2500);
    assert_true(stub.data->header.counters.rate_lowered >= 6);
    /* still unbiased; the last samples stand for much */
    assert_true(fabs((double)bytes - 50.0 * (double)rounds) < 0.5 * 50.0 * (double)rounds);
    unsigned long before = seen.allocs;
    set_rate(HOOK_RATE_ALL);
    stub.data->header.epoch++;
    for (int i = 0; i < 90; i++) /* the quota is charged in pieces */
        hooked_malloc(50);
    assert_int_equal(seen.allocs, before + 90);
}

static void a_disabled_stub_samples_nothing_and_forgets_nothing(void **state)
{
    (void)state;
    void *block = hooked_malloc(50);
    stub.data->header.enabled = 0;
    void *other = hooked_malloc(60);
    assert_int_equal(seen.allocs, 1);
    hooked_free(other);
    hooked_free(block);
    assert_int_equal(seen.frees, 1);
}

/* ---- threads ---- */

struct worker {
    pthread_t thread;
    uint64_t seed;
    double bytes; /* allocated */
};

static void *work(void *userdata)
{
    enum { HELD = 256, ROUNDS = 100000 };
    struct worker *worker = userdata;
    struct {
        uint64_t *block;
        size_t words;
    } held[HELD] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        worker->seed = worker->seed * 6364136223846793005ull + 1442695040888963407ull;
        size_t at = worker->seed >> 40 & (HELD - 1), words = 1 + (worker->seed >> 50 & 63);
        if (held[at].block && held[at].block[held[at].words - 1] != (uintptr_t)worker + at)
            abort();
        if (i % 3) {
            hooked_free(held[at].block);
            held[at].block = hooked_malloc(words * 8);
        } else {
            held[at].block = hooked_realloc(held[at].block, words * 8);
        }
        held[at].words = words;
        held[at].block[words - 1] = (uintptr_t)worker + at;
        worker->bytes += (double)words * 8;
    }
    for (size_t at = 0; at < HELD; at++)
        hooked_free(held[at].block);
    return NULL;
}

static void run_workers(struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        workers[i].seed = i + 1;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
}

static void threads_keep_the_books_exact_at_interval_0(void **state)
{
    (void)state;
    struct worker workers[8] = {0};
    run_workers(workers, 8);
    assert_int_equal(seen.allocs, seen.frees);
    assert_int_equal(seen.live_weight_bytes, 0);
    assert_int_equal(stub.data->header.counters.set_full, 0);
    assert_int_equal(stub.data->header.counters.freed_unseen, 0);
    static const uint64_t no_blocks[HOOK_SET];
    static const uint8_t no_counts[HOOK_FILTER];
    assert_memory_equal(stub.data->set, no_blocks, sizeof(no_blocks));
    assert_memory_equal(stub.data->filter, no_counts, sizeof(no_counts));
}

static void many_threads_are_estimated_without_bias(void **state)
{
    (void)state;
    static struct worker workers[64];
    memset(workers, 0, sizeof(workers));
    set_rate(rate_of(20000));
    run_workers(workers, 64);
    double truth = 0, bytes = 0;
    for (size_t i = 0; i < 64; i++)
        truth += workers[i].bytes;
    for (size_t i = 0; i < HOOK_SITES; i++)
        bytes += (double)stub.data->sites[i].bytes;
    double samples = (double)stub.data->header.counters.samples;
    if (fabs(bytes - truth) > 5 * truth / sqrt(samples))
        fail_msg("%g instead of %g, %g samples", bytes, truth, samples);
    assert_int_equal(seen.live_weight_bytes, 0);
}

/* More threads than places for them. */
static void threads_without_a_place_take_anothers(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOOK_THREADS; i++)
        stub.data->threads[i].owner = ~i;
    use_fake_allocator(1 << 20, 0);
    hooked_malloc(8);
    assert_int_equal(stub.data->header.counters.thread_evictions, 1);
    hooked_malloc(8);
    assert_int_equal(stub.data->header.counters.thread_evictions, 1);
}

/* A thread that has just lost its place may still write to it. */
static void what_another_thread_leaves_in_a_place_silences_nobody(void **state)
{
    (void)state;
    set_rate(rate_of(1000));
    hooked_free(hooked_malloc(1));
    struct hook_thread *thread = stub.data->threads;
    while (!thread->owner)
        thread++;
    for (int i = 0; i < 20; i++) {
        unsigned long before = seen.allocs;
        thread->inside = thread->owner + 4096;
        thread->left = (uint64_t)-1;
        hooked_free(hooked_malloc(50));
        assert_int_equal(seen.allocs, before + 1);
        assert_true((int64_t)thread->left >= 0);
    }
}

static void samples_that_find_no_place_lower_the_rate_too(void **state)
{
    (void)state;
    use_fake_allocator(1 << 20, 0);
    for (size_t i = 0; i < HOOK_SET; i++)
        stub.data->set[i] = HOOK_PLACE_BUSY;
    stub.data->header.quota = 100;
    for (int i = 0; i < 1000; i++)
        hooked_malloc(50);
    assert_true(stub.data->header.counters.set_full > 100);
    assert_true(stub.data->header.counters.rate_lowered > 0);
}

/* ---- known stacks ---- */

/* Teaching by way of /proc, as in another process. */
static struct {
    int mem_fd;
    struct known_stacks *known;
} teacher;

static int set_up_teacher(void **state)
{
    teacher.mem_fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    return set_up(state) < 0 || teacher.mem_fd < 0
               ? -1
               : known_stacks_new(getpid(), teacher.mem_fd, (uintptr_t)stub.data, &teacher.known);
}

static int tear_down_teacher(void **state)
{
    known_stacks_free(teacher.known);
    close(teacher.mem_fd);
    return tear_down(state);
}

/* Always from the same place, whose caller is taken for the outermost. */
__attribute__((noinline)) static void *allocate_known(size_t size)
{
    void *block = hooked_malloc(size);
    __asm__ volatile("" : "+r"(block)); /* no tail call */
    return block;
}

/* Lets the stub see the place, and teaches it. */
static void teach_here(uint32_t number)
{
    hooked_free(allocate_known(1));
    struct hook_entry rule = {.key = seen.frame.rip, .rule.kind = HOOK_RULE_END};
    assert_int_equal(known_stacks_teach(teacher.known, number, &rule, 1), 0);
    assert_int_equal(known_stacks_find_mappings(teacher.known), 0);
}

static struct hook_stack counted(uint32_t number)
{
    const struct hook_stack *stacks;
    assert_int_equal(known_stacks_read(teacher.known, number + 1, &stacks), 0);
    return stacks[number];
}

static void blocks_of_a_known_stack_pass_no_probe_site(void **state)
{
    (void)state;
    teach_here(5);
    unsigned long allocs = seen.allocs, frees = seen.frees;
    void *blocks[10];
    for (size_t i = 0; i < 10; i++)
        blocks[i] = allocate_known(100);
    assert_int_equal(counted(5).alloc_bytes, 10 * 100 * 256);
    assert_int_equal(counted(5).alloc_blocks, 10 * 256);
    assert_int_equal(counted(5).freed_bytes, 0);
    for (size_t i = 0; i < 7; i++)
        hooked_free(blocks[i]);
    assert_int_equal(counted(5).freed_bytes, 7 * 100 * 256);
    assert_int_equal(counted(5).freed_blocks, 7 * 256);
    for (size_t i = 7; i < 10; i++)
        hooked_free(blocks[i]);
    assert_int_equal(counted(5).freed_bytes, 10 * 100 * 256);
    assert_int_equal(seen.allocs, allocs);
    assert_int_equal(seen.frees, frees);
    assert_int_equal(stub.data->header.counters.samples, allocs);
    assert_int_equal(counted(5).samples, 10);
    assert_int_equal(counted(5).frees, 10);
}

static void a_known_stack_is_estimated_without_bias_and_its_variance_goes_with_the_blocks(void **state)
{
    (void)state;
    teach_here(0);
    set_rate(rate_of(5000));
    enum { BLOCKS = 50000 };
    static void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = allocate_known(100);
    struct hook_stack all = counted(0);
    double truth = 100.0 * BLOCKS, error = sqrt((double)all.live_variance * 1024);
    assert_true(fabs((double)all.alloc_bytes / 256 - truth) < 5 * error);
    double p = -expm1(-101.0 / 5000);
    assert_true(fabs(error / (100 * sqrt(BLOCKS * (1 - p) / p)) - 1) < 0.2);
    for (size_t i = 0; i < BLOCKS; i++)
        hooked_free(blocks[i]);
    all = counted(0);
    assert_int_equal(all.freed_bytes, all.alloc_bytes);
    assert_int_equal(all.freed_blocks, all.alloc_blocks);
    assert_int_equal(all.live_variance, 0);
}

static void a_forgotten_stack_passes_the_probe_site_again_and_keeps_its_counts(void **state)
{
    (void)state;
    teach_here(0);
    void *before = allocate_known(64);
    assert_int_equal(known_stacks_forget(teacher.known), 0);
    unsigned long allocs = seen.allocs, frees = seen.frees;
    hooked_free(allocate_known(64));
    assert_int_equal(seen.allocs, allocs + 1);
    assert_int_equal(seen.frees, frees + 1);
    hooked_free(before);
    assert_int_equal(seen.frees, frees + 1);
    assert_int_equal(counted(0).freed_bytes, counted(0).alloc_bytes);
    teach_here(0);
    hooked_free(allocate_known(64));
    assert_int_equal(counted(0).alloc_bytes, 2 * 64 * 256);
}

struct steps {
    pthread_barrier_t allocated, taught;
};

static void *allocate_in_a_thread(void *userdata)
{
    struct steps *steps = userdata;
    hooked_free(allocate_known(32));
    pthread_barrier_wait(&steps->allocated);
    pthread_barrier_wait(&steps->taught);
    hooked_free(allocate_known(32));
    return NULL;
}

static void a_thread_is_trusted_once_its_stack_was_looked_up(void **state)
{
    (void)state;
    struct steps steps;
    pthread_barrier_init(&steps.taught, NULL, 2);
    pthread_barrier_init(&steps.allocated, NULL, 2);
    teach_here(0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, allocate_in_a_thread, &steps), 0);
    pthread_barrier_wait(&steps.allocated);
    uint64_t strangers = stub.data->header.counters.strangers;
    assert_int_equal(counted(0).alloc_bytes, 0);
    assert_int_equal(known_stacks_find_mappings(teacher.known), 0);
    pthread_barrier_wait(&steps.taught);
    pthread_join(thread, NULL);
    assert_int_equal(counted(0).alloc_bytes, 32 * 256);
    assert_int_equal(stub.data->header.counters.strangers, strangers);
    pthread_barrier_destroy(&steps.taught);
    pthread_barrier_destroy(&steps.allocated);
}

static void a_sample_through_the_kernel_uses_up_the_quota_sooner(void **state)
{
    (void)state;
    teach_here(0);
    stub.data->header.quota = 100;
    stub.data->header.trap_price = 30;
    stub.data->header.epoch++;
    for (int i = 0; i < 100; i++)
        hooked_free(allocate_known(8));
    assert_int_equal(stub.data->header.counters.rate_lowered, 0);
    assert_int_equal(known_stacks_forget(teacher.known), 0);
    stub.data->header.epoch++;
    for (int i = 0; i < 4; i++)
        hooked_free(allocate_known(8));
    assert_int_equal(stub.data->header.counters.rate_lowered, 1);
}

#define TEST(name)          cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_TEACHING(name) cmocka_unit_test_setup_teardown(name, set_up_teacher, tear_down_teacher)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_allocation_is_seen_at_interval_0),
        TEST(the_frame_is_that_of_the_caller_after_the_return),
        TEST(calloc_counts_the_product_and_refuses_overflow),
        TEST(aligned_blocks_are_seen),
        TEST(realloc_is_a_free_and_an_allocation_in_place_or_moved),
        TEST(a_failed_realloc_keeps_the_old_block),
        TEST(null_may_be_freed),
        TEST(an_address_that_comes_again_unfreed_ends_the_old_block),
        TEST(a_full_set_is_counted_and_no_block_is_lost_before),
        TEST(half_a_set_of_blocks_is_never_full),
        TEST(blocks_of_an_earlier_attachment_make_room),
        TEST(estimates_are_unbiased_and_their_errors_as_stated),
        TEST(stated_errors_are_honest),
        TEST(sites_with_different_intervals_share_a_countdown_without_bias),
        TEST(the_stub_lowers_a_rate_by_itself_without_heartbeats),
        TEST(a_disabled_stub_samples_nothing_and_forgets_nothing),
        TEST(threads_keep_the_books_exact_at_interval_0),
        TEST(many_threads_are_estimated_without_bias),
        TEST(threads_without_a_place_take_anothers),
        TEST(what_another_thread_leaves_in_a_place_silences_nobody),
        TEST(samples_that_find_no_place_lower_the_rate_too),
        TEST_TEACHING(blocks_of_a_known_stack_pass_no_probe_site),
        TEST_TEACHING(a_known_stack_is_estimated_without_bias_and_its_variance_goes_with_the_blocks),
        TEST_TEACHING(a_forgotten_stack_passes_the_probe_site_again_and_keeps_its_counts),
        TEST_TEACHING(a_thread_is_trusted_once_its_stack_was_looked_up),
        TEST_TEACHING(a_sample_through_the_kernel_uses_up_the_quota_sooner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
