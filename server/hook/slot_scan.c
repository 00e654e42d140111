#include "hook/slot_scan.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "base/vec.h"
#include "hook/functions.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef SHT_RELR
#define SHT_RELR  19
#define DT_RELRSZ 35
#define DT_RELR   36
#endif

/* The file in memory. Every read goes through file_at(). */
struct elf_file {
    const uint8_t *bytes;
    size_t len;
    const Elf64_Ehdr *header;
    const Elf64_Phdr *segments;
    size_t segment_count;
    const Elf64_Shdr *sections;
    size_t section_count;
};

struct scan {
    struct elf_file file;
    struct map functions; /* link-time address → enum hook_function, of definitions */
    VEC(struct hook_candidate) candidates;
    VEC(struct hook_definition) definitions;
    uint64_t lowest, highest; /* addresses of definitions */
};

/* ---- the file ---- */

/* `count` things of `size` bytes at a file offset, or NULL if they are not all there. */
static const void *file_at(const struct elf_file *file, uint64_t offset, uint64_t count, size_t size)
{
    if (offset > file->len || offset % _Alignof(uint64_t) || count > (file->len - offset) / size)
        return NULL;
    return file->bytes + offset;
}

/* The file offset of a link-time address, or UINT64_MAX. */
static uint64_t offset_of_address(const struct elf_file *file, uint64_t address)
{
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        if (segment->p_type == PT_LOAD && address - segment->p_vaddr < segment->p_filesz)
            return address - segment->p_vaddr + segment->p_offset;
    }
    return UINT64_MAX;
}

static const void *address_at(const struct elf_file *file, uint64_t address, uint64_t count, size_t size)
{
    return file_at(file, offset_of_address(file, address), count, size);
}

/* The string at `offset` of a table, or "" if it does not end in it. */
static const char *string_at(const char *table, uint64_t table_len, uint64_t offset)
{
    if (!table || offset >= table_len || !memchr(table + offset, '\0', table_len - offset))
        return "";
    return table + offset;
}

static const void *bytes_in_file(const struct elf_file *file, uint64_t offset, uint64_t len)
{
    return offset <= file->len && len <= file->len - offset ? file->bytes + offset : NULL;
}

static int file_open(int fd, struct elf_file *ret_file)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size < sizeof(Elf64_Ehdr))
        return -ENOEXEC;
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    struct elf_file file = {.bytes = bytes, .len = (size_t)st.st_size, .header = bytes};
    const Elf64_Ehdr *header = file.header;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_machine != EM_X86_64) {
        munmap(bytes, file.len);
        return -ENOEXEC;
    }
    file.segments = file_at(&file, header->e_phoff, header->e_phnum, sizeof(Elf64_Phdr));
    file.segment_count = file.segments && header->e_phentsize == sizeof(Elf64_Phdr) ? header->e_phnum : 0;
    file.sections = file_at(&file, header->e_shoff, header->e_shnum, sizeof(Elf64_Shdr));
    file.section_count = file.sections && header->e_shentsize == sizeof(Elf64_Shdr) ? header->e_shnum : 0;
    *ret_file = file;
    return 0;
}

/* ---- names ---- */

/* The function of this name, or HOOK_FUNCTION_COUNT. */
static uint32_t function_of_name(const char *name)
{
#define NAMES_(id, shape, names) names,
    static const char *const names_of[] = {HOOK_FUNCTIONS(NAMES_)};
#undef NAMES_
    size_t len = strlen(name);
    if (len < 4 || len > 32)
        return HOOK_FUNCTION_COUNT;
    for (uint32_t i = 0; i < HOOK_FUNCTION_COUNT; i++) {
        for (const char *at = names_of[i]; *at;) {
            size_t n = strcspn(at, " ");
            if (n == len && !memcmp(at, name, n))
                return i;
            at += n + strspn(at + n, " ");
        }
    }
    return HOOK_FUNCTION_COUNT;
}

/* The allocator's function that a symbol defines, or HOOK_FUNCTION_COUNT. */
static uint32_t function_of_symbol(const Elf64_Sym *symbol, const char *name)
{
    bool defined =
        symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value;
    return defined ? function_of_name(name) : HOOK_FUNCTION_COUNT;
}

