#include "session/modules.h"

#include "base/clock.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void modules_init(struct modules *modules, pid_t pid)
{
    *modules = (struct modules){.pid = pid};
}

void modules_release(struct modules *modules)
{
    for (size_t i = 0; i < modules->items.len; i++) {
        struct target_module *module = &modules->items.items[i];
        free(module->path);
        cleanup_fd(&module->fd);
        vec_release(&module->heap_symbols);
        vec_release(&module->hook_candidates);
        vec_release(&module->direct_functions);
    }
    vec_release(&modules->items);
    memory_maps_release(&modules->maps);
}

static bool has_code(const struct memory_map *map)
{
    return map->executable && (map->inode || !strcmp(map->path, "[vdso]"));
}

static struct target_module *find(const struct modules *modules, const struct memory_map *map,
                                  uint32_t *ret_number)
{
    for (size_t i = 0; i < modules->items.len; i++) {
        struct target_module *module = &modules->items.items[i];
        if (module->device == map->device && module->inode == map->inode &&
            !strcmp(module->path, map->path)) {
            *ret_number = (uint32_t)i;
            return module;
        }
    }
    return NULL;
}

static int hand_over(struct modules *modules, uint32_t number, struct symbolizer *symbolizer)
{
    struct target_module *module = &modules->items.items[number];
    int fd = module->fd < 0 ? -1 : dup(module->fd);
    if (fd < 0) {
        module->opened = module->has_table = module->scanned = true;
        module->debug = DEBUG_NONE;
        return 0;
    }
    return symbolizer_open_module(symbolizer, number, fd, module->path, modules->pid);
}

static uint64_t written_ns(int fd)
{
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0)
        return 0;
    return (uint64_t)info.st_mtim.tv_sec * NS_PER_SEC + (uint64_t)info.st_mtim.tv_nsec;
}

static int add(struct modules *modules, const struct memory_map *map, struct symbolizer *symbolizer)
{
    if (modules->items.len >= MODULES_MAX)
        return 0; /* its frames count as in no mapping */
    OWNED_MEM char *path = strdup(map->path);
    struct target_module *module = path ? vec_push(&modules->items) : NULL;
    if (!module)
        return -ENOMEM;
    *module = (struct target_module){
        .path = take_ptr(path), .device = map->device, .inode = map->inode, .fd = -1, .mapped = true};
    memory_map_open(modules->pid, map, &module->fd);
    module->written_ns = written_ns(module->fd);
    return hand_over(modules, (uint32_t)modules->items.len - 1, symbolizer);
}

static int ask_about(struct symbolizer *symbolizer, uint32_t number)
{
    int r = symbolizer_scan_slots(symbolizer, number);
    return r < 0 ? r : symbolizer_compile_unwind_table(symbolizer, number);
}

/* Notes which modules are mapped, and adds those that are new. */
static int find_mapped(struct modules *modules, struct symbolizer *symbolizer)
{
    int r = 0;
    for (size_t i = 0; i < modules->items.len; i++)
        modules->items.items[i].mapped = false;
    for (size_t i = 0; r == 0 && i < modules->maps.len; i++) {
        const struct memory_map *map = &modules->maps.items[i];
        uint32_t number;
        struct target_module *module = has_code(map) ? find(modules, map, &number) : NULL;
        if (module)
            module->mapped = true;
        else if (has_code(map))
            r = add(modules, map, symbolizer);
    }
    return r;
}

/* A library may be loaded again, and stacks that have it may still come, so it stays known. */
static void rest_unmapped(const struct modules *modules, struct symbolizer *symbolizer)
{
    for (uint32_t number = 0; number < modules->items.len; number++)
        if (!modules->items.items[number].mapped)
            symbolizer_rest_module(symbolizer, number);
}

int modules_refresh(struct modules *modules, struct symbolizer *symbolizer, bool *ret_changed)
{
    struct memory_maps maps;
    int r = memory_maps_read(modules->pid, &maps);
    if (r < 0)
        return r;
    if (memory_maps_same_code(&maps, &modules->maps)) {
        memory_maps_release(&maps);
        *ret_changed = false;
        return 0;
    }
    memory_maps_release(&modules->maps);
    modules->maps = maps;
    *ret_changed = true;
    uint32_t first_new = (uint32_t)modules->items.len;
    r = find_mapped(modules, symbolizer);
    /* Opening is quick and decides whether to go on at all; tables come after. */
    for (uint32_t number = first_new; r == 0 && number < modules->items.len; number++)
        if (!modules->items.items[number].has_table)
            r = ask_about(symbolizer, number);
    rest_unmapped(modules, symbolizer);
    return r;
}

int modules_resolve(const struct modules *modules, struct symbolizer *symbolizer, uint32_t module,
                    const uint64_t *addresses, size_t count)
{
    int r = symbolizer_resolve(symbolizer, module, addresses, count);
    if (r == 0 && !modules->items.items[module].mapped)
        symbolizer_rest_module(symbolizer, module);
    return r;
}

static const struct {
    const char *name; /* without the prefix that jemalloc and mimalloc give their functions */
    enum heap_call call;
} heap_calls[] = {
    {"malloc", HEAP_CALL_ALLOC_1},
    {"calloc", HEAP_CALL_CALLOC},
    {"realloc", HEAP_CALL_REALLOC},
    {"reallocarray", HEAP_CALL_REALLOCARRAY},
    {"posix_memalign", HEAP_CALL_MEMALIGN},
    {"aligned_alloc", HEAP_CALL_ALLOC_2},
    {"memalign", HEAP_CALL_ALLOC_2},
    {"valloc", HEAP_CALL_ALLOC_1},
    {"pvalloc", HEAP_CALL_ALLOC_1},
    {"free", HEAP_CALL_FREE},
    {"mallocx", HEAP_CALL_ALLOC_1},
    {"rallocx", HEAP_CALL_REALLOC},
    {"dallocx", HEAP_CALL_FREE},
    {"sdallocx", HEAP_CALL_FREE},
    {"malloc_aligned", HEAP_CALL_ALLOC_1},
    {"zalloc", HEAP_CALL_ALLOC_1},
    {"zalloc_aligned", HEAP_CALL_ALLOC_1},
    {"calloc_aligned", HEAP_CALL_CALLOC},
    {"realloc_aligned", HEAP_CALL_REALLOC},
    {"free_aligned", HEAP_CALL_FREE},
    {"free_size", HEAP_CALL_FREE},
    {"free_size_aligned", HEAP_CALL_FREE},
};

