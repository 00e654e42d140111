/* Everything that reads an ELF file: survey, units, line programs, scopes, split and separate files, unwind
 * table.
 *
 * Inputs are whole ELF files. The mutator changes bytes inside the sections that are parsed, since most of a
 * file is code. */
#include "dwarf/module.h"

#include "base/cleanup.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

struct input {
    const uint8_t *data;
    size_t size;
    unsigned files; /* asked for so far */
};

static int input_fd(const struct input *input)
{
    OWNED_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, input->data, input->size) != (ssize_t)input->size)
        return -ENOMEM;
    return take_fd(&fd);
}

/* The input is its own separate, split and supplementary file, as often as a real one could be. */
static int find_file(void *userdata, enum module_file_kind kind, const char *name)
{
    struct input *input = userdata;
    (void)kind;
    (void)name;
    return input->files++ < 4 ? input_fd(input) : -ENOENT;
}

/* The use that the address sanitizer sees is reading every byte. */
static size_t read_frames(const struct source_frame *frames, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += strlen(frames[i].function) + strlen(frames[i].file) + frames[i].line;
    return total;
}

static void resolve_some(struct module *module)
{
    uint64_t text = module_info(module)->text_address;
    for (uint64_t address = text; address < text + 2048; address += 5) {
        const struct source_frame *frames;
        size_t count;
        if (module_resolve(module, address, &frames, &count) == 0 && read_frames(frames, count) == SIZE_MAX)
            __builtin_trap();
    }
}

static void check_table(const struct unwind_table *table)
{
    for (uint32_t i = 0; i < table->page_count; i++) {
        struct unwind_page page = table->elements[i].page;
        size_t first = (size_t)page.first_line * UNWIND_LINE_ELEMENTS;
        if (page.kind == UNWIND_ROWS &&
            (page.line_count > UNWIND_PAGE_LINES_MAX ||
             first + (size_t)page.line_count * UNWIND_LINE_ELEMENTS > table->element_count ||
             table->elements[first].row.pc != 0))
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size};
    struct module *module;
    struct unwind_table table;
    OWNED_FD int fd = input_fd(&input);
    if (fd < 0 || module_open(fd, find_file, &input, &module) < 0)
        return 0;
    resolve_some(module);
    if (module_unwind_table(module, &table) == 0) {
        check_table(&table);
        unwind_table_release(&table);
    }
    module_free(module);
    return 0;
}

static bool is_parsed(const char *name)
{
    return strncmp(name, ".debug", 6) == 0 || strncmp(name, ".zdebug", 7) == 0 ||
           strcmp(name, ".eh_frame") == 0 || strcmp(name, ".symtab") == 0 ||
           strncmp(name, ".gnu_debug", 10) == 0 || strncmp(name, ".note", 5) == 0;
}

/* A section of the file that is read, drawn by `seed`; false if the headers are too damaged to tell. */
static bool draw_section(const uint8_t *data, size_t size, unsigned seed, Elf64_Shdr *ret_section)
{
    Elf64_Ehdr header;
    Elf64_Shdr names, section;
    if (size < sizeof(header))
        return false;
    memcpy(&header, data, sizeof(header));
    size_t end = header.e_shoff + (size_t)header.e_shnum * sizeof(section);
    if (header.e_shoff > size || end > size || header.e_shstrndx >= header.e_shnum)
        return false;
    memcpy(&names, data + header.e_shoff + header.e_shstrndx * sizeof(names), sizeof(names));
    for (unsigned tries = 0; tries < 64; tries++) {
        seed = seed * 1103515245 + 12345;
        memcpy(&section, data + header.e_shoff + ((seed >> 16) % header.e_shnum) * sizeof(section),
               sizeof(section));
        if (names.sh_offset > size || section.sh_name > size ||
            names.sh_offset + section.sh_name + 16 > size || !section.sh_size || section.sh_offset > size ||
            section.sh_size > size - section.sh_offset)
            continue;
        if (is_parsed((const char *)data + names.sh_offset + section.sh_name)) {
            *ret_section = section;
            return true;
        }
    }
    return false;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    Elf64_Shdr section;
    if (seed % 16 == 0 || !draw_section(data, size, seed, &section))
        return LLVMFuzzerMutate(data, size, max_size);
    /* In place: what grows would move all that follows. */
    LLVMFuzzerMutate(data + section.sh_offset, section.sh_size, section.sh_size);
    return size;
}