static int add_definition(struct scan *scan, const Elf64_Sym *symbol, uint32_t function)
{
    uint64_t known;
    if (map_get(&scan->functions, symbol->st_value, &known) == 0)
        return 0; /* under another name */
    struct hook_definition *definition = vec_push(&scan->definitions);
    if (!definition || map_put(&scan->functions, symbol->st_value, function) < 0)
        return -ENOMEM;
    *definition =
        (struct hook_definition){.address = symbol->st_value, .size = symbol->st_size, .function = function};
    return 0;
}

/* A local function called "malloc" may be anything, unless it comes with all of an allocator, as in static
 * and in link-time optimized executables; one called "_rjem_malloc" may not. */
static int add_definitions(struct scan *scan, const Elf64_Shdr *table)
{
    const struct elf_file *file = &scan->file;
    const uint64_t allocator = 1ull << HOOK_MALLOC | 1ull << HOOK_REALLOC | 1ull << HOOK_FREE;
    uint64_t count = table->sh_size / sizeof(Elf64_Sym), found = 0;
    const Elf64_Sym *symbols = file_at(file, table->sh_offset, count, sizeof(Elf64_Sym));
    if (!symbols || table->sh_link >= file->section_count)
        return 0;
    const Elf64_Shdr *strings = &file->sections[table->sh_link];
    const char *names = bytes_in_file(file, strings->sh_offset, strings->sh_size);
    int r = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < count && r == 0; i++) {
            const char *name = string_at(names, strings->sh_size, symbols[i].st_name);
            uint32_t function = function_of_symbol(&symbols[i], name);
            if (function == HOOK_FUNCTION_COUNT)
                continue;
            found |= 1ull << function;
            if (pass == 1 && (ELF64_ST_BIND(symbols[i].st_info) != STB_LOCAL || strchr(name, '_') ||
                              (found & allocator) == allocator))
                r = add_definition(scan, &symbols[i], function);
        }
    }
    return r;
}

/* ---- direct calls ---- */

/* Marks the function that the displacement of four bytes at `at`, an instruction's last, leads to. */
static void note_direct(struct scan *scan, const Elf64_Phdr *segment, const uint8_t *code, size_t at)
{
    int32_t displacement;
    uint64_t known;
    memcpy(&displacement, code + at, sizeof(displacement));
    uint64_t target = segment->p_vaddr + at + sizeof(displacement) + (uint64_t)(int64_t)displacement;
    if (target < scan->lowest || target > scan->highest || map_get(&scan->functions, target, &known) < 0)
        return;
    for (size_t i = 0; i < scan->definitions.len; i++)
        if (scan->definitions.items[i].address == target)
            scan->definitions.items[i].direct = true;
}

/* Looks for the bytes of call, jmp, jcc and lea. Where they are something else they lead to a function by
 * chance once in some 100 MB, which costs no more than a patch. */
static void find_direct_calls(struct scan *scan, const Elf64_Phdr *segment)
{
    const size_t longest = 7;
    const uint8_t *code = bytes_in_file(&scan->file, segment->p_offset, segment->p_filesz);
    for (size_t i = 0; code && i + longest <= segment->p_filesz; i++) {
        if ((code[i] & 0xfe) == 0xe8)
            note_direct(scan, segment, code, i + 1);
        else if (code[i] == 0x0f && code[i + 1] >> 4 == 8)
            note_direct(scan, segment, code, i + 2);
        else if ((code[i] & 0xfb) == 0x48 && code[i + 1] == 0x8d && (code[i + 2] & 0xc7) == 0x05)
            note_direct(scan, segment, code, i + 3); /* of lea: it is called through a register */
    }
}

static void read_prologue(const struct scan *scan, struct hook_definition *definition)
{
    const uint8_t *code =
        bytes_in_file(&scan->file, offset_of_address(&scan->file, definition->address), definition->size);
    if (code)
        prologue_read(code, definition->size, &definition->prologue);
}