static const char *without_prefix(const char *name)
{
    static const char *const prefixes[] = {"_rjem_je_", "_rjem_", "je_", "mi_"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            return name + strlen(prefixes[i]);
    return name;
}

static void add_heap_symbol(struct target_module *module, const struct module_symbol *symbol)
{
    const char *name = without_prefix(symbol->name);
    for (size_t i = 0; i < sizeof(heap_calls) / sizeof(heap_calls[0]); i++) {
        if (strcmp(name, heap_calls[i].name) != 0)
            continue;
        struct heap_symbol *slot = vec_push(&module->heap_symbols);
        if (slot)
            *slot = (struct heap_symbol){heap_calls[i].call, symbol->file_offset};
    }
}

/* The loader has an allocator of its own, for the time before libc's is there. */
static bool is_loader(const char *path)
{
    const char *base = strrchr(path, '/');
    return base && !strncmp(base, "/ld-", 4);
}

void modules_set_info(struct modules *modules, uint32_t number, const struct module_info *info)
{
    if (number >= modules->items.len)
        return;
    struct target_module *module = &modules->items.items[number];
    module->opened = true;
    module->rust = info->rust;
    module->debug = info->debug;
    module->lacks_split = info->lacks_split;
    memcpy(module->build_id, info->build_id, info->build_id_len);
    module->build_id_len = info->build_id_len;
    module->text_address = info->text_address;
    module->text_offset = info->text_offset;
    module->heap_symbols.len = 0;
    for (size_t i = 0; i < info->allocator_symbol_count && !is_loader(module->path); i++)
        add_heap_symbol(module, &info->allocator_symbols[i]);
}

void modules_set_table(struct modules *modules, uint32_t number, uint32_t page_count, uint64_t start)
{
    if (number >= modules->items.len)
        return;
    struct target_module *module = &modules->items.items[number];
    module->has_table = true;
    module->page_count = page_count;
    module->table_start = start;
}

void modules_set_slots(struct modules *modules, uint32_t number, const struct hook_scan *scan)
{
    if (number >= modules->items.len)
        return;
    struct target_module *module = &modules->items.items[number];
    module->scanned = true;
    module->hook_candidates.len = 0;
    for (size_t i = 0; i < scan->candidate_count && !is_loader(module->path); i++) {
        struct hook_candidate *slot = vec_push(&module->hook_candidates);
        if (slot)
            *slot = scan->candidates[i];
    }
    module->direct_functions.len = 0;
    for (size_t i = 0; i < scan->definition_count; i++) {
        struct hook_definition *function =
            scan->definitions[i].direct ? vec_push(&module->direct_functions) : NULL;
        if (function)
            *function = scan->definitions[i];
    }
}

bool modules_have_rust(const struct modules *modules, enum debug_level *ret_best)
{
    bool rust = false;
    *ret_best = DEBUG_NONE;
    for (size_t i = 0; i < modules->items.len; i++) {
        const struct target_module *module = &modules->items.items[i];
        rust |= module->rust;
        if (module->rust && module->debug < *ret_best)
            *ret_best = module->debug;
    }
    return rust;
}

bool modules_ready(const struct modules *modules)
{
    for (size_t i = 0; i < modules->items.len; i++)
        if (!modules->items.items[i].opened || !modules->items.items[i].has_table ||
            !modules->items.items[i].scanned)
            return false;
    return true;
}

static uint64_t bias_of(const struct memory_map *map, const struct target_module *module)
{
    return map->start - map->offset + module->text_offset - module->text_address;
}

const struct memory_map *modules_code(const struct modules *modules, uint32_t module)
{
    for (size_t i = 0; i < modules->maps.len; i++) {
        const struct memory_map *map = &modules->maps.items[i];
        uint32_t number;
        if (has_code(map) && find(modules, map, &number) && number == module)
            return map;
    }
    return NULL;
}

int modules_bias(const struct modules *modules, uint32_t module, uint64_t *ret_bias)
{
    const struct memory_map *map = modules_code(modules, module);
    if (!map)
        return -ENOENT;
    *ret_bias = bias_of(map, &modules->items.items[module]);
    return 0;
}

int modules_mappings(const struct modules *modules, struct mapping **ret_mappings, size_t *ret_count)
{
    VEC(struct mapping) mappings = {0};
    for (size_t i = 0; i < modules->maps.len; i++) {
        const struct memory_map *map = &modules->maps.items[i];
        uint32_t number;
        const struct target_module *module = has_code(map) ? find(modules, map, &number) : NULL;
        if (!module || !module->opened)
            continue;
        struct mapping *mapping = vec_push(&mappings);
        if (!mapping) {
            vec_release(&mappings);
            return -ENOMEM;
        }
        *mapping = (struct mapping){
            .start = map->start,
            .end = map->end,
            .bias = bias_of(map, module),
            .table_start = module->table_start,
            .page_count = module->page_count,
            .module = number,
        };
    }
    *ret_mappings = mappings.items;
    *ret_count = mappings.len;
    return 0;
}
