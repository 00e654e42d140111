#include "dwarf/cfi_entry.h"

#include <dwarf.h>
#include <errno.h>

enum { REGISTER_RBP = 6, REGISTER_RSP = 7, REGISTER_RIP = 16 }; /* System V AMD64 ABI, figure 3.36 */

/* DW_CFA_remember_state nests; deeper than compilers ever do is taken for damage. */
#define STATES_MAX 32

enum register_rule { RULE_SAME = 0, RULE_OFFSET, RULE_EXPRESSION, RULE_UNDEFINED, RULE_OTHER };

struct saved_register {
    enum register_rule rule;
    int64_t offset;          /* from the CFA */
    struct bytes expression; /* of the address it is saved at */
};

/* The row under way, as far as we can use it. */
struct cfi_state {
    bool cfa_is_expression;
    uint64_t cfa_register;
    int64_t cfa_offset;
    struct bytes cfa_expression;
    struct saved_register rbp, rip;
};

struct cfi_machine {
    const struct cfi_cie *cie;
    const struct cfi_fde *fde;
    struct cfi_rules *rules; /* NULL while the initial instructions run */
    uint64_t pc;
    struct cfi_state state, initial;
    struct cfi_state remembered[STATES_MAX];
    unsigned depth;
    bool lost; /* an instruction was not understood: the rest of the function has no rules */
    int error;
};

/* "breg `reg` + offset", and optionally "deref" behind it. */
static bool is_register_offset(struct bytes expression, uint8_t reg, bool deref, int64_t *ret_offset)
{
    struct reader reader = reader_of(expression);
    if (reader_u8(&reader) != DW_OP_breg0 + reg)
        return false;
    int64_t offset = reader_sleb(&reader);
    if (deref && reader_u8(&reader) != DW_OP_deref)
        return false;
    if (reader.bad || reader_left(&reader))
        return false;
    *ret_offset = offset;
    return true;
}

/* "breg rsp + slot; deref; plus_uconst added", as perlasm has it for functions that align their stack: packed
 * as UNWIND_CFA_RSP_DEREF wants it. */
static bool is_saved_stack_pointer(struct bytes expression, int64_t *ret_packed)
{
    struct reader reader = reader_of(expression);
    if (reader_u8(&reader) != DW_OP_breg0 + REGISTER_RSP)
        return false;
    int64_t slot = reader_sleb(&reader);
    if (reader_u8(&reader) != DW_OP_deref)
        return false;
    uint64_t added = 0;
    if (reader_left(&reader)) {
        if (reader_u8(&reader) != DW_OP_plus_uconst)
            return false;
        added = reader_uleb(&reader);
    }
    if (reader.bad || reader_left(&reader) || added > 255 || slot > INT32_MAX / 256 || slot < INT32_MIN / 256)
        return false;
    *ret_packed = slot * 256 + (int64_t)added;
    return true;
}

/* What binutils and lld say of lazy PLT entries: rsp + 8 + ((rip & 15) >= N) * 8. 0 if it is anything else,
 * else N. */
