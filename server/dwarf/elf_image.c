#include "dwarf/elf_image.h"

#include "base/cleanup.h"
#include "dwarf/inflate.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct section {
    Elf64_Shdr header;
    const char *name;
    struct bytes contents; /* valid once `read` */
    uint8_t *inflated;     /* owned; NULL unless compressed */
    bool read;
};

struct elf_image {
    struct bytes file; /* a mapping, or memory of our own */
    bool is_mapped;
    Elf64_Ehdr header;
    struct section *sections;
    size_t section_count;
    struct elf_image *mini; /* owned; what .gnu_debugdata holds; NULL: nothing, or not sought yet */
    bool mini_sought;
};

static void release_file(struct bytes file, bool is_mapped)
{
    if (is_mapped)
        munmap((void *)file.data, file.len);
    else
        free((void *)file.data);
}

static bool header_is_ours(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS64 &&
           header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_machine == EM_X86_64;
}

static bool read_section_header(const struct elf_image *image, size_t index, Elf64_Shdr *ret_header)
{
    struct bytes bytes = bytes_slice(bytes_from(image->file, image->header.e_shoff),
                                     index * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
    if (!bytes.len)
        return false;
    memcpy(ret_header, bytes.data, sizeof(*ret_header));
    return true;
}

/* Damaged section headers are not an error: the file may still run, and have segments. */
static int read_sections(struct elf_image *image)
{
    Elf64_Shdr first;
    if (!image->header.e_shoff || image->header.e_shentsize != sizeof(Elf64_Shdr) ||
        !read_section_header(image, 0, &first))
        return 0;
    uint64_t count = image->header.e_shnum ? image->header.e_shnum : first.sh_size;
    uint64_t names_index = image->header.e_shstrndx == SHN_XINDEX ? first.sh_link : image->header.e_shstrndx;
    if (count > (image->file.len - image->header.e_shoff) / sizeof(Elf64_Shdr))
        return 0;
    image->sections = calloc((size_t)count + 1, sizeof(*image->sections));
    if (!image->sections)
        return -ENOMEM;
    image->section_count = (size_t)count;
    for (size_t i = 0; i < count; i++)
        read_section_header(image, i, &image->sections[i].header);
    struct bytes names = {0};
    if (names_index < count)
        names = bytes_slice(image->file, image->sections[names_index].header.sh_offset,
                            image->sections[names_index].header.sh_size);
    for (size_t i = 0; i < count; i++)
        image->sections[i].name = bytes_str(names, image->sections[i].header.sh_name);
    return 0;
}

/* Takes `file`, also on failure. */
static int open_bytes(struct bytes file, bool is_mapped, struct elf_image **ret_image)
{
    struct elf_image *image = calloc(1, sizeof(*image));
    if (!image) {
        release_file(file, is_mapped);
        return -ENOMEM;
    }
    image->file = file;
    image->is_mapped = is_mapped;
    int r = -ENOEXEC;
    if (file.len >= sizeof(image->header)) {
        memcpy(&image->header, file.data, sizeof(image->header));
        r = header_is_ours(&image->header) ? read_sections(image) : -ENOEXEC;
    }
    if (r < 0) {
        elf_image_free(image);
        return r;
    }
    *ret_image = image;
    return 0;
}

int elf_image_open(int fd, struct elf_image **ret_image)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || !st.st_size)
        return -ENOEXEC;
    void *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        return -ENOMEM;
    return open_bytes((struct bytes){file, (size_t)st.st_size}, true, ret_image);
}

void elf_image_free(struct elf_image *image)
{
    if (!image)
        return;
    for (size_t i = 0; i < image->section_count; i++)
        free(image->sections[i].inflated);
    free(image->sections);
    elf_image_free(image->mini);
    release_file(image->file, image->is_mapped);
    free(image);
}

static struct section *find_section(const struct elf_image *image, const char *name)
{
    for (size_t i = 0; i < image->section_count; i++)
        if (image->sections[i].header.sh_type != SHT_NOBITS && strcmp(image->sections[i].name, name) == 0)
            return &image->sections[i];
    return NULL;
}

/* ".debug_info" in GNU's older compressed form is ".zdebug_info". */
static struct section *find_gnu_compressed(const struct elf_image *image, const char *name)
{
    char compressed[64];
    if (strncmp(name, ".debug_", 7) != 0)
        return NULL;
    int len = snprintf(compressed, sizeof(compressed), ".z%s", name + 1);
    return len < (int)sizeof(compressed) ? find_section(image, compressed) : NULL;
}

