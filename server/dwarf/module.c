#include "dwarf/module.h"

#include "dwarf/debug_info.h"
#include "dwarf/module_survey.h"
#include "dwarf/symbol_table.h"
#include "dwarf/unwind_table.h"

#include <errno.h>

struct module {
    struct elf_image *image;
    module_find_file_fn find_file;
    void *userdata;
    struct debug_info *debug; /* NULL: none, or not sought yet */
    bool debug_sought;
    struct module_survey survey;
    struct symbol_table symbols;
    bool symbols_read;
    struct arena arena;
    struct function_names names;
    VEC(struct source_frame) frames; /* of the last answer */
    bool verbatim;
};

static int take_survey(struct module *module)
{
    module_survey_release(&module->survey);
    return module_survey_take(module->image, module->debug, &module->survey);
}

static int open_debug_info(struct module *module)
{
    module->debug_sought = true;
    int r = debug_info_open(module->image, module->find_file, module->userdata, &module->debug);
    return r == -ENODATA ? 0 : r;
}

int module_find_debug_info(struct module *module)
{
    if (module->debug_sought)
        return 0;
    int r = open_debug_info(module);
    return r < 0 || !module->debug ? r : take_survey(module);
}

static int open_image(struct module *module, int fd)
{
    int r = elf_image_open(fd, &module->image);
    if (r == 0 && elf_image_has_section(module->image, ".debug_info"))
        r = open_debug_info(module);
    if (r == 0)
        r = take_survey(module);
    return r == 0 && module->survey.info.rust ? module_find_debug_info(module) : r;
}

int module_open(int fd, module_find_file_fn find_file, void *userdata, struct module **ret_module)
{
    struct module *module = calloc(1, sizeof(*module));
    if (!module)
        return -ENOMEM;
    module->find_file = find_file;
    module->userdata = userdata;
    module->names.arena = &module->arena;
    int r = open_image(module, fd);
    if (r < 0) {
        module_free(module);
        return r;
    }
    *ret_module = module;
    return 0;
}

void module_free(struct module *module)
{
    if (!module)
        return;
    vec_release(&module->frames);
    symbol_table_release(&module->symbols);
    module_survey_release(&module->survey);
    debug_info_free(module->debug);
    elf_image_free(module->image);
    function_names_release(&module->names);
    arena_release(&module->arena);
    free(module);
}

const struct module_info *module_info(const struct module *module)
{
    return &module->survey.info;
}

void module_set_full_names(struct module *module, bool full)
{
    module->names.full = full;
}

void module_set_verbatim(struct module *module, bool verbatim)
{
    module->verbatim = verbatim;
}

static int read_symbols(struct module *module)
{
    if (module->symbols_read)
        return 0;
    module->symbols_read = true;
    int r = symbol_table_add(&module->symbols, module->image);
    struct elf_image *separate = module->debug ? debug_info_image(module->debug) : NULL;
    if (r == 0 && separate && separate != module->image)
        r = symbol_table_add(&module->symbols, separate);
    symbol_table_sort(&module->symbols);
    return r;
}

static int find_symbol(struct module *module, uint64_t address, const struct function_symbol **ret_symbol)
{
    int r = read_symbols(module);
    if (r < 0)
        return r;
    *ret_symbol = symbol_table_find(&module->symbols, address);
    return *ret_symbol ? 0 : -ENOENT;
}

static struct source_frame *push_frame(struct module *module, const struct line_file *file, uint32_t line)
{
    struct source_frame *frame = vec_push(&module->frames);
    if (frame)
        *frame = (struct source_frame){.function = "",
                                       .file = file ? file->path : "",
                                       .file_md5 = file ? file->md5_text : NULL,
                                       .line = line};
    return frame;
}

static struct source_frame *push_place(struct module *module, struct indexed_unit *unit, uint64_t address,
                                       uint32_t scope, struct place place)
{
    if (!place.line && !module->verbatim)
        place = indexed_unit_mend(unit, address, scope, place);
    return push_frame(module, line_program_file(&unit->lines, place.file, &module->arena), place.line);
}

