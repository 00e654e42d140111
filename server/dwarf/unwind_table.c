#include "dwarf/unwind_table.h"

#include "dwarf/cfi.h"

#include <errno.h>

#define PAGE_SIZE (1ull << UNWIND_PAGE_SHIFT)

void unwind_table_release(struct unwind_table *table)
{
    free(table->elements);
    *table = (struct unwind_table){0};
}

static int compare_fdes(const void *a, const void *b)
{
    const struct cfi_fde *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->high > y->high) - (x->high < y->high);
}

static bool is_code(const struct elf_image *image, const struct cfi_fde *fde)
{
    Elf64_Phdr segment;
    for (size_t i = 0; elf_image_segment(image, i, &segment); i++)
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) && fde->low >= segment.p_vaddr &&
            fde->low - segment.p_vaddr < segment.p_memsz &&
            fde->high - fde->low <= segment.p_memsz - (fde->low - segment.p_vaddr))
            return true;
    return false;
}

static bool same_rule(const struct unwind_row *a, const struct unwind_row *b)
{
    return a->kind == b->kind && a->cfa_offset == b->cfa_offset && a->rbp_offset == b->rbp_offset;
}

/* Makes rows that say what the one before says already, or that begin where the next does, one. */
static void merge_rules(struct cfi_rules *rules)
{
    size_t kept = 0;
    struct cfi_rule *items = rules->items.items;
    for (size_t i = 0; i < rules->items.len; i++) {
        if (kept && items[kept - 1].pc == items[i].pc)
            kept--;
        if (!kept || !same_rule(&items[kept - 1].row, &items[i].row))
            items[kept++] = items[i];
    }
    rules->items.len = kept;
}

/* Where hand-written code makes a thread, its FDE ends before the system call, and the next one begins in the
 * new thread (clone.S and clone3.S of glibc). The thread that made it goes on under the rule of before. */
static bool ends_before_system_call(const struct cfi_fde *fde, struct bytes text, uint64_t text_address)
{
    static const uint8_t system_call[] = {0x0f, 0x05};
    struct bytes next = bytes_slice(text, fde->high - text_address, sizeof(system_call));
    return next.len && memcmp(next.data, system_call, sizeof(system_call)) == 0;
}

/* The last rule, of a gap, becomes the one before it, for the thread that made the other. */
static void carry_on_after_clone(struct cfi_rules *rules)
{
    if (rules->items.len < 2)
        return;
    struct cfi_rule *gap = &rules->items.items[rules->items.len - 1];
    if (gap[-1].row.kind != UNWIND_CFA_RSP)
        return;
    gap->row = gap[-1].row;
    gap->row.kind = UNWIND_CLONE;
}

/* All rules of the module in order, with those of the gaps between functions. */
static int collect_rules(struct elf_image *image, const struct cfi_section *section, struct cfi_fdes *fdes,
                         struct cfi_rules *rules)
{
    struct bytes text = elf_image_section(image, ".text");
    uint64_t text_address = elf_image_section_address(image, ".text");
    uint64_t covered = 0; /* up to here an FDE before has its say */
    qsort(fdes->items.items, fdes->items.len, sizeof(*fdes->items.items), compare_fdes);
    for (size_t i = 0; i < fdes->items.len; i++) {
        const struct cfi_fde *fde = &fdes->items.items[i];
        if (fde->low < covered || !is_code(image, fde))
            continue;
        int r = cfi_read_rules(section, fde, rules);
        struct cfi_rule *gap = r == 0 ? vec_push(&rules->items) : NULL;
        if (!gap)
            return -ENOMEM;
        gap->pc = fde->high;
        gap->row.kind = UNWIND_NONE;
        if (ends_before_system_call(fde, text, text_address))
            carry_on_after_clone(rules);
        covered = fde->high;
    }
    merge_rules(rules);
    return rules->items.len ? 0 : -ENODATA;
}

struct paging {
    const struct cfi_rules *rules;
    size_t next; /* rule */
    struct unwind_row in_force;
    struct unwind_table table;
};

