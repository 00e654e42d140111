/* The short text drawn on a line: `38.2%  12.0 MiB`. Pure: numbers in, text out.
 *
 * Invariant: within one metric all labels have the same width up to their last column, so that numbers that
 * change do not make text jump. CPU takes LABEL_CPU_WIDTH characters, heap LABEL_HEAP_WIDTH, two spaces
 * between. A column that has nothing to say is blank; blanks at the end are cut. */
#ifndef RSPROF_LSP_LABEL_H
#define RSPROF_LSP_LABEL_H

#include "lsp/view.h"

#define LABEL_CPU_WIDTH  5
#define LABEL_HEAP_WIDTH 8
#define LABEL_MAX        32

struct label {
    char text[LABEL_MAX];
};

/* `metric` is an enum view_metric. */
struct label label_format(int metric, struct view_value value);

/* Bytes with three digits and a binary unit, not padded: "512 B", "1.50 KiB", "12.0 MiB", "1023 GiB". */
void label_format_bytes(double bytes, char text[static LABEL_MAX]);

/* A share as percentage, not padded: "38.2%", "100%", "<0.1%"; "" for 0. */
void label_format_share(double share, char text[static LABEL_MAX]);

#endif
