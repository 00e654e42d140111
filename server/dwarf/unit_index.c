#include "dwarf/unit_index.h"

#include "base/upper_bound.h"
#include "dwarf/ranges.h"

#include <dwarf.h>
#include <errno.h>

struct scope_range {
    uint64_t low, high;
    uint32_t scope;
};

struct walk {
    const struct unit *unit;
    struct reader reader;
    struct unit_index *index;
    VEC(uint32_t) parents; /* the scope that each open DIE's children are in */
    VEC(struct scope_range) ranges;
    struct range_list scratch;
};

void unit_index_release(struct unit_index *index)
{
    vec_release(&index->scopes);
    vec_release(&index->segments);
}

static int add_ranges(struct walk *walk, const struct pc_attributes *pc, uint32_t scope)
{
    walk->scratch.items.len = 0;
    int r = ranges_read(walk->unit, pc, &walk->scratch);
    for (size_t i = 0; r == 0 && i < walk->scratch.items.len; i++) {
        struct scope_range *range = vec_push(&walk->ranges);
        if (!range)
            return -ENOMEM;
        *range =
            (struct scope_range){walk->scratch.items.items[i].low, walk->scratch.items.items[i].high, scope};
    }
    return r;
}

static bool is_needed(uint16_t attribute)
{
    return attribute == DW_AT_low_pc || attribute == DW_AT_high_pc || attribute == DW_AT_ranges ||
           attribute == DW_AT_call_file || attribute == DW_AT_call_line;
}

/* Reads a subprogram or inlined call. `*ret_scope` is NO_SCOPE for a declaration or an abstract instance, and
 * the parent for an inlined call that left no code of its own. */
static int read_scope(struct walk *walk, uint64_t die, const struct abbrev *abbrev, uint32_t parent,
                      uint32_t *ret_scope)
{
    struct pc_attributes pc = {0};
    bool inlined = abbrev->tag == DW_TAG_inlined_subroutine;
    struct scope scope = {.parent = inlined ? parent : NO_SCOPE, .die = (uint32_t)(die - walk->unit->offset)};
    const struct abbrev_attribute *as = abbrev_attributes(&walk->unit->abbrevs, abbrev);
    for (uint32_t i = 0; i < abbrev->attribute_count; i++) {
        struct attribute attribute;
        if (!is_needed(as[i].name)) {
            if (!attribute_skip(&walk->reader, walk->unit, &as[i]))
                return -EBADMSG;
            continue;
        }
        if (!attribute_read(&walk->reader, walk->unit, &as[i], &attribute))
            return -EBADMSG;
        if (attribute.name == DW_AT_call_file)
            scope.call_file = (uint32_t)attribute.value;
        else if (attribute.name == DW_AT_call_line)
            scope.call_line = (uint32_t)attribute.value;
        else
            pc_attributes_take(&pc, &attribute);
    }
    *ret_scope = inlined ? parent : NO_SCOPE;
    bool concrete = pc.ranges.name || (pc.low.name && pc.high.name);
    if (!concrete || (inlined && parent == NO_SCOPE) || walk->index->scopes.len >= NO_SCOPE)
        return 0;
    struct scope *slot = vec_push(&walk->index->scopes);
    if (!slot)
        return -ENOMEM;
    *slot = scope;
    *ret_scope = (uint32_t)(walk->index->scopes.len - 1);
    return add_ranges(walk, &pc, *ret_scope);
}

static bool is_scope(const struct abbrev *abbrev)
{
    return abbrev->tag == DW_TAG_subprogram || abbrev->tag == DW_TAG_inlined_subroutine;
}

