/* What symbolization gives: a physical frame's source frames. These types are all that the rest of rsprof
 * sees of DWARF. */
#ifndef RSPROF_DWARF_FRAMES_H
#define RSPROF_DWARF_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One function at one place in a source file. A physical frame has one for the function itself, preceded by
 * one for each inlined call that covers the address: innermost first. */
struct source_frame {
    const char *function; /* demangled, short form: "crate::module::function"; "" if unknown */
    const char *file;     /* absolute path as DWARF has it, comp_dir joined; "" if unknown */
    uint32_t line;        /* 1-based; 0 if unknown */
    const char *file_md5; /* of the file when it was compiled, in hexadecimal; NULL: DWARF does not say */
};

/* What is left to symbolize a module with, best first. */
enum debug_level {
    DEBUG_LINES = 0,     /* a line table, for code that is not only Rust's own library */
    DEBUG_LIBRARY_LINES, /* line tables of Rust's prebuilt library only: the user's code was built without
                            debug info */
    DEBUG_SYMBOLS,       /* a symbol table only: function level */
    DEBUG_NONE,          /* nothing: module + offset */
};

/* A function of an allocator that is defined in the module, for heap probes. */
struct module_symbol {
    const char *name;
    uint64_t address; /* link-time address */
    uint64_t file_offset;
};

#define BUILD_ID_MAX 64

struct module_info {
    uint8_t build_id[BUILD_ID_MAX];
    size_t build_id_len;
    enum debug_level debug;
    bool rust;             /* holds code that rustc made */
    bool lacks_split;      /* its .dwo or .dwp files cannot be found: there are lines, but no inlined calls */
    uint64_t text_address; /* link-time address and file offset of the first executable segment: */
    uint64_t text_offset;  /* bias = mapping start − mapping offset + text_offset − text_address */
    const struct module_symbol *allocator_symbols;
    size_t allocator_symbol_count;
};

#endif
