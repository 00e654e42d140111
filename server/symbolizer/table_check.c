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

static bool rows_are_good(const union unwind_element *rows, size_t count)
{
    if (rows[0].row.pc != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (rows[i].row.kind > UNWIND_UNSUPPORTED || (i && rows[i].row.pc < rows[i - 1].row.pc))
            return false;
    return true;
}

static bool page_is_good(const union unwind_element *elements, const struct wire_table *table,
                         struct unwind_page page)
{
    uint32_t lines = table->element_count / UNWIND_LINE_ELEMENTS;
    if (page.kind != UNWIND_ROWS)
        return page.kind <= UNWIND_UNSUPPORTED;
    return page.line_count && page.line_count <= UNWIND_PAGE_LINES_MAX && page.first_line < lines &&
           page.line_count <= lines - page.first_line &&
           rows_are_good(elements + (size_t)page.first_line * UNWIND_LINE_ELEMENTS,
                         (size_t)page.line_count * UNWIND_LINE_ELEMENTS);
}

static bool table_is_good(const union unwind_element *elements, const struct wire_table *table)
{
    uint64_t lines = 0; /* pages that share rows could make the check take for ever */
    for (uint32_t i = 0; i < table->page_count; i++) {
        lines += elements[i].page.kind == UNWIND_ROWS ? elements[i].page.line_count : 0;
        if (lines > table->element_count / UNWIND_LINE_ELEMENTS ||
            !page_is_good(elements, table, elements[i].page))
            return false;
    }
    return true;
}

int table_map(int fd, const struct wire_table *table, const union unwind_element **ret_elements)
{
    if (!table->page_count || table->page_count > table->element_count ||
        table->element_count > WIRE_ELEMENTS_MAX || table->element_count % UNWIND_LINE_ELEMENTS ||
        table->start % (1u << UNWIND_PAGE_SHIFT) || !is_sealed(fd, size_of(table)))
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
