/* The identities of a document's lines: see documents.h, whose other half this is. Errors: −ENOMEM, with the
 * document unchanged. */
#ifndef RSPROF_LSP_DOCUMENT_LINES_H
#define RSPROF_LSP_DOCUMENT_LINES_H

#include "lsp/documents.h"

/* Gives every line of the text an identity. */
int document_lines_init(struct document *document);
void document_lines_release(struct document *document);

/* The lines [first, last] of the document's text became whatever stands in their place in `changed`; the
 * others stay. */
int document_lines_follow(struct document *document, const struct text *changed, size_t first, size_t last);

/* Notes a state of the file on disk. The oldest but one gives way when there are too many: the oldest is what
 * the document was opened with, and most often what the process was built from. */
int document_lines_add_state(struct document *document, uint64_t mtime_ns, const struct text *disk);

/* The current line with this identity, or DOCUMENT_NO_LINE. */
uint32_t document_lines_find(struct document *document, uint32_t id);

/* Of the whole text, byte for byte, but for the kind of line end. */
uint64_t document_lines_content_hash(const struct text *text);

#endif