static void find_direct(struct scan *scan)
{
    scan->lowest = UINT64_MAX;
    for (size_t i = 0; i < scan->definitions.len; i++) {
        uint64_t address = scan->definitions.items[i].address;
        scan->lowest = address < scan->lowest ? address : scan->lowest;
        scan->highest = address > scan->highest ? address : scan->highest;
    }
    for (size_t i = 0; i < scan->file.segment_count && scan->definitions.len; i++)
        if (scan->file.segments[i].p_type == PT_LOAD && scan->file.segments[i].p_flags & PF_X)
            find_direct_calls(scan, &scan->file.segments[i]);
    for (size_t i = 0; i < scan->definitions.len; i++)
        if (scan->definitions.items[i].direct)
            read_prologue(scan, &scan->definitions.items[i]);
}

/* ---- words ---- */

static int add_candidate(struct scan *scan, uint64_t address, uint64_t target, uint32_t function,
                         bool defined)
{
    if (address % sizeof(uint64_t))
        return 0;
    struct hook_candidate *candidate = vec_push(&scan->candidates);
    if (!candidate)
        return -ENOMEM;
    *candidate = (struct hook_candidate){
        .address = address, .target = target, .function = function, .defined = defined};
    return 0;
}

/* A word that holds a link-time address. */
static int add_if_function(struct scan *scan, uint64_t address, uint64_t value)
{
    uint64_t function;
    return map_get(&scan->functions, value, &function) == 0
               ? add_candidate(scan, address, value, (uint32_t)function, true)
               : 0;
}

/* What PT_DYNAMIC says. */
struct dynamic {
    uint64_t rela, rela_bytes, plt, plt_bytes, relr, relr_bytes, symbols, strings, strings_len;
};

static struct dynamic read_dynamic(const struct elf_file *file)
{
    struct dynamic dynamic = {0};
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        uint64_t count = segment->p_filesz / sizeof(Elf64_Dyn);
        const Elf64_Dyn *entry =
            segment->p_type == PT_DYNAMIC ? file_at(file, segment->p_offset, count, sizeof(*entry)) : NULL;
        for (uint64_t j = 0; entry && j < count && entry[j].d_tag != DT_NULL; j++) {
            uint64_t *const field = entry[j].d_tag == DT_RELA       ? &dynamic.rela
                                    : entry[j].d_tag == DT_RELASZ   ? &dynamic.rela_bytes
                                    : entry[j].d_tag == DT_JMPREL   ? &dynamic.plt
                                    : entry[j].d_tag == DT_PLTRELSZ ? &dynamic.plt_bytes
                                    : entry[j].d_tag == DT_RELR     ? &dynamic.relr
                                    : entry[j].d_tag == DT_RELRSZ   ? &dynamic.relr_bytes
                                    : entry[j].d_tag == DT_SYMTAB   ? &dynamic.symbols
                                    : entry[j].d_tag == DT_STRTAB   ? &dynamic.strings
                                    : entry[j].d_tag == DT_STRSZ    ? &dynamic.strings_len
                                                                    : NULL;
            if (field)
                *field = entry[j].d_un.d_val;
        }
    }
    return dynamic;
}

static int add_named(struct scan *scan, const struct dynamic *dynamic, const Elf64_Rela *rela)
{
    uint64_t index = ELF64_R_SYM(rela->r_info);
    const Elf64_Sym *symbol =
        address_at(&scan->file, dynamic->symbols + index * sizeof(*symbol), 1, sizeof(*symbol));
    const char *strings =
        bytes_in_file(&scan->file, offset_of_address(&scan->file, dynamic->strings), dynamic->strings_len);
    if (!symbol || rela->r_addend)
        return 0;
    uint32_t function = function_of_name(string_at(strings, dynamic->strings_len, symbol->st_name));
    return function == HOOK_FUNCTION_COUNT
               ? 0
               : add_candidate(scan, rela->r_offset, 0, function, symbol->st_shndx != SHN_UNDEF);
}

static int scan_rela(struct scan *scan, const struct dynamic *dynamic, uint64_t address, uint64_t bytes)
{
    uint64_t count = bytes / sizeof(Elf64_Rela);
    const Elf64_Rela *rela = count ? address_at(&scan->file, address, count, sizeof(*rela)) : NULL;
    int r = 0;
    for (uint64_t i = 0; rela && i < count && r >= 0; i++) {
        switch (ELF64_R_TYPE(rela[i].r_info)) {
        case R_X86_64_GLOB_DAT:
        case R_X86_64_JUMP_SLOT:
        case R_X86_64_64:
            r = add_named(scan, dynamic, &rela[i]);
            break;
        case R_X86_64_RELATIVE:
            r = add_if_function(scan, rela[i].r_offset, (uint64_t)rela[i].r_addend);
            break;
        }
    }
    return r;
}

