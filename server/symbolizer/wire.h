/* What crosses between the symbolizer and its child: one message a packet over a SOCK_SEQPACKET pair, with at
 * most one descriptor beside it.
 *
 * The owner sends one request and waits for its answer before the next; in between the child may ask for
 * files. Both ends are the same program on the same machine, so numbers have the machine's order. The owner
 * trusts nothing that comes back.
 *
 * A message is a struct wire_header and a payload:
 *
 *     OPEN         fd                                         → OPENED
 *     CLOSE                                                   → nothing
 *     RESOLVE      u64 address, …                             → RESOLVED, until every address has had its
 * answer, in order UNWIND                                                  → TABLE FILE         i32 error; fd
 * if 0                         answers NEED_FILE
 *
 *     SCAN         fd                                         → SCANNED
 *
 *     OPENED       i32 error, struct wire_info, { u64 address, u64 file offset, u16 length, name } …
 *     RESOLVED     { struct wire_frames, { u32 line, function, NUL, file, NUL, MD5, NUL } … } …
 *     TABLE        i32 error, struct wire_table; a sealed memfd if 0
 *     SCANNED      i32 error, u32 count, u32 count, struct hook_candidate …, struct hook_definition …
 *     NEED_FILE    u32 kind, name up to the end */
#ifndef RSPROF_SYMBOLIZER_WIRE_H
#define RSPROF_SYMBOLIZER_WIRE_H

#include "base/buf.h"

#include <stdint.h>

/* A packet must fit the socket's send buffer, which an unprivileged process cannot enlarge. */
#define WIRE_MESSAGE_MAX   (128u << 10)
#define WIRE_ADDRESSES_MAX 256u        /* of one RESOLVE */
#define WIRE_FRAMES_MAX    1024u       /* of one address; the outermost of more are left out, */
#define WIRE_FRAMES_BYTES  (96u << 10) /* and so are those whose names take more than this */
#define WIRE_SYMBOLS_MAX   256u
#define WIRE_SYMBOL_MAX    64u
#define WIRE_SLOTS_MAX     2048u       /* words that a module may call an allocator through */
#define WIRE_FUNCTIONS_MAX 128u        /* of allocators, that a module has linked in */
#define WIRE_NAME_MAX      4096u       /* of a file that is needed */
#define WIRE_ELEMENTS_MAX  (32u << 20) /* of an unwind table */

enum wire_type {
    WIRE_OPEN = 1,
    WIRE_CLOSE,
    WIRE_RESOLVE,
    WIRE_UNWIND,
    WIRE_FILE,
    WIRE_OPENED,
    WIRE_RESOLVED,
    WIRE_TABLE,
    WIRE_NEED_FILE,
    WIRE_SCAN,
    WIRE_SCANNED,
};

struct wire_header {
    uint32_t type;
    uint32_t module; /* the owner's handle of it */
};

struct wire_info {
    uint64_t text_address, text_offset;
    uint8_t build_id[64];
    uint8_t build_id_len;
    uint8_t debug;
    uint8_t rust;
    uint8_t lacks_split;
    uint32_t symbol_count;
};

struct wire_frames {
    uint64_t address;
    uint32_t count, left_out;
};

struct wire_table {
    uint64_t start;
    uint32_t element_count, page_count;
};

/* Starts a message; the payload is appended to `message`. −ENOMEM. */
int wire_begin(struct buf *message, enum wire_type type, uint32_t module);

/* Sends a message, with a descriptor that stays the caller's (−1: none). Negative errno. */
int wire_send(int socket, const struct buf *message, int fd);

/* Receives a message into `message`. `*ret_fd` is the caller's, −1 if none came. −ECONNRESET at the end,
 * −EAGAIN nothing there, −EBADMSG cut short or with more than one descriptor. */
int wire_receive(int socket, struct buf *message, int *ret_fd);

#endif
