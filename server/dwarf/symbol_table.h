/* The functions that symbol tables name: address → name, for code without DWARF. */
#ifndef RSPROF_DWARF_SYMBOL_TABLE_H
#define RSPROF_DWARF_SYMBOL_TABLE_H

#include "base/vec.h"
#include "dwarf/elf_image.h"

struct function_symbol {
    uint64_t address, size; /* size 0: up to the next symbol */
    const char *name;       /* mangled; the image's */
    const char *file;       /* what STT_FILE says of a local symbol; "" otherwise */
};

/* Sorted by address, one symbol an address. */
struct symbol_table {
    VEC(struct function_symbol) symbols;
};

void symbol_table_release(struct symbol_table *table);

/* Adds the defined functions of .symtab and .dynsym. −ENOMEM. */
int symbol_table_add(struct symbol_table *table, struct elf_image *image);

/* After the last add, before the first find. */
void symbol_table_sort(struct symbol_table *table);

/* The function at an address; NULL if none covers it. */
const struct function_symbol *symbol_table_find(const struct symbol_table *table, uint64_t address);

#endif