static void read_contents(struct elf_image *image, struct section *section)
{
    section->read = true;
    struct bytes raw = bytes_slice(image->file, section->header.sh_offset, section->header.sh_size);
    bool gnu = strncmp(section->name, ".zdebug_", 8) == 0;
    if (!gnu && !(section->header.sh_flags & SHF_COMPRESSED)) {
        section->contents = raw;
        return;
    }
    size_t len = 0;
    int r = gnu ? inflate_gnu_section(raw, &section->inflated, &len)
                : inflate_section(raw, &section->inflated, &len);
    if (r == 0)
        section->contents = (struct bytes){section->inflated, len};
}

struct bytes elf_image_section(struct elf_image *image, const char *name)
{
    struct section *section = find_section(image, name);
    if (!section)
        section = find_gnu_compressed(image, name);
    if (!section)
        return (struct bytes){0};
    if (!section->read)
        read_contents(image, section);
    return section->contents;
}

bool elf_image_has_section(const struct elf_image *image, const char *name)
{
    return find_section(image, name) || find_gnu_compressed(image, name);
}

uint64_t elf_image_section_address(const struct elf_image *image, const char *name)
{
    const struct section *section = find_section(image, name);
    return section ? section->header.sh_addr : 0;
}

bool elf_image_segment(const struct elf_image *image, size_t index, Elf64_Phdr *ret_segment)
{
    if (index >= image->header.e_phnum || image->header.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    struct bytes bytes = bytes_slice(bytes_from(image->file, image->header.e_phoff),
                                     index * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
    if (!bytes.len)
        return false;
    memcpy(ret_segment, bytes.data, sizeof(*ret_segment));
    return true;
}

bool elf_image_file_offset(const struct elf_image *image, uint64_t address, uint64_t *ret_offset)
{
    Elf64_Phdr segment;
    for (size_t i = 0; elf_image_segment(image, i, &segment); i++) {
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_filesz) {
            *ret_offset = address - segment.p_vaddr + segment.p_offset;
            return true;
        }
    }
    return false;
}

static bool visit_symbols(struct elf_image *image, const char *table, const char *names_section,
                          elf_symbol_fn callback, void *userdata)
{
    struct bytes symbols = elf_image_section(image, table);
    struct bytes names = elf_image_section(image, names_section);
    for (size_t offset = 0; offset + sizeof(Elf64_Sym) <= symbols.len; offset += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, symbols.data + offset, sizeof(symbol));
        if (!callback(userdata, bytes_str(names, symbol.st_name), &symbol))
            return false;
    }
    return true;
}

static struct elf_image *mini_of(struct elf_image *image)
{
    struct bytes compressed = elf_image_section(image, ".gnu_debugdata"), file;
    uint8_t *data;
    if (!image->mini_sought && compressed.len && inflate_xz(compressed, &data, &file.len) == 0) {
        file.data = data;
        open_bytes(file, false, &image->mini);
    }
    image->mini_sought = true;
    return image->mini;
}

void elf_image_symbols(struct elf_image *image, elf_symbol_fn callback, void *userdata)
{
    struct elf_image *mini = elf_image_has_section(image, ".symtab") ? NULL : mini_of(image);
    bool go_on = visit_symbols(mini ? mini : image, ".symtab", ".strtab", callback, userdata);
    bool complete = elf_image_section(image, ".symtab").len >= elf_image_section(image, ".dynsym").len;
    if (go_on && !complete)
        visit_symbols(image, ".dynsym", ".dynstr", callback, userdata);
}

static struct bytes find_build_id(struct bytes notes, size_t align)
{
    struct reader reader = reader_of(notes);
    while (reader_left(&reader) >= sizeof(Elf64_Nhdr)) {
        uint32_t name_len = reader_u32(&reader), len = reader_u32(&reader), type = reader_u32(&reader);
        const uint8_t *name = reader.pos;
        reader_skip(&reader, ((uint64_t)name_len + 3) & ~3ull);
        const uint8_t *contents = reader.pos;
        uint64_t padded = ((uint64_t)len + align - 1) & ~(uint64_t)(align - 1);
        if (reader.bad || len > reader_left(&reader))
            return (struct bytes){0};
        if (type == NT_GNU_BUILD_ID && name_len == 4 && memcmp(name, "GNU", 4) == 0)
            return (struct bytes){contents, len};
        reader_skip(&reader, padded);
    }
    return (struct bytes){0};
}

struct bytes elf_image_build_id(struct elf_image *image)
{
    struct bytes id = find_build_id(elf_image_section(image, ".note.gnu.build-id"), 4);
    Elf64_Phdr segment;
    for (size_t i = 0; !id.len && elf_image_segment(image, i, &segment); i++)
        if (segment.p_type == PT_NOTE)
            id = find_build_id(bytes_slice(image->file, segment.p_offset, segment.p_filesz),
                               segment.p_align == 8 ? 8 : 4);
    return id;
}
