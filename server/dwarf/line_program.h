/* The line table of a unit: address → file and line (DWARF 5 section 6.2, versions 2 to 5).
 *
 * Rows are in the order of the program, which is by address within a sequence; sequences are sorted by
 * address. Paths are put together on first use, in the arena given. */
#ifndef RSPROF_DWARF_LINE_PROGRAM_H
#define RSPROF_DWARF_LINE_PROGRAM_H

#include "dwarf/arena.h"
#include "dwarf/dwarf_file.h"

struct line_row {
    uint64_t address;
    uint32_t line;
    uint32_t file; /* as the program has it: from 1 on before DWARF 5, from 0 on since */
};

#define NO_FILE UINT32_MAX

struct line_sequence {
    uint64_t low, high;            /* [low, high) */
    uint32_t first_row, row_count; /* the row that ends the sequence is not kept */
};

struct line_file {
    const char *name;
    uint32_t directory;
    const uint8_t *md5; /* of its content, MD5_BYTES; NULL: not given */
    /* NULL until asked for: */
    const char *path;     /* absolute if the table or comp_dir say so */
    const char *md5_text; /* NULL: not given */
};

struct line_program {
    uint16_t version;
    const char *comp_dir;
    VEC(const char *) directories;
    VEC(struct line_file) files;
    VEC(struct line_row) rows;
    VEC(struct line_sequence) sequences;
};

void line_program_release(struct line_program *table);

/* Reads the table the unit's root DIE names. A unit without one gives an empty table. Damage ends the table
 * early. −ENOMEM. `*ret_table` is the caller's to release. */
int line_program_read(const struct unit *unit, struct line_program *ret_table);

/* The row in force at an address; NULL if there is none. */
const struct line_row *line_program_find(const struct line_program *table, uint64_t address);

/* A file by its number, with its path; NULL for a number that is none, or out of memory. */
const struct line_file *line_program_file(struct line_program *table, uint32_t number, struct arena *arena);

#endif
