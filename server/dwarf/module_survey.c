#include "dwarf/module_survey.h"

#include <ctype.h>
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

struct surveying {
    struct elf_image *image;
    struct module_survey *survey;
    bool has_functions;
    bool rust_symbol;
    const struct unit *first_unit; /* with lines of code that is not the library's; NULL: none */
    bool library_lines;
    int error;
};

static const char *const allocator_names[] = {
    "aligned_alloc",  "calloc",  "free",    "malloc",       "memalign",
    "posix_memalign", "pvalloc", "realloc", "reallocarray", "valloc",
};

/* What jemalloc and mimalloc call theirs, behind a prefix. */
static const char *const prefixed_names[] = {
    "aligned_alloc",  "calloc",       "calloc_aligned",  "dallocx",
    "free",           "free_aligned", "free_size",       "free_size_aligned",
    "mallocx",        "malloc",       "malloc_aligned",  "malloc_small",
    "mallocn",        "memalign",     "posix_memalign",  "pvalloc",
    "rallocx",        "realloc",      "realloc_aligned", "reallocarray",
    "reallocf",       "reallocn",     "rezalloc",        "rezalloc_aligned",
    "sdallocx",       "valloc",       "xallocx",         "zalloc",
    "zalloc_aligned", "zalloc_small",
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

#define IS_ONE_OF(name, names) is_one_of(name, names, sizeof(names) / sizeof((names)[0]))

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Asked of every symbol: most are mangled names, and out at their second letter. */
static bool is_allocator(const char *name)
{
    static const char *const prefixes[] = {"_rjem_", "je_", "mi_"};
    if (name[0] == '_' && name[1] != 'r')
        return false;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (starts_with(name, prefixes[i]) && IS_ONE_OF(name + strlen(prefixes[i]), prefixed_names))
            return true;
    return IS_ONE_OF(name, allocator_names);
}

/* The runtime's own names: plain up to Rust 1.86, since then in a crate "__rustc", mangled. */
static bool is_rust_runtime(const char *name)
{
    if (starts_with(name, "_R"))
        return strstr(name, "7___rustc") != NULL;
    return starts_with(name, "__rust_alloc") || strcmp(name, "rust_eh_personality") == 0 ||
           strcmp(name, "rust_begin_unwind") == 0;
}

/* .symtab and .dynsym name the same functions: each is taken once. */
static bool is_known(const struct module_survey *survey, const char *name, uint64_t address)
{
    for (size_t i = 0; i < survey->allocator_symbols.len; i++)
        if (survey->allocator_symbols.items[i].address == address &&
            strcmp(survey->allocator_symbols.items[i].name, name) == 0)
            return true;
    return false;
}

static bool survey_symbol(void *userdata, const char *name, const Elf64_Sym *symbol)
{
    struct surveying *surveying = userdata;
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (!surveying->rust_symbol && is_rust_runtime(name))
        surveying->rust_symbol = true;
    if (symbol->st_shndx == SHN_UNDEF || type != STT_FUNC)
        return true;
    surveying->has_functions = true;
    uint64_t offset;
    if (!is_allocator(name) || is_known(surveying->survey, name, symbol->st_value) ||
        !elf_image_file_offset(surveying->image, symbol->st_value, &offset))
        return true;
    struct module_symbol *slot = vec_push(&surveying->survey->allocator_symbols);
    if (!slot) {
        surveying->error = -ENOMEM;
        return false;
    }
    *slot = (struct module_symbol){name, symbol->st_value, offset};
    return true;
}

/* Rust's prebuilt library is compiled at /rustc/<hash>, what it depends on at /rust/deps. */
static bool is_library_path(const char *path)
{
    return strncmp(path, "/rustc/", 7) == 0 || strncmp(path, "/rust/deps/", 11) == 0;
}

static bool survey_unit(void *userdata, const struct unit *unit)
{
    struct surveying *surveying = userdata;
    if (unit->line_offset == NO_OFFSET)
        return true;
    if (is_library_path(unit->comp_dir) || is_library_path(unit->name))
        surveying->library_lines = true;
    else if (unit->language != DW_LANG_Mips_Assembler)
        surveying->first_unit = unit;
    return !surveying->first_unit;
}

static bool contains(struct bytes bytes, const char *needle)
{
    return bytes.len && memmem(bytes.data, bytes.len, needle, strlen(needle)) != NULL;
}

/* Panics name the library's files: "/rustc/<40 hex digits>/library/…". Programs that merely talk of such
 * paths do not. */
static bool names_library_file(struct bytes bytes)
{
    static const char prefix[] = "/rustc/";
    const size_t prefix_len = sizeof(prefix) - 1, hash_len = 40;
    if (!bytes.len)
        return false;
    const uint8_t *end = bytes.data + bytes.len;
    for (const uint8_t *at = bytes.data;; at++) {
        at = memmem(at, (size_t)(end - at), prefix, prefix_len);
        if (!at || (size_t)(end - at) < prefix_len + hash_len)
            return false;
        size_t digits = 0;
        while (digits < hash_len && isxdigit(at[prefix_len + digits]))
            digits++;
        if (digits == hash_len)
            return true;
    }
    return false;
}

static bool is_rust(struct elf_image *image, const struct surveying *surveying)
{
    return surveying->rust_symbol || contains(elf_image_section(image, ".comment"), "rustc version") ||
           names_library_file(elf_image_section(image, ".rodata"));
}

static void find_text(struct elf_image *image, struct module_info *info)
{
    Elf64_Phdr segment;
    for (size_t i = 0; elf_image_segment(image, i, &segment); i++) {
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X)) {
            info->text_address = segment.p_vaddr;
            info->text_offset = segment.p_offset;
            return;
        }
    }
}

static enum debug_level level_of(const struct surveying *surveying)
{
    if (surveying->first_unit)
        return DEBUG_LINES;
    if (surveying->library_lines)
        return DEBUG_LIBRARY_LINES;
    return surveying->has_functions ? DEBUG_SYMBOLS : DEBUG_NONE;
}

int module_survey_take(struct elf_image *image, struct debug_info *debug, struct module_survey *ret_survey)
{
    struct module_survey survey = {0};
    struct surveying surveying = {.image = image, .survey = &survey};
    elf_image_symbols(image, survey_symbol, &surveying);
    if (debug && debug_info_image(debug) != image)
        elf_image_symbols(debug_info_image(debug), survey_symbol, &surveying);
    if (surveying.error) {
        module_survey_release(&survey);
        return surveying.error;
    }
    if (debug)
        debug_info_visit_units(debug, survey_unit, &surveying);
    if (surveying.first_unit)
        survey.info.lacks_split = debug_info_lacks_split(debug, surveying.first_unit);
    struct bytes id = elf_image_build_id(image);
    if (id.len && id.len <= BUILD_ID_MAX) {
        memcpy(survey.info.build_id, id.data, id.len);
        survey.info.build_id_len = id.len;
    }
    survey.info.debug = level_of(&surveying);
    survey.info.rust = is_rust(image, &surveying);
    find_text(image, &survey.info);
    survey.info.allocator_symbols = survey.allocator_symbols.items;
    survey.info.allocator_symbol_count = survey.allocator_symbols.len;
    *ret_survey = survey;
    return 0;
}

void module_survey_release(struct module_survey *survey)
{
    vec_release(&survey->allocator_symbols);
    survey->info = (struct module_info){0};
}