/* Innermost first: the row gives the innermost place, and each scope's entry where it was inlined into the
 * next. */
static int push_scopes(struct module *module, struct indexed_unit *unit, uint64_t address, uint32_t scope,
                       const struct line_row *row)
{
    struct place place = row ? (struct place){row->file, row->line} : (struct place){NO_FILE, 0};
    while (scope != NO_SCOPE) {
        const struct scope *entry = &unit->index.scopes.items[scope];
        struct source_frame *frame = push_place(module, unit, address, scope, place);
        if (!frame)
            return -ENOMEM;
        struct die_ref die = {unit->scopes_unit->file, unit->scopes_unit->offset + entry->die};
        frame->function = function_names_of_die(&module->names, die);
        place = (struct place){entry->call_file, entry->call_line};
        scope = entry->parent;
    }
    return 0;
}

static int resolve_in_unit(struct module *module, struct indexed_unit *unit, uint64_t address)
{
    const struct line_row *row = line_program_find(&unit->lines, address);
    uint32_t scope = unit_index_find(&unit->index, address);
    if (scope != NO_SCOPE)
        return push_scopes(module, unit, address, scope, row);
    if (!row)
        return 0;
    struct place place = {row->file, row->line};
    return push_place(module, unit, address, scope, place) ? 0 : -ENOMEM;
}

/* "work" and "{async_fn#0}", which is all that line tables alone have of most functions. */
static bool is_last_part_only(const char *name)
{
    return *name != '<' && name[strcspn(name, ":<")] != ':';
}

static bool ends_with_part(const char *path, const char *part)
{
    size_t path_len = strlen(path), len = strlen(part);
    return path_len > len + 2 && !strcmp(path + path_len - len, part) && path[path_len - len - 1] == ':';
}

/* A frame without a name of its own gets the symbol's, and so does one that has only the last part of it; an
 * address without a frame gets one if a symbol covers it. */
static int name_outermost(struct module *module, uint64_t address)
{
    const struct function_symbol *symbol = NULL;
    struct source_frame *frame = module->frames.len ? &module->frames.items[module->frames.len - 1] : NULL;
    const char *plain = frame ? frame->function : "";
    bool wants_name = is_last_part_only(plain);
    bool wants_file = module->verbatim && (!frame || !*frame->file);
    if (!wants_name && !wants_file)
        return 0;
    int r = find_symbol(module, address, &symbol);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (!frame && !(frame = push_frame(module, NULL, 0)))
        return -ENOMEM;
    if (wants_name) {
        const char *name = function_names_of_symbol(&module->names, symbol->name, plain);
        frame->function = !*plain || ends_with_part(name, plain) ? name : plain;
    }
    if (wants_file)
        frame->file = symbol->file;
    return 0;
}

int module_resolve(struct module *module, uint64_t address, const struct source_frame **ret_frames,
                   size_t *ret_count)
{
    struct indexed_unit *unit = NULL;
    module->frames.len = 0;
    int r = module_find_debug_info(module);
    if (r < 0)
        return r;
    r = module->debug ? debug_info_unit_at(module->debug, address, &unit) : -ENOENT;
    if (r == 0)
        r = resolve_in_unit(module, unit, address);
    if (r == 0 || r == -ENOENT)
        r = name_outermost(module, address);
    if (r < 0)
        return r;
    *ret_frames = module->frames.items;
    *ret_count = module->frames.len;
    return 0;
}

int module_unwind_table(struct module *module, struct unwind_table *ret_table)
{
    int r = unwind_table_compile_eh_frame(module->image, ret_table);
    if (r != -ENODATA)
        return r;
    r = module_find_debug_info(module);
    if (r < 0)
        return r;
    struct elf_image *separate = module->debug ? debug_info_image(module->debug) : module->image;
    return unwind_table_compile_debug_frame(module->image, separate, ret_table);
}
