/* The text of a document as lines, and positions in it as a client counts them.
 *
 * Invariants: there is always at least one line (an empty text has one empty line); `line_starts` are
 * ascending byte offsets into `bytes`, the first is 0. Lines end with \n, \r\n or \r, as LSP has it.
 * Positions past the end of a line or of the text mean that end. Errors: −ENOMEM. */
#ifndef RSPROF_LSP_TEXT_H
#define RSPROF_LSP_TEXT_H

#include "base/buf.h"
#include "base/vec.h"

#include <stdint.h>

enum position_encoding { ENCODING_UTF16 = 0, ENCODING_UTF8, ENCODING_UTF32 };

struct text_position {
    uint32_t line;      /* 0-based */
    uint32_t character; /* code units of the encoding */
};

struct text {
    struct buf bytes;
    VEC(size_t) line_starts;
};

/* A piece of text without its line end; valid until the text changes. */
struct text_slice {
    const char *data;
    size_t len;
};

int text_init(struct text *text, const char *bytes, size_t len);
void text_release(struct text *text);

size_t text_line_count(const struct text *text);
struct text_slice text_line(const struct text *text, size_t line);

/* The slice without blanks at both ends. */
struct text_slice text_slice_trim(struct text_slice slice);

size_t text_offset(const struct text *text, struct text_position position, enum position_encoding encoding);

/* How many code units of `encoding` a line has. */
uint32_t text_line_units(const struct text *text, size_t line, enum position_encoding encoding);

/* A copy of the text with bytes [start, end) replaced. */
int text_replaced(const struct text *text, size_t start, size_t end, const char *replacement, size_t len,
                  struct text *ret_text);

#endif
