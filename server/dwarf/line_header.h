/* The header of a line number program. */
#ifndef RSPROF_DWARF_LINE_HEADER_H
#define RSPROF_DWARF_LINE_HEADER_H

#include "dwarf/line_program.h"

struct line_header {
    uint8_t offset_size, address_size;
    uint8_t min_instruction_length, line_range, opcode_base;
    int8_t line_base;
    const uint8_t *opcode_lengths; /* opcode_base − 1 of them, for opcodes from 1 on */
    struct bytes program;
};

/* Reads the header at `offset` of .debug_line, directories and files into `table`. −EBADMSG, −ENOMEM. */
int line_header_read(const struct unit *unit, uint64_t offset, struct line_program *table,
                     struct line_header *ret_header);

#endif
