/* A program for test_heap_direct.py, linked statically: on a line of input it allocates BLOCKS blocks of
 * BYTES bytes through one function of its libc, while two threads churn; at the end of its input it checks
 * and frees them all.
 *
 *     hook_functions FUNCTION */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 20000
#define BYTES  1000

void *memalign(size_t alignment, size_t size);
void *valloc(size_t size);

static atomic_bool stop;

static void fail(const char *what)
{
    puts(what);
    exit(3);
}

static void *allocate(const char *function)
{
    void *block = NULL;
    if (!strcmp(function, "malloc"))
        return malloc(BYTES);
    if (!strcmp(function, "calloc"))
        return calloc(BYTES / 10, 10);
    if (!strcmp(function, "realloc"))
        return realloc(malloc(BYTES / 4), BYTES);
    if (!strcmp(function, "realloc_null"))
        return realloc(NULL, BYTES);
    if (!strcmp(function, "reallocarray"))
        return reallocarray(NULL, BYTES / 10, 10);
    if (!strcmp(function, "posix_memalign"))
        return posix_memalign(&block, 16, BYTES) ? NULL : block;
    if (!strcmp(function, "aligned_alloc"))
        return aligned_alloc(16, BYTES);
    if (!strcmp(function, "memalign"))
        return memalign(64, BYTES);
    if (!strcmp(function, "valloc"))
        return valloc(BYTES);
    fail("no such function");
    return NULL;
}

/* Never keeps anything for longer than a step. */
static void *churn(void *seed)
{
    uint64_t random = (uintptr_t)seed;
    while (!atomic_load(&stop)) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t size = 16 + (random >> 40) % 4000;
        uint64_t *block = malloc(size);
        block[1] = random;
        block = realloc(block, size * 2);
        if (block[1] != random)
            fail("damaged");
        free(block);
        if (random >> 60 == 0) {
            uint8_t *zeros = calloc(size, 1);
            if (zeros[size / 2])
                fail("not zeros");
            free(zeros);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static uint8_t *blocks[BLOCKS];
    static char output[1 << 16], line[16];
    pthread_t threads[2];
    setvbuf(stdout, output, _IOLBF, sizeof(output));
    setvbuf(stdin, line, _IOFBF, sizeof(line));
    for (uintptr_t i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, churn, (void *)(i + 1)))
            fail("no threads");
    puts("ready");
    while (getchar() == '\n') {
        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = allocate(argc > 1 ? argv[1] : "");
            memset(blocks[i], (int)i, BYTES);
        }
        puts("held");
    }
    for (size_t i = 0; i < BLOCKS && blocks[i]; i++) {
        if (blocks[i][0] != (uint8_t)i || blocks[i][BYTES - 1] != (uint8_t)i)
            fail("damaged");
        free(blocks[i]);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    puts("sound");
    return 0;
}
