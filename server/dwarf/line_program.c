#include "dwarf/line_program.h"

#include "base/md5.h"
#include "base/upper_bound.h"
#include "dwarf/line_header.h"

#include <dwarf.h>
#include <errno.h>

/* The state machine of DWARF 5 section 6.2.2, without the registers nobody here asks for. */
struct line_machine {
    const struct line_header *header;
    struct line_program *table;
    struct line_row row;
    size_t first_row; /* of the sequence under way */
    bool dropped;     /* the sequence under way belongs to code the linker dropped */
    int error;
};

void line_program_release(struct line_program *table)
{
    vec_release(&table->directories);
    vec_release(&table->files);
    vec_release(&table->rows);
    vec_release(&table->sequences);
}

static void machine_reset(struct line_machine *machine)
{
    machine->row = (struct line_row){.file = 1, .line = 1};
    machine->first_row = machine->table->rows.len;
    machine->dropped = false;
}

static void emit_row(struct line_machine *machine)
{
    if (machine->dropped)
        return;
    struct line_row *row = vec_push(&machine->table->rows);
    if (row)
        *row = machine->row;
    else
        machine->error = -ENOMEM;
}

static int compare_rows(const void *a, const void *b)
{
    const struct line_row *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static void sort_if_needed(struct line_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (rows[i].address < rows[i - 1].address) {
            qsort(rows, count, sizeof(*rows), compare_rows);
            return;
        }
    }
}

static void end_sequence(struct line_machine *machine)
{
    struct line_program *table = machine->table;
    size_t count = table->rows.len - machine->first_row;
    struct line_row *rows = count ? table->rows.items + machine->first_row : NULL;
    sort_if_needed(rows, count);
    if (count && rows[0].address < machine->row.address) {
        struct line_sequence *sequence = vec_push(&table->sequences);
        if (sequence)
            *sequence = (struct line_sequence){rows[0].address, machine->row.address,
                                               (uint32_t)machine->first_row, (uint32_t)count};
        else
            machine->error = -ENOMEM;
    } else {
        table->rows.len = machine->first_row;
    }
    machine_reset(machine);
}

static void run_extended(struct line_machine *machine, struct reader *reader)
{
    uint64_t len = reader_uleb(reader);
    if (reader->bad || len > reader_left(reader) || !len) {
        reader_fail(reader);
        return;
    }
    struct reader operands = {reader->pos, reader->pos + len, false};
    reader->pos += len;
    switch (reader_u8(&operands)) {
    case DW_LNE_end_sequence:
        end_sequence(machine);
        break;
    case DW_LNE_set_address:
        if (reader_left(&operands) > 8 || operands.bad)
            break;
        unsigned size = (unsigned)reader_left(&operands);
        uint64_t highest = size < 8 ? (1ull << (8 * size)) - 1 : UINT64_MAX;
        machine->row.address = reader_uint(&operands, size);
        machine->dropped = size && machine->row.address >= highest - 1;
        break;
    }
}

static void run_standard(struct line_machine *machine, struct reader *reader, uint8_t opcode)
{
    const struct line_header *header = machine->header;
    switch (opcode) {
    case DW_LNS_copy:
        emit_row(machine);
        break;
    case DW_LNS_advance_pc:
        machine->row.address += reader_uleb(reader) * header->min_instruction_length;
        break;
    case DW_LNS_advance_line:
        machine->row.line += (uint32_t)reader_sleb(reader);
        break;
    case DW_LNS_set_file:
        machine->row.file = (uint32_t)reader_uleb(reader);
        break;
    case DW_LNS_const_add_pc:
        if (header->line_range)
            machine->row.address +=
                (uint64_t)((255 - header->opcode_base) / header->line_range) * header->min_instruction_length;
        break;
    case DW_LNS_fixed_advance_pc:
        machine->row.address += reader_u16(reader);
        break;
    default: /* columns, statement marks and what later versions add: operands are all LEB128 */
        for (uint8_t i = 0; i < header->opcode_lengths[opcode - 1]; i++)
            reader_uleb(reader);
    }
}

static void run_special(struct line_machine *machine, uint8_t opcode)
{
    const struct line_header *header = machine->header;
    unsigned adjusted = opcode - header->opcode_base;
    if (header->line_range) {
        machine->row.address += (uint64_t)(adjusted / header->line_range) * header->min_instruction_length;
        machine->row.line += (uint32_t)(header->line_base + (int)(adjusted % header->line_range));
    }
    emit_row(machine);
}

static int compare_sequences(const void *a, const void *b)
{
    const struct line_sequence *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->first_row > y->first_row) - (x->first_row < y->first_row);
}

static int run_program(const struct line_header *header, struct line_program *table)
{
    struct line_machine machine = {.header = header, .table = table};
    struct reader reader = reader_of(header->program);
    machine_reset(&machine);
    while (reader_left(&reader) && !machine.error) {
        uint8_t opcode = reader_u8(&reader);
        if (opcode >= header->opcode_base)
            run_special(&machine, opcode);
        else if (opcode)
            run_standard(&machine, &reader, opcode);
        else
            run_extended(&machine, &reader);
    }
    table->rows.len = machine.first_row; /* a sequence without an end covers nothing */
    if (table->sequences.len)
        qsort(table->sequences.items, table->sequences.len, sizeof(*table->sequences.items),
              compare_sequences);
    return machine.error;
}

int line_program_read(const struct unit *unit, struct line_program *ret_table)
{
    struct line_program table = {.comp_dir = unit->comp_dir};
    struct line_header header;
    if (unit->line_offset == NO_OFFSET) {
        *ret_table = table;
        return 0;
    }
    int r = line_header_read(unit, unit->line_offset, &table, &header);
    if (r == 0)
        r = run_program(&header, &table);
    if (r == -ENOMEM) {
        line_program_release(&table);
        return r;
    }
    *ret_table = table;
    return 0;
}

/* The last sequence that starts at or before the address, and holds it. */
static const struct line_sequence *find_sequence(const struct line_program *table, uint64_t address)
{
    const struct line_sequence *items = table->sequences.items;
    size_t after = upper_bound(items, table->sequences.len, low, address);
    return after && address < items[after - 1].high ? &items[after - 1] : NULL;
}

const struct line_row *line_program_find(const struct line_program *table, uint64_t address)
{
    const struct line_sequence *sequence = find_sequence(table, address);
    if (!sequence)
        return NULL;
    const struct line_row *rows = table->rows.items + sequence->first_row;
    /* The first row is where the sequence starts: it is not behind the address. */
    return &rows[upper_bound(rows, sequence->row_count, address, address) - 1];
}

static const char *join(const struct line_program *table, const struct line_file *file, struct arena *arena)
{
    if (file->name[0] == '/')
        return file->name;
    const char *directory =
        file->directory < table->directories.len ? table->directories.items[file->directory] : "";
    if (directory[0] == '/')
        return arena_join_path(arena, directory, file->name);
    const char *base = arena_join_path(arena, table->comp_dir, directory);
    return base ? arena_join_path(arena, base, file->name) : NULL;
}

const struct line_file *line_program_file(struct line_program *table, uint32_t number, struct arena *arena)
{
    uint32_t index = table->version < 5 ? number - 1 : number;
    if (index >= table->files.len)
        return NULL;
    struct line_file *file = &table->files.items[index];
    if (!file->path) {
        file->path = join(table, file, arena);
        file->md5_text = file->md5 ? arena_strdup(arena, md5_text(file->md5).hex) : NULL;
    }
    return file->path ? file : NULL;
}
