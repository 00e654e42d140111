#include "base/vec.h"

#include <string.h>

bool vec_grow_(void **items, size_t *capacity, size_t len, size_t item_size)
{
    if (len == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : 16;
        void *moved = reallocarray(*items, grown, item_size);
        if (!moved)
            return false;
        *items = moved;
        *capacity = grown;
    }
    memset((char *)*items + len * item_size, 0, item_size);
    return true;
}
