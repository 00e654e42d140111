#include "dwarf/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 65536

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(16) char data[];
};

void arena_release(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->left = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + 15) & ~(size_t)15;
    if (size > arena->left) {
        size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct arena_block *block = malloc(sizeof(*block) + capacity);
        if (!block)
            return NULL;
        block->next = arena->blocks;
        block->size = capacity;
        arena->blocks = block;
        arena->left = capacity;
    }
    void *ptr = arena->blocks->data + (arena->blocks->size - arena->left);
    arena->left -= size;
    return ptr;
}

char *arena_strdup(struct arena *arena, const char *str)
{
    size_t size = strlen(str) + 1;
    char *copy = arena_alloc(arena, size);
    return copy ? memcpy(copy, str, size) : NULL;
}

char *arena_join_path(struct arena *arena, const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    while (a_len > 1 && a[a_len - 1] == '/')
        a_len--;
    char *path = arena_alloc(arena, a_len + b_len + 2);
    if (!path)
        return NULL;
    memcpy(path, a, a_len);
    if (a_len && b_len && a[a_len - 1] != '/')
        path[a_len++] = '/';
    memcpy(path + a_len, b, b_len + 1);
    return path;
}
