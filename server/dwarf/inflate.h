/* Inflates compressed ELF sections: zlib and zstd by SHF_COMPRESSED, and GNU's older .zdebug_* form. */
#ifndef RSPROF_DWARF_INFLATE_H
#define RSPROF_DWARF_INFLATE_H

#include "dwarf/bytes.h"

/* Bytes a section may inflate to: what is larger is taken for damaged. */
#define INFLATE_MAX_BYTES (2ull << 30)

/* `*ret_data` is the caller's to free. −EBADMSG damaged or of a kind we do not know; −ENOMEM. */
int inflate_section(struct bytes compressed, uint8_t **ret_data, size_t *ret_len);
int inflate_gnu_section(struct bytes compressed, uint8_t **ret_data, size_t *ret_len);

/* An .xz file. Errors as above. */
int inflate_xz(struct bytes compressed, uint8_t **ret_data, size_t *ret_len);

#endif