static unsigned plt_push_end(struct bytes expression)
{
    static const uint8_t head[] = {DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and};
    static const uint8_t tail[] = {DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
    if (expression.len != sizeof(head) + 1 + sizeof(tail) ||
        memcmp(expression.data, head, sizeof(head)) != 0 ||
        memcmp(expression.data + sizeof(head) + 1, tail, sizeof(tail)) != 0)
        return 0;
    uint8_t literal = expression.data[sizeof(head)];
    return literal > DW_OP_lit0 && literal < DW_OP_lit16 ? literal - DW_OP_lit0 : 0;
}

static struct unwind_row unsupported(void)
{
    return (struct unwind_row){.kind = UNWIND_UNSUPPORTED};
}

static bool cfa_of(const struct cfi_state *state, struct unwind_row *row)
{
    int64_t offset = state->cfa_offset;
    if (state->cfa_is_expression) {
        if (plt_push_end(state->cfa_expression) == 11)
            row->kind = UNWIND_PLT;
        else if (is_register_offset(state->cfa_expression, REGISTER_RBP, true, &offset))
            row->kind = UNWIND_CFA_RBP_DEREF;
        else if (is_saved_stack_pointer(state->cfa_expression, &offset))
            row->kind = UNWIND_CFA_RSP_DEREF;
        else
            return false;
    } else if (state->cfa_register == REGISTER_RSP) {
        row->kind = UNWIND_CFA_RSP;
    } else if (state->cfa_register == REGISTER_RBP) {
        row->kind = UNWIND_CFA_RBP;
    } else {
        return false;
    }
    if (offset < INT32_MIN || offset > INT32_MAX)
        return false;
    row->cfa_offset = (int32_t)(row->kind == UNWIND_PLT ? 0 : offset);
    return true;
}

static bool rbp_of(const struct cfi_state *state, struct unwind_row *row)
{
    int64_t offset;
    /* Realigned frames push rbp where the new rbp points: the unwinder knows that of this kind of row. */
    if (row->kind == UNWIND_CFA_RBP_DEREF)
        return state->rbp.rule == RULE_EXPRESSION &&
               is_register_offset(state->rbp.expression, REGISTER_RBP, false, &offset) && offset == 0;
    switch (state->rbp.rule) {
    case RULE_SAME:
    case RULE_UNDEFINED:
        return true;
    case RULE_OFFSET:
        row->rbp_offset = (int16_t)state->rbp.offset;
        return state->rbp.offset == row->rbp_offset;
    default:
        return false;
    }
}

static struct unwind_row row_of(const struct cfi_machine *machine)
{
    const struct cfi_state *state = &machine->state;
    struct unwind_row row = {0};
    if (machine->cie->signal_frame)
        return (struct unwind_row){.kind = UNWIND_SIGNAL};
    if (machine->lost)
        return unsupported();
    if (state->rip.rule == RULE_UNDEFINED)
        return (struct unwind_row){.kind = UNWIND_END};
    if (state->rip.rule != RULE_OFFSET || state->rip.offset != -8 || !cfa_of(state, &row) ||
        !rbp_of(state, &row))
        return unsupported();
    return row;
}

static void push_rule(struct cfi_machine *machine, uint64_t pc, struct unwind_row row)
{
    struct cfi_rule *rule = vec_push(&machine->rules->items);
    if (rule)
        *rule = (struct cfi_rule){pc, row};
    else
        machine->error = -ENOMEM;
}

/* A PLT whose push ends elsewhere than UNWIND_PLT has it, as plain rows: two for each entry of 16 bytes. */
static void push_plt_rules(struct cfi_machine *machine, uint64_t from, uint64_t to, unsigned push_end)
{
    struct unwind_row before = {.kind = UNWIND_CFA_RSP, .cfa_offset = 8};
    struct unwind_row after = {.kind = UNWIND_CFA_RSP, .cfa_offset = 16};
    push_rule(machine, from, (from & 15) >= push_end ? after : before);
    for (uint64_t entry = from & ~15ull; entry < to && !machine->error; entry += 16) {
        if (entry > from)
            push_rule(machine, entry, before);
        if (entry + push_end > from && entry + push_end < to)
            push_rule(machine, entry + push_end, after);
    }
}

/* The state has been in force from machine->pc; now it ends at `to`. */
static void end_row(struct cfi_machine *machine, uint64_t to)
{
    uint64_t from = machine->pc;
    if (to > machine->fde->high)
        to = machine->fde->high;
    if (!machine->rules || to <= from)
        return;
    unsigned push_end = machine->state.cfa_is_expression ? plt_push_end(machine->state.cfa_expression) : 0;
    if (push_end && push_end != 11 && !machine->lost)
        push_plt_rules(machine, from, to, push_end);
    else
        push_rule(machine, from, row_of(machine));
    machine->pc = to;
}

static void advance(struct cfi_machine *machine, uint64_t delta)
{
    uint64_t bytes, to;
    if (__builtin_mul_overflow(delta, machine->cie->code_align, &bytes) ||
        __builtin_add_overflow(machine->pc, bytes, &to))
        to = machine->fde->high;
    end_row(machine, to);
}

static void set_rule(struct cfi_machine *machine, uint64_t reg, struct saved_register saved)
{
    if (reg == REGISTER_RBP)
        machine->state.rbp = saved;
    else if (reg == machine->cie->return_register)
        machine->state.rip = saved;
}

static void set_offset(struct cfi_machine *machine, uint64_t reg, int64_t factored)
{
    int64_t offset;
    if (__builtin_mul_overflow(factored, machine->cie->data_align, &offset))
        machine->lost = true;
    else
        set_rule(machine, reg, (struct saved_register){.rule = RULE_OFFSET, .offset = offset});
}

static void restore(struct cfi_machine *machine, uint64_t reg)
{
    set_rule(machine, reg, reg == REGISTER_RBP ? machine->initial.rbp : machine->initial.rip);
}

static void define_cfa(struct cfi_machine *machine, uint64_t reg, int64_t offset)
{
    machine->state.cfa_is_expression = false;
    machine->state.cfa_register = reg;
    machine->state.cfa_offset = offset;
}

static int64_t factor(const struct cfi_machine *machine, int64_t factored)
{
    int64_t offset;
    return __builtin_mul_overflow(factored, machine->cie->data_align, &offset) ? INT64_MAX : offset;
}

static struct bytes read_block(struct reader *reader)
{
    uint64_t len = reader_uleb(reader);
    struct bytes block = {reader->pos, (size_t)len};
    reader_skip(reader, len);
    if (reader->bad)
        block.len = 0;
    return block;
}

static void run_cfa(struct cfi_machine *machine, struct reader *reader, uint8_t opcode)
{
    uint64_t reg;
    switch (opcode) {
    case DW_CFA_def_cfa:
        reg = reader_uleb(reader);
        define_cfa(machine, reg, (int64_t)reader_uleb(reader));
        break;
    case DW_CFA_def_cfa_sf:
        reg = reader_uleb(reader);
        define_cfa(machine, reg, factor(machine, reader_sleb(reader)));
        break;
    case DW_CFA_def_cfa_register:
        define_cfa(machine, reader_uleb(reader), machine->state.cfa_offset);
        break;
    case DW_CFA_def_cfa_offset:
        define_cfa(machine, machine->state.cfa_register, (int64_t)reader_uleb(reader));
        break;
    case DW_CFA_def_cfa_offset_sf:
        define_cfa(machine, machine->state.cfa_register, factor(machine, reader_sleb(reader)));
        break;
    case DW_CFA_def_cfa_expression:
        machine->state.cfa_is_expression = true;
        machine->state.cfa_expression = read_block(reader);
        break;
    }
}

static void run_register(struct cfi_machine *machine, struct reader *reader, uint8_t opcode)
{
    uint64_t reg = reader_uleb(reader);
    switch (opcode) {
    case DW_CFA_offset_extended:
        set_offset(machine, reg, (int64_t)reader_uleb(reader));
        break;
    case DW_CFA_offset_extended_sf:
        set_offset(machine, reg, reader_sleb(reader));
        break;
    case DW_CFA_GNU_negative_offset_extended:
        set_offset(machine, reg, -(int64_t)reader_uleb(reader));
        break;
    case DW_CFA_restore_extended:
        restore(machine, reg);
        break;
    case DW_CFA_undefined:
        set_rule(machine, reg, (struct saved_register){.rule = RULE_UNDEFINED});
        break;
    case DW_CFA_same_value:
        set_rule(machine, reg, (struct saved_register){.rule = RULE_SAME});
        break;
    case DW_CFA_expression:
        set_rule(machine, reg,
                 (struct saved_register){.rule = RULE_EXPRESSION, .expression = read_block(reader)});
        break;
    case DW_CFA_val_expression:
        read_block(reader);
        set_rule(machine, reg, (struct saved_register){.rule = RULE_OTHER});
        break;
    default: /* DW_CFA_register, DW_CFA_val_offset, DW_CFA_val_offset_sf */
        reader_uleb(reader);
        set_rule(machine, reg, (struct saved_register){.rule = RULE_OTHER});
    }
}

static void run_state(struct cfi_machine *machine, uint8_t opcode)
{
    if (opcode == DW_CFA_remember_state) {
        if (machine->depth < STATES_MAX)
            machine->remembered[machine->depth++] = machine->state;
        else
            machine->lost = true;
    } else if (machine->depth) {
        machine->state = machine->remembered[--machine->depth];
    } else {
        machine->lost = true;
    }
}

static void run_extended(struct cfi_machine *machine, struct reader *reader, uint8_t opcode)
{
    switch (opcode) {
    case DW_CFA_nop:
        break;
    case DW_CFA_set_loc:
        machine->lost = true; /* no tool for this machine makes it */
        break;
    case DW_CFA_advance_loc1:
        advance(machine, reader_u8(reader));
        break;
    case DW_CFA_advance_loc2:
        advance(machine, reader_u16(reader));
        break;
    case DW_CFA_advance_loc4:
        advance(machine, reader_u32(reader));
        break;
    case DW_CFA_remember_state:
    case DW_CFA_restore_state:
        run_state(machine, opcode);
        break;
    case DW_CFA_GNU_args_size:
        reader_uleb(reader);
        break;
    case DW_CFA_def_cfa:
    case DW_CFA_def_cfa_sf:
    case DW_CFA_def_cfa_register:
    case DW_CFA_def_cfa_offset:
    case DW_CFA_def_cfa_offset_sf:
    case DW_CFA_def_cfa_expression:
        run_cfa(machine, reader, opcode);
        break;
    case DW_CFA_offset_extended:
    case DW_CFA_offset_extended_sf:
    case DW_CFA_GNU_negative_offset_extended:
    case DW_CFA_restore_extended:
    case DW_CFA_undefined:
    case DW_CFA_same_value:
    case DW_CFA_register:
    case DW_CFA_expression:
    case DW_CFA_val_expression:
    case DW_CFA_val_offset:
    case DW_CFA_val_offset_sf:
        run_register(machine, reader, opcode);
        break;
    default:
        machine->lost = true;
    }
}

static void run(struct cfi_machine *machine, const uint8_t *instructions, const uint8_t *end)
{
    struct reader reader = {instructions, end, false};
    while (reader_left(&reader) && !machine->lost && !machine->error) {
        uint8_t opcode = reader_u8(&reader), low = opcode & 0x3f;
        switch (opcode & 0xc0) {
        case DW_CFA_advance_loc:
            advance(machine, low);
            break;
        case DW_CFA_offset:
            set_offset(machine, low, (int64_t)reader_uleb(&reader));
            break;
        case DW_CFA_restore:
            restore(machine, low);
            break;
        default:
            run_extended(machine, &reader, opcode);
        }
    }
    machine->lost |= reader.bad;
}

int cfi_read_rules(const struct cfi_section *section, const struct cfi_fde *fde, struct cfi_rules *rules)
{
    struct cfi_cie cie;
    if (cfi_read_cie(section, fde->cie, &cie) < 0)
        return 0;
    struct cfi_machine machine = {.cie = &cie, .fde = fde, .pc = fde->low};
    run(&machine, cie.instructions, cie.end);
    machine.initial = machine.state;
    machine.rules = rules;
    machine.depth = 0;
    if (!machine.lost)
        run(&machine, fde->instructions, fde->end);
    end_row(&machine, fde->high);
    return machine.error;
}
