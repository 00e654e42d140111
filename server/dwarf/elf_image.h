/* An ELF file in memory: its sections (inflated where compressed), segments, symbols, build id and debug
 * link.
 *
 * Reads hostile input: every offset is checked. 64-bit little-endian x86-64 only.
 * The image owns the mapping of the file and what it inflated; sections and strings point into them until
 * `_free`. Errors: −ENOEXEC not such a file, −EBADMSG damaged headers, −ENOMEM. Sources: System V gABI (ELF,
 * compressed sections), Linux' SHT_NOTE layout, binutils' .gnu_debuglink. */
#ifndef RSPROF_DWARF_ELF_IMAGE_H
#define RSPROF_DWARF_ELF_IMAGE_H

#include "dwarf/bytes.h"

#include <elf.h>

struct elf_image;

/* Maps the file behind `fd` (not taken). */
int elf_image_open(int fd, struct elf_image **ret_image);
void elf_image_free(struct elf_image *image);

/* The contents of the first section of that name, inflated; empty if there is none, it has none (NOBITS) or
 * is damaged. */
struct bytes elf_image_section(struct elf_image *image, const char *name);

/* True if a section of that name has contents in this file; inflates nothing. */
bool elf_image_has_section(const struct elf_image *image, const char *name);

/* The link-time address of the first section of that name; 0 if there is none. */
uint64_t elf_image_section_address(const struct elf_image *image, const char *name);

/* A copy of a program header; false past the last. */
bool elf_image_segment(const struct elf_image *image, size_t index, Elf64_Phdr *ret_segment);

/* The file offset that a link-time address is loaded from; false if it is loaded from none. */
bool elf_image_file_offset(const struct elf_image *image, uint64_t address, uint64_t *ret_offset);

/* Calls back for each symbol of .symtab, in file order, and of .dynsym unless that is a part of .symtab as it
 * is before stripping; ends early when the callback returns false. Where .symtab was stripped, .gnu_debugdata
 * stands in for it: a small ELF file, compressed, with the symbols of functions only ("mini debug info"). */
typedef bool (*elf_symbol_fn)(void *userdata, const char *name, const Elf64_Sym *symbol);
void elf_image_symbols(struct elf_image *image, elf_symbol_fn callback, void *userdata);

/* NT_GNU_BUILD_ID; empty if there is none. */
struct bytes elf_image_build_id(struct elf_image *image);

#endif
