/* Part of heap_plugin.rs: calls the allocator through words of .got.plt, which are bound at the first call.
 */
#include <stdlib.h>

void *lazy_allocate(size_t size);
void lazy_free(void *block);

void *lazy_allocate(size_t size)
{
    return malloc(size);
}

void lazy_free(void *block)
{
    free(block);
}
