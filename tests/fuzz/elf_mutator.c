/* For targets whose inputs are whole ELF files: changes bytes inside a section that is parsed, in place,
 * since what grows would move all that follows. */
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static bool is_parsed(const char *name)
{
    static const char *const prefixes[] = {".debug", ".zdebug", ".eh_frame", ".symtab", ".gnu_debug",
                                           ".note",  ".rel",    ".dyn",      ".got",    ".text"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
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
    LLVMFuzzerMutate(data + section.sh_offset, section.sh_size, section.sh_size);
    return size;
}