static int scan_word(struct scan *scan, uint64_t address)
{
    const uint64_t *word = address_at(&scan->file, address, 1, sizeof(*word));
    return word ? add_if_function(scan, address, *word) : 0;
}

/* An even entry is the address of a word; an odd one a bitmap of the 63 words that follow the last one spoken
 * of. */
static int scan_relr(struct scan *scan, const struct dynamic *dynamic)
{
    uint64_t count = dynamic->relr_bytes / sizeof(uint64_t), next = 0;
    const uint64_t *entry = count ? address_at(&scan->file, dynamic->relr, count, sizeof(*entry)) : NULL;
    int r = 0;
    for (uint64_t i = 0; entry && i < count && r >= 0; i++) {
        if (!(entry[i] & 1)) {
            r = scan_word(scan, entry[i]);
            next = entry[i] + sizeof(uint64_t);
            continue;
        }
        for (unsigned bit = 1; bit < 64 && r >= 0; bit++)
            if (entry[i] >> bit & 1)
                r = scan_word(scan, next + (bit - 1) * sizeof(uint64_t));
        next += 63 * sizeof(uint64_t);
    }
    return r;
}

/* Executables at fixed addresses have their words filled in by the linker, and no relocations to tell. */
static int scan_fixed_got(struct scan *scan)
{
    const struct elf_file *file = &scan->file;
    if (file->header->e_type != ET_EXEC || file->header->e_shstrndx >= file->section_count)
        return 0;
    const Elf64_Shdr *strings = &file->sections[file->header->e_shstrndx];
    const char *names = bytes_in_file(file, strings->sh_offset, strings->sh_size);
    int r = 0;
    for (size_t i = 0; i < file->section_count && r >= 0; i++) {
        const Elf64_Shdr *section = &file->sections[i];
        const char *name = string_at(names, strings->sh_size, section->sh_name);
        if (section->sh_type != SHT_PROGBITS || (strcmp(name, ".got") && strcmp(name, ".got.plt")))
            continue;
        for (uint64_t at = 0; at + sizeof(uint64_t) <= section->sh_size && at < file->len && r >= 0;
             at += sizeof(uint64_t))
            r = scan_word(scan, section->sh_addr + at);
    }
    return r;
}

static int scan_run(struct scan *scan)
{
    const struct elf_file *file = &scan->file;
    int r = 0;
    for (int pass = 0; pass < 2 && r >= 0 && !scan->definitions.len; pass++) {
        for (size_t i = 0; i < file->section_count && r >= 0; i++)
            if (file->sections[i].sh_type == (pass ? SHT_DYNSYM : SHT_SYMTAB))
                r = add_definitions(scan, &file->sections[i]);
    }
    if (r >= 0)
        find_direct(scan);
    struct dynamic dynamic = read_dynamic(file);
    if (r >= 0)
        r = scan_rela(scan, &dynamic, dynamic.rela, dynamic.rela_bytes);
    if (r >= 0)
        r = scan_rela(scan, &dynamic, dynamic.plt, dynamic.plt_bytes);
    if (r >= 0)
        r = scan_relr(scan, &dynamic);
    if (r >= 0)
        r = scan_fixed_got(scan);
    return r;
}

int hook_scan_file(int fd, struct hook_scan *ret_scan)
{
    struct scan scan = {0};
    int r = file_open(fd, &scan.file);
    if (r < 0)
        return r;
    r = scan_run(&scan);
    munmap((void *)scan.file.bytes, scan.file.len);
    map_release(&scan.functions);
    struct hook_scan result = {scan.candidates.items, scan.candidates.len, scan.definitions.items,
                               scan.definitions.len};
    if (r < 0)
        hook_scan_release(&result);
    else
        *ret_scan = result;
    return r;
}

void hook_scan_release(struct hook_scan *scan)
{
    free(scan->candidates);
    free(scan->definitions);
    *scan = (struct hook_scan){0};
}