/* One DIE, or the end of a list of children. 1 when the walk is over. */
static int walk_die(struct walk *walk, uint64_t die)
{
    uint64_t code = reader_uleb(&walk->reader);
    if (!code) {
        if (walk->parents.len <= 1)
            return 1;
        walk->parents.len--;
        return 0;
    }
    const struct abbrev *abbrev = abbrev_find(&walk->unit->abbrevs, code);
    if (!abbrev)
        return -EBADMSG;
    uint32_t parent = walk->parents.len ? walk->parents.items[walk->parents.len - 1] : NO_SCOPE;
    uint32_t scope = parent;
    if (is_scope(abbrev)) {
        int r = read_scope(walk, die, abbrev, parent, &scope);
        if (r < 0)
            return r;
    } else if (!attributes_skip(&walk->reader, walk->unit, abbrev)) {
        return -EBADMSG;
    }
    if (!abbrev->has_children)
        return !walk->parents.len;
    uint32_t *slot = vec_push(&walk->parents);
    if (!slot)
        return -ENOMEM;
    *slot = scope;
    return 0;
}

static int walk_unit(struct walk *walk)
{
    const uint8_t *start = walk->unit->file->sections.info.data;
    walk->reader =
        reader_at(bytes_slice(walk->unit->file->sections.info, 0, walk->unit->end), walk->unit->first_die);
    while (reader_left(&walk->reader)) {
        int r = walk_die(walk, (uint64_t)(walk->reader.pos - start));
        if (r == -ENOMEM)
            return r;
        if (r != 0 || walk->reader.bad)
            return 0;
    }
    return 0;
}

/* Outer ranges first: by start, then in the order of the walk, where parents come before their children. */
static int compare_ranges(const void *a, const void *b)
{
    const struct scope_range *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->scope > y->scope) - (x->scope < y->scope);
}

static int add_segment(struct unit_index *index, uint64_t start, uint32_t scope)
{
    size_t len = index->segments.len;
    if (len && index->segments.items[len - 1].start == start) {
        index->segments.items[len - 1].scope = scope;
        return 0;
    }
    struct segment *segment = vec_push(&index->segments);
    if (!segment)
        return -ENOMEM;
    *segment = (struct segment){start, scope};
    return 0;
}

/* Ends the ranges on the stack that end at or before `address`, innermost first, and lets what lies beneath
 * show again. */
static int pop_until(struct walk *walk, size_t *depth, uint64_t address, const struct scope_range *ranges,
                     const uint32_t *stack)
{
    while (*depth && ranges[stack[*depth - 1]].high <= address) {
        uint64_t end = ranges[stack[*depth - 1]].high;
        (*depth)--;
        while (*depth && ranges[stack[*depth - 1]].high <= end)
            (*depth)--;
        int r = add_segment(walk->index, end, *depth ? ranges[stack[*depth - 1]].scope : NO_SCOPE);
        if (r < 0)
            return r;
    }
    return 0;
}

static int flatten(struct walk *walk)
{
    size_t count = walk->ranges.len, depth = 0;
    if (!count)
        return 0;
    qsort(walk->ranges.items, count, sizeof(*walk->ranges.items), compare_ranges);
    uint32_t *stack = calloc(count, sizeof(*stack));
    if (!stack)
        return -ENOMEM;
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct scope_range *range = &walk->ranges.items[i];
        r = pop_until(walk, &depth, range->low, walk->ranges.items, stack);
        if (r == 0)
            r = add_segment(walk->index, range->low, range->scope);
        stack[depth++] = (uint32_t)i;
    }
    if (r == 0)
        r = pop_until(walk, &depth, UINT64_MAX, walk->ranges.items, stack);
    free(stack);
    return r;
}

int unit_index_build(const struct unit *unit, struct unit_index *ret_index)
{
    struct unit_index index = {0};
    struct walk walk = {.unit = unit, .index = &index};
    int r = walk_unit(&walk);
    if (r == 0)
        r = flatten(&walk);
    vec_release(&walk.parents);
    vec_release(&walk.ranges);
    vec_release(&walk.scratch.items);
    if (r < 0) {
        unit_index_release(&index);
        return r;
    }
    *ret_index = index;
    return 0;
}

uint32_t unit_index_find(const struct unit_index *index, uint64_t address)
{
    size_t after = upper_bound(index->segments.items, index->segments.len, start, address);
    return after ? index->segments.items[after - 1].scope : NO_SCOPE;
}
