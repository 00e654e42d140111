#include "dwarf/symbol_table.h"

#include "base/upper_bound.h"

#include <errno.h>

struct adding {
    struct symbol_table *table;
    const char *file; /* the last STT_FILE */
    int error;
};

void symbol_table_release(struct symbol_table *table)
{
    vec_release(&table->symbols);
}

static bool add_symbol(void *userdata, const char *name, const Elf64_Sym *symbol)
{
    struct adding *adding = userdata;
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (type == STT_FILE)
        adding->file = name;
    bool code = type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
    if (!code || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE || !*name)
        return true;
    if (type == STT_NOTYPE && !symbol->st_size)
        return true; /* labels of the linker: "_end", "__GNU_EH_FRAME_HDR" */
    struct function_symbol *slot = vec_push(&adding->table->symbols);
    if (!slot) {
        adding->error = -ENOMEM;
        return false;
    }
    *slot = (struct function_symbol){
        .address = symbol->st_value,
        .size = symbol->st_size,
        .name = name,
        .file = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL ? adding->file : "",
    };
    return true;
}

int symbol_table_add(struct symbol_table *table, struct elf_image *image)
{
    struct adding adding = {.table = table, .file = ""};
    elf_image_symbols(image, add_symbol, &adding);
    return adding.error;
}

static size_t count_underscores(const char *name)
{
    size_t count = 0;
    while (name[count] == '_')
        count++;
    return count;
}

/* Of several names for one address: first those with a size, then those without leading underscores. */
static int compare_symbols(const void *a, const void *b)
{
    const struct function_symbol *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (!x->size != !y->size)
        return x->size ? -1 : 1;
    size_t x_underscores = count_underscores(x->name), y_underscores = count_underscores(y->name);
    if (x_underscores != y_underscores)
        return x_underscores < y_underscores ? -1 : 1;
    return strcmp(x->name, y->name);
}

void symbol_table_sort(struct symbol_table *table)
{
    size_t kept = 0;
    if (!table->symbols.len)
        return;
    struct function_symbol *items = table->symbols.items;
    qsort(items, table->symbols.len, sizeof(*items), compare_symbols);
    for (size_t i = 0; i < table->symbols.len; i++) {
        if (!kept || items[i].address != items[kept - 1].address)
            items[kept++] = items[i];
        else if (!*items[i].file)
            items[kept - 1].file = ""; /* one of its names is not local to a file */
    }
    table->symbols.len = kept;
}

const struct function_symbol *symbol_table_find(const struct symbol_table *table, uint64_t address)
{
    size_t after = upper_bound(table->symbols.items, table->symbols.len, address, address);
    if (!after)
        return NULL;
    const struct function_symbol *symbol = &table->symbols.items[after - 1];
    return symbol->size && address - symbol->address >= symbol->size ? NULL : symbol;
}
