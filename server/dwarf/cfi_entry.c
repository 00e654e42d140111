#include "dwarf/cfi_entry.h"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <errno.h>

static const unsigned char ident[EI_NIDENT] = {
    ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT,
};

/* 0, 1 at the end, −EBADMSG for an entry that cannot be read (`*ret_next` leads on, or not past `offset`). */
static int next_entry(const struct cfi_section *section, uint64_t offset, uint64_t *ret_next,
                      Dwarf_CFI_Entry *ret_entry)
{
    Elf_Data data = {
        .d_buf = (void *)section->contents.data, .d_size = section->contents.len, .d_version = EV_CURRENT};
    Dwarf_Off next = offset;
    int r = dwarf_next_cfi(ident, &data, section->eh_frame, offset, &next, ret_entry);
    *ret_next = next;
    return r < 0 ? -EBADMSG : r;
}

/* Steps over a pointer whose value is not needed. */
static void skip_pointer(struct reader *reader, uint8_t encoding)
{
    static const uint8_t sizes[16] = {
        [DW_EH_PE_absptr] = 8, [DW_EH_PE_udata2] = 2, [DW_EH_PE_udata4] = 4, [DW_EH_PE_udata8] = 8,
        [DW_EH_PE_sdata2] = 2, [DW_EH_PE_sdata4] = 4, [DW_EH_PE_sdata8] = 8};
    uint8_t format = encoding & 0x0f;
    if (format == DW_EH_PE_uleb128 || format == DW_EH_PE_sleb128)
        reader_uleb(reader);
    else if (!sizes[format])
        reader_fail(reader);
    else
        reader_skip(reader, sizes[format]);
}

static int read_augmentation(const Dwarf_CIE *entry, struct cfi_cie *cie)
{
    const char *letter = entry->augmentation;
    if (!*letter)
        return 0;
    if (*letter != 'z')
        return -EBADMSG;
    cie->has_fde_augmentation = true;
    struct reader data = {entry->augmentation_data, entry->augmentation_data + entry->augmentation_data_size,
                          false};
    for (letter++; *letter; letter++) {
        if (*letter == 'R')
            cie->pointer_encoding = reader_u8(&data);
        else if (*letter == 'L')
            reader_u8(&data);
        else if (*letter == 'P')
            skip_pointer(&data, reader_u8(&data));
        else if (*letter == 'S')
            cie->signal_frame = true;
        else if (*letter != 'B' && *letter != 'G')
            break; /* the sized data lets us go on without knowing the rest */
    }
    return data.bad ? -EBADMSG : 0;
}

int cfi_read_cie(const struct cfi_section *section, uint64_t offset, struct cfi_cie *ret_cie)
{
    Dwarf_CFI_Entry entry;
    uint64_t next;
    int r = offset < section->contents.len ? next_entry(section, offset, &next, &entry) : 1;
    if (r != 0 || !dwarf_cfi_cie_p(&entry))
        return -EBADMSG;
    struct cfi_cie cie = {
        .code_align = entry.cie.code_alignment_factor,
        .data_align = entry.cie.data_alignment_factor,
        .return_register = entry.cie.return_address_register,
        .pointer_encoding = DW_EH_PE_absptr,
        .instructions = entry.cie.initial_instructions,
        .end = entry.cie.initial_instructions_end,
    };
    r = read_augmentation(&entry.cie, &cie);
    if (r < 0)
        return r;
    *ret_cie = cie;
    return 0;
}

/* A value in one of the formats of DW_EH_PE_*, not yet relative to anything. */
static uint64_t read_encoded(struct reader *reader, uint8_t encoding)
{
    switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
        return reader_u64(reader);
    case DW_EH_PE_uleb128:
        return reader_uleb(reader);
    case DW_EH_PE_sleb128:
        return (uint64_t)reader_sleb(reader);
    case DW_EH_PE_udata2:
        return reader_u16(reader);
    case DW_EH_PE_udata4:
        return reader_u32(reader);
    case DW_EH_PE_sdata2:
        return (uint64_t)(int64_t)(int16_t)reader_u16(reader);
    case DW_EH_PE_sdata4:
        return (uint64_t)(int64_t)(int32_t)reader_u32(reader);
    default:
        reader_fail(reader);
        return 0;
    }
}

static int read_fde(const struct cfi_section *section, const Dwarf_FDE *entry, const struct cfi_cie *cie,
                    struct cfi_fde *ret_fde)
{
    struct reader reader = {entry->start, entry->end, false};
    uint64_t at = section->address + (uint64_t)(entry->start - section->contents.data);
    uint8_t relative_to = cie->pointer_encoding & 0x70;
    if (relative_to != DW_EH_PE_absptr && relative_to != DW_EH_PE_pcrel)
        return -EBADMSG;
    uint64_t low = read_encoded(&reader, cie->pointer_encoding);
    if (relative_to == DW_EH_PE_pcrel)
        low += at;
    uint64_t length = read_encoded(&reader, cie->pointer_encoding & 0x07);
    if (cie->has_fde_augmentation)
        reader_skip(&reader, reader_uleb(&reader));
    if (reader.bad || !length || length > UINT64_MAX - low)
        return -EBADMSG;
    *ret_fde = (struct cfi_fde){low, low + length, entry->CIE_pointer, reader.pos, reader.end};
    return 0;
}

int cfi_read_fdes(const struct cfi_section *section, struct cfi_fdes *fdes)
{
    struct cfi_cie cie = {0};
    uint64_t cie_offset = UINT64_MAX; /* which one `cie` is */
    for (uint64_t offset = 0, next; offset < section->contents.len; offset = next) {
        Dwarf_CFI_Entry entry;
        int r = next_entry(section, offset, &next, &entry);
        if (r == 1 || next <= offset)
            break;
        if (r < 0 || dwarf_cfi_cie_p(&entry))
            continue;
        if (entry.fde.CIE_pointer != cie_offset) {
            cie_offset = UINT64_MAX;
            if (cfi_read_cie(section, entry.fde.CIE_pointer, &cie) < 0)
                continue;
            cie_offset = entry.fde.CIE_pointer;
        }
        struct cfi_fde fde;
        if (read_fde(section, &entry.fde, &cie, &fde) < 0)
            continue;
        struct cfi_fde *slot = vec_push(&fdes->items);
        if (!slot)
            return -ENOMEM;
        *slot = fde;
    }
    return 0;
}
