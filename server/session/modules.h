/* The modules of the target: every file (and the vDSO) that it has mapped executable, with what the
 * symbolizer said of it.
 *
 * A module keeps its number as long as the attachment lasts, also after dlclose: stacks seen before still
 * mean it. Files are told apart by device and inode, so an executable replaced on disk is another module. */
#ifndef RSPROF_SESSION_MODULES_H
#define RSPROF_SESSION_MODULES_H

#include "base/vec.h"
#include "events.h"
#include "symbolizer/symbolizer.h"
#include "target/maps.h"

struct heap_symbol {
    enum heap_call call;
    uint64_t file_offset;
};

struct target_module {
    char *path;
    uint64_t device, inode;
    int fd;      /* the file itself, held so that no other gets its inode; −1 if it could not be opened */
    bool mapped; /* as last seen */
    uint64_t written_ns; /* when the file was, since the epoch; 0: unknown */
    bool opened;         /* the symbolizer has answered */
    bool has_table;      /* and so it has about the unwind table */
    bool rust;
    enum debug_level debug;
    bool lacks_split; /* its .dwo or .dwp files are gone */
    uint8_t build_id[BUILD_ID_MAX];
    size_t build_id_len;
    uint64_t text_address, text_offset;
    uint64_t table_start;
    uint32_t page_count;
    VEC(struct heap_symbol) heap_symbols;
    bool scanned; /* the symbolizer has said through which words the module calls an allocator */
    VEC(struct hook_candidate) hook_candidates;
    VEC(struct hook_definition) direct_functions; /* … which of its own it calls directly */
};

struct modules {
    pid_t pid;
    VEC(struct target_module) items; /* by module number */
    struct memory_maps maps;         /* as last seen */
};

void modules_init(struct modules *modules, pid_t pid);
void modules_release(struct modules *modules);

/* Reads the mappings again, hands new modules to the symbolizer, and lets it forget those that are mapped no
 * more. `*ret_changed`: whether anything
 * executable changed. */
int modules_refresh(struct modules *modules, struct symbolizer *symbolizer, bool *ret_changed);

/* What the symbolizer says of a module; unknown numbers are ignored. */
void modules_set_info(struct modules *modules, uint32_t number, const struct module_info *info);
void modules_set_slots(struct modules *modules, uint32_t number, const struct hook_scan *scan);
void modules_set_table(struct modules *modules, uint32_t number, uint32_t page_count, uint64_t start);

/* A module's first executable mapping, as last seen; NULL: it has none. */
const struct memory_map *modules_code(const struct modules *modules, uint32_t module);

/* The bias of a module that is mapped: its addresses − link-time addresses. −ENOENT. */
int modules_bias(const struct modules *modules, uint32_t module, uint64_t *ret_bias);

/* Asks the symbolizer for the source frames of a module's addresses. */
int modules_resolve(const struct modules *modules, struct symbolizer *symbolizer, uint32_t module,
                    const uint64_t *addresses, size_t count);

/* Whether there is Rust code, and what there is at best to symbolize it with: what has been answered so far.
 */
bool modules_have_rust(const struct modules *modules, enum debug_level *ret_best);

/* Whether everything asked about every module has been answered. */
bool modules_ready(const struct modules *modules);

/* The mappings for the kernel, sorted; the caller frees `*ret_mappings`. */
int modules_mappings(const struct modules *modules, struct mapping **ret_mappings, size_t *ret_count);

#endif
