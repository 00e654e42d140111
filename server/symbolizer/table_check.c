#include "symbolizer/table_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

static size_t size_of(const struct wire_table *table)
{
    return (size_t)table->element_count * sizeof(union unwind_element);
}

static bool is_sealed(int fd, size_t size)
{
    const int needed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & needed) == needed && fstat(fd, &st) == 0 && (size_t)st.st_size == size;
}

static bool page_is_good(const union unwind_element *elements, const struct wire_table *table,
                         struct unwind_page page)
{
    if (!page.row_count)
        return true;
    if (page.row_count > 1u << UNWIND_PAGE_SHIFT || page.first_row < table->page_count ||
        page.first_row > table->element_count || page.row_count > table->element_count - page.first_row)
        return false;
    const union unwind_element *rows = elements + page.first_row;
    if (rows[0].row.pc != 0)
        return false;
    for (uint32_t i = 0; i < page.row_count; i++)
        if (rows[i].row.kind > UNWIND_UNSUPPORTED || (i && rows[i].row.pc <= rows[i - 1].row.pc))
            return false;
    return true;
}

static bool table_is_good(const union unwind_element *elements, const struct wire_table *table)
{
    uint64_t rows = 0; /* pages that share rows could make the check take for ever */
    for (uint32_t i = 0; i < table->page_count; i++) {
        rows += elements[i].page.row_count;
        if (rows > table->element_count || !page_is_good(elements, table, elements[i].page))
            return false;
    }
    return true;
}

int table_map(int fd, const struct wire_table *table, const union unwind_element **ret_elements)
{
    if (!table->page_count || table->page_count > table->element_count ||
        table->element_count > WIRE_ELEMENTS_MAX || table->start % (1u << UNWIND_PAGE_SHIFT) ||
        !is_sealed(fd, size_of(table)))
        return -EBADMSG;
    void *elements = mmap(NULL, size_of(table), PROT_READ, MAP_PRIVATE, fd, 0);
    if (elements == MAP_FAILED)
        return -errno;
    if (!table_is_good(elements, table)) {
        munmap(elements, size_of(table));
        return -EBADMSG;
    }
    *ret_elements = elements;
    return 0;
}

void table_unmap(const union unwind_element *elements, const struct wire_table *table)
{
    munmap((void *)elements, size_of(table));
}
