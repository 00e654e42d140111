#include "dwarf/function_names.h"

#include "dwarf/demangle.h"

#include <dwarf.h>
#include <errno.h>

#define REFERENCES_MAX 16 /* hops from an inlined call to its name; more is a loop */

struct named_die {
    const char *linkage_name, *name; /* NULL: absent */
    struct die_ref origin;           /* abstract origin or specification */
};

void function_names_release(struct function_names *names)
{
    map_release(&names->by_die);
    map_release(&names->by_symbol);
}

static struct unit *unit_of(struct die_ref die)
{
    struct unit *unit = die.file ? dwarf_file_unit_at(die.file, die.offset) : NULL;
    return unit && die.offset >= unit->first_die && unit_read_root(unit) == 0 ? unit : NULL;
}

static void take_name(const struct unit *unit, const struct attribute *attribute, struct named_die *die)
{
    switch (attribute->name) {
    case DW_AT_linkage_name:
    case DW_AT_MIPS_linkage_name:
        die->linkage_name = attribute_string(unit, attribute);
        break;
    case DW_AT_name:
        die->name = attribute_string(unit, attribute);
        break;
    case DW_AT_abstract_origin:
    case DW_AT_specification:
        die->origin = attribute_reference(unit, attribute);
        break;
    }
}

static bool read_die(const struct unit *unit, struct die_ref ref, struct named_die *ret_die)
{
    struct named_die die = {0};
    struct reader reader = reader_at(bytes_slice(unit->file->sections.info, 0, unit->end), ref.offset);
    const struct abbrev *abbrev = abbrev_find(&unit->abbrevs, reader_uleb(&reader));
    if (!abbrev)
        return false;
    const struct abbrev_attribute *as = abbrev_attributes(&unit->abbrevs, abbrev);
    for (uint32_t i = 0; i < abbrev->attribute_count; i++) {
        struct attribute attribute;
        if (!attribute_read(&reader, unit, &as[i], &attribute))
            return false;
        take_name(unit, &attribute, &die);
    }
    *ret_die = die;
    return true;
}

struct qualifying {
    const struct unit *unit;
    struct reader reader;
    VEC(const char *) parents; /* names of the open DIEs; "" for those that are no namespace */
};

static bool names_scope(uint16_t tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
           tag == DW_TAG_enumeration_type || tag == DW_TAG_union_type;
}

/* Walks on to the DIE at `stop`; false when it is not reached. */
static bool walk_to(struct qualifying *walk, const uint8_t *stop)
{
    while (walk->reader.pos < stop) {
        uint64_t offset = (uint64_t)(walk->reader.pos - walk->unit->file->sections.info.data);
        uint64_t code = reader_uleb(&walk->reader);
        if (!code) {
            if (!walk->parents.len)
                return false;
            walk->parents.len--;
            continue;
        }
        const struct abbrev *abbrev = abbrev_find(&walk->unit->abbrevs, code);
        if (!abbrev || !attributes_skip(&walk->reader, walk->unit, abbrev))
            return false;
        if (!abbrev->has_children)
            continue;
        struct named_die die = {0};
        if (names_scope(abbrev->tag))
            read_die(walk->unit, (struct die_ref){walk->unit->file, offset}, &die);
        const char **slot = vec_push(&walk->parents);
        if (!slot)
            return false;
        *slot = die.name ? die.name : "";
    }
    return walk->reader.pos == stop;
}

/* Rust names functions that need no mangling only by their last part; which module they stand in, their
 * parents say. */
static int qualify(const struct unit *unit, struct die_ref die, struct buf *out)
{
    struct qualifying walk = {.unit = unit};
    walk.reader = reader_at(bytes_slice(unit->file->sections.info, 0, unit->end), unit->first_die);
    int r = 0;
    if (walk_to(&walk, unit->file->sections.info.data + die.offset))
        for (size_t i = 0; r == 0 && i < walk.parents.len; i++)
            if (*walk.parents.items[i])
                r = buf_appendf(out, "%s::", walk.parents.items[i]);
    vec_release(&walk.parents);
    return r;
}

/* Mangled names call everything a closure; DWARF knows "{async_fn#0}" and "{async_block#0}", and numbers
 * legacy closures too. */
static int name_closure(const char *plain, struct buf *out)
{
    const char *colon = out->len ? strrchr(out->data, ':') : NULL;
    if (!colon || colon[1] != '{' || plain[0] != '{')
        return 0;
    out->len = (size_t)(colon + 1 - out->data);
    return demangle_shorten(plain, out);
}

static int demangle(const struct function_names *names, const char *mangled, const char *plain,
                    struct buf *out)
{
    int r = names->full ? demangle_full(mangled, out) : demangle_short(mangled, out);
    return r < 0 ? r : name_closure(plain, out);
}

static int find_name(const struct function_names *names, struct die_ref ref, struct buf *out)
{
    struct named_die die = {0};
    const char *plain = NULL;
    struct die_ref plain_ref = {0};
    for (unsigned hops = 0; hops < REFERENCES_MAX && ref.file; hops++) {
        const struct unit *unit = unit_of(ref);
        if (!unit || !read_die(unit, ref, &die))
            break;
        if (die.linkage_name && *die.linkage_name)
            return demangle(names, die.linkage_name, die.name ? die.name : "", out);
        if (die.name) {
            plain = die.name;
            plain_ref = ref;
        }
        ref = die.origin;
    }
    if (!plain)
        return 0;
    const struct unit *unit = unit_of(plain_ref);
    int r = unit && unit->language == DW_LANG_Rust ? qualify(unit, plain_ref, out) : 0;
    if (r < 0)
        return r;
    return names->full ? buf_append_str(out, plain) : demangle_shorten(plain, out);
}

static const char *keep(struct function_names *names, struct map *map, uint64_t key, struct buf *name)
{
    const char *copy = name->len ? arena_strdup(names->arena, name->data) : "";
    if (!copy)
        return "";
    map_put(map, key, (uintptr_t)copy);
    return copy;
}

const char *function_names_of_die(struct function_names *names, struct die_ref die)
{
    uint64_t known;
    if (!die.file || die.offset >= die.file->sections.info.len)
        return "";
    uint64_t key = (uintptr_t)(die.file->sections.info.data + die.offset);
    if (map_get(&names->by_die, key, &known) == 0)
        return (const char *)(uintptr_t)known;
    OWNED_BUF struct buf name = BUF_INIT;
    if (find_name(names, die, &name) < 0)
        return "";
    return keep(names, &names->by_die, key, &name);
}

const char *function_names_of_symbol(struct function_names *names, const char *mangled, const char *plain)
{
    uint64_t known, key = (uintptr_t)mangled;
    if (map_get(&names->by_symbol, key, &known) == 0)
        return (const char *)(uintptr_t)known;
    OWNED_BUF struct buf name = BUF_INIT;
    if (demangle(names, mangled, plain, &name) < 0)
        return "";
    return keep(names, &names->by_symbol, key, &name);
}