static void put_page(struct unwind_table *table, uint32_t index, const struct unwind_row *rows, size_t count)
{
    if (count == 1) {
        table->elements[index].row = rows[0];
        return;
    }
    size_t lines = (count + UNWIND_LINE_ELEMENTS - 1) / UNWIND_LINE_ELEMENTS;
    table->elements[index].page = (struct unwind_page){
        .kind = UNWIND_ROWS,
        .line_count = (uint16_t)lines,
        .first_line = table->element_count / UNWIND_LINE_ELEMENTS,
    };
    for (size_t i = 0; i < lines * UNWIND_LINE_ELEMENTS; i++)
        table->elements[table->element_count++].row = rows[i < count ? i : count - 1];
}

static void fill_page(struct paging *paging, uint32_t index)
{
    const struct cfi_rule *rules = paging->rules->items.items;
    uint64_t start = paging->table.start + index * PAGE_SIZE;
    struct unwind_row rows[PAGE_SIZE];
    size_t count = 0;
    if (paging->next == paging->rules->items.len || rules[paging->next].pc != start)
        rows[count++] = paging->in_force;
    for (; paging->next < paging->rules->items.len && rules[paging->next].pc < start + PAGE_SIZE;
         paging->next++) {
        paging->in_force = rows[count] = rules[paging->next].row;
        rows[count++].pc = (uint8_t)(rules[paging->next].pc - start);
    }
    put_page(&paging->table, index, rows, count);
}

static int make_pages(const struct cfi_rules *rules, struct unwind_table *ret_table)
{
    struct paging paging = {.rules = rules, .in_force = {.kind = UNWIND_NONE}};
    uint64_t first = rules->items.items[0].pc, last = rules->items.items[rules->items.len - 1].pc;
    paging.table.start = first & ~(PAGE_SIZE - 1);
    uint64_t pages = (last - paging.table.start + PAGE_SIZE - 1) >> UNWIND_PAGE_SHIFT;
    if (pages > UNWIND_PAGES_MAX || rules->items.len > UINT32_MAX / 2)
        return -EFBIG;
    paging.table.page_count = (uint32_t)pages;
    paging.table.element_count =
        (uint32_t)(pages + UNWIND_LINE_ELEMENTS - 1) / UNWIND_LINE_ELEMENTS * UNWIND_LINE_ELEMENTS;
    /* A page adds one row at most, and leaves a line unfilled. */
    size_t most = paging.table.element_count + rules->items.len + pages * UNWIND_LINE_ELEMENTS;
    paging.table.elements = calloc(most, sizeof(*paging.table.elements));
    if (!paging.table.elements)
        return -ENOMEM;
    for (uint32_t i = 0; i < pages; i++)
        fill_page(&paging, i);
    *ret_table = paging.table;
    return 0;
}

static int compile_section(struct elf_image *image, const struct cfi_section *section,
                           struct unwind_table *ret_table)
{
    struct cfi_fdes fdes = {0};
    struct cfi_rules rules = {0};
    int r = section->contents.len ? cfi_read_fdes(section, &fdes) : -ENODATA;
    if (r == 0)
        r = fdes.items.len ? collect_rules(image, section, &fdes, &rules) : -ENODATA;
    if (r == 0)
        r = make_pages(&rules, ret_table);
    vec_release(&fdes.items);
    vec_release(&rules.items);
    return r;
}

int unwind_table_compile_eh_frame(struct elf_image *image, struct unwind_table *ret_table)
{
    struct cfi_section eh_frame = {
        .contents = elf_image_section(image, ".eh_frame"),
        .address = elf_image_section_address(image, ".eh_frame"),
        .eh_frame = true,
    };
    return compile_section(image, &eh_frame, ret_table);
}

int unwind_table_compile_debug_frame(struct elf_image *image, struct elf_image *separate,
                                     struct unwind_table *ret_table)
{
    struct cfi_section debug_frame = {.contents = elf_image_section(separate, ".debug_frame")};
    return compile_section(image, &debug_frame, ret_table);
}
