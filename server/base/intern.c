#include "base/intern.h"

#include <errno.h>
#include <string.h>

static uint64_t hash_of(const char *str)
{
    uint64_t hash = 14695981039346656037ull; /* FNV-1a */
    for (; *str; str++)
        hash = (hash ^ (uint8_t)*str) * 1099511628211ull;
    return hash;
}

void intern_release(struct intern *intern)
{
    for (size_t i = 0; i < intern->strings.len; i++)
        free(intern->strings.items[i]);
    vec_release(&intern->strings);
    vec_release(&intern->next);
    map_release(&intern->first_by_hash);
}

const char *intern_str(const struct intern *intern, uint32_t id)
{
    return id && id <= intern->strings.len ? intern->strings.items[id - 1] : "";
}

int intern_put(struct intern *intern, const char *str, uint32_t *ret_id)
{
    if (!*str) {
        *ret_id = 0;
        return 0;
    }
    uint64_t hash = hash_of(str), first = 0;
    map_get(&intern->first_by_hash, hash, &first);
    for (uint32_t id = (uint32_t)first; id; id = intern->next.items[id - 1])
        if (!strcmp(intern->strings.items[id - 1], str)) {
            *ret_id = id;
            return 0;
        }
    char *copy = strdup(str);
    uint32_t *next = vec_push(&intern->next);
    char **slot = next ? vec_push(&intern->strings) : NULL;
    uint32_t id = (uint32_t)intern->next.len;
    if (!copy || !slot || map_put(&intern->first_by_hash, hash, id) < 0) {
        free(copy);
        intern->strings.len -= slot != NULL;
        intern->next.len -= next != NULL;
        return -ENOMEM;
    }
    *slot = copy;
    *next = (uint32_t)first;
    *ret_id = id;
    return 0;
}
