#include "lsp/line_diff.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

uint64_t line_hash(struct text_slice line)
{
    uint64_t hash = 14695981039346656037ull; /* FNV-1a */
    line = text_slice_trim(line);
    for (size_t i = 0; i < line.len; i++)
        hash = (hash ^ (uint8_t)line.data[i]) * 1099511628211ull;
    return hash;
}

/* The part of both texts between their common beginning and end, as hashes. */
struct middle {
    const uint64_t *from, *to;
    size_t from_count, to_count;
};

/* rows[d * d + k + d] is the furthest `from` line reached on diagonal k (k = x − y) with d edits: rows of 2d
 * + 1 entries, one after the other. */
static uint32_t *row_of(uint32_t *rows, size_t d)
{
    return rows + d * d;
}

/* Whether the furthest path of `d` edits enters the diagonal of `index` (k + d) by dropping down from k + 1,
 * not right from k − 1. Seen from row d − 1, these are the indices `index` and `index − 2`. */
static bool enters_down(uint32_t *rows, size_t d, size_t index)
{
    const uint32_t *previous = row_of(rows, d - 1);
    if (index < 2)
        return true;
    return index <= 2 * d - 2 && previous[index] > previous[index - 2];
}

/* The `from` line at which that path enters the diagonal. */
static size_t entry_of(uint32_t *rows, size_t d, size_t index)
{
    if (d == 0)
        return 0;
    const uint32_t *previous = row_of(rows, d - 1);
    return enters_down(rows, d, index) ? previous[index] : previous[index - 2] + 1;
}

/* Walks back from the end and notes the matched pairs. */
static void trace_back(const struct middle *middle, uint32_t *rows, size_t d, uint32_t *origins)
{
    size_t x = middle->from_count, y = middle->to_count;
    for (;; d--) {
        size_t index = x + d - y, entry = entry_of(rows, d, index);
        while (x > entry)
            origins[--y] = (uint32_t)--x;
        if (d == 0)
            return;
        if (enters_down(rows, d, index))
            y--;
        else
            x--;
    }
}

/* Fills row d; true when the end of both texts is reached. */
static bool extend(const struct middle *middle, uint32_t *rows, size_t d)
{
    for (size_t index = 0; index <= 2 * d; index += 2) {
        size_t x = entry_of(rows, d, index), y = x + d - index;
        while (x < middle->from_count && y < middle->to_count && middle->from[x] == middle->to[y]) {
            x++;
            y++;
        }
        row_of(rows, d)[index] = (uint32_t)x;
        if (x == middle->from_count && y == middle->to_count)
            return true;
    }
    return false;
}

static int match_middle(const struct middle *middle, uint32_t *origins)
{
    size_t most = middle->from_count + middle->to_count;
    if (most > LINE_DIFF_EDITS_MAX)
        most = LINE_DIFF_EDITS_MAX;
    OWNED_MEM uint32_t *rows = NULL;
    for (size_t d = 0; d <= most; d++) {
        uint32_t *grown = realloc(rows, (d + 1) * (d + 1) * sizeof(*rows));
        if (!grown)
            return -ENOMEM;
        rows = grown;
        if (extend(middle, rows, d)) {
            trace_back(middle, rows, d, origins);
            return 0;
        }
    }
    return 0;
}

static struct text_slice trimmed(struct line_range range, size_t i)
{
    return text_slice_trim(text_line(range.text, range.first + i));
}

static bool is_similar(struct text_slice a, struct text_slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len, head = 0, tail = 0;
    if (!shorter)
        return false;
    while (head < shorter && a.data[head] == b.data[head])
        head++;
    while (tail < shorter - head && a.data[a.len - 1 - tail] == b.data[b.len - 1 - tail])
        tail++;
    return 2 * (head + tail) >= shorter;
}

/* Between two matched lines: pairs what is left of `from` with what is new in `to`, in order. */
static void match_changed(struct line_range from, struct line_range to, size_t from_first, size_t from_end,
                          size_t to_first, size_t to_end, uint32_t *origins)
{
    for (size_t i = from_first; i < from_end && to_first < to_end; i++) {
        struct text_slice old = trimmed(from, i);
        for (size_t j = to_first; j < to_end && j < to_first + LINE_DIFF_REACH; j++)
            if (is_similar(old, trimmed(to, j))) {
                origins[j] = (uint32_t)i;
                to_first = j + 1;
                break;
            }
    }
}

static void match_gaps(struct line_range from, struct line_range to, uint32_t *origins)
{
    size_t from_next = 0, to_next = 0;
    for (size_t j = 0; j <= to.count; j++) {
        size_t origin = j < to.count ? origins[j] : from.count;
        if (origin == LINE_DIFF_NONE)
            continue;
        match_changed(from, to, from_next, origin, to_next, j, origins);
        from_next = origin + 1;
        to_next = j + 1;
    }
}

static uint64_t *hashes_of(struct line_range range)
{
    uint64_t *hashes = malloc((range.count + 1) * sizeof(*hashes));
    for (size_t i = 0; hashes && i < range.count; i++)
        hashes[i] = line_hash(text_line(range.text, range.first + i));
    return hashes;
}

int line_diff(struct line_range from, struct line_range to, uint32_t *ret_origins)
{
    OWNED_MEM uint64_t *old = hashes_of(from), *new = hashes_of(to);
    size_t shorter = from.count < to.count ? from.count : to.count, head = 0, tail = 0;
    if (!old || !new)
        return -ENOMEM;
    while (head < shorter && old[head] == new[head])
        head++;
    while (tail < shorter - head && old[from.count - 1 - tail] == new[to.count - 1 - tail])
        tail++;
    struct middle middle = {old + head, new + head, from.count - head - tail, to.count - head - tail};
    for (size_t j = 0; j < to.count; j++)
        ret_origins[j] = LINE_DIFF_NONE;
    int r = match_middle(&middle, ret_origins + head);
    if (r < 0)
        return r;
    for (size_t j = head; j < to.count - tail; j++)
        if (ret_origins[j] != LINE_DIFF_NONE)
            ret_origins[j] += (uint32_t)head;
    for (size_t j = 0; j < head; j++)
        ret_origins[j] = (uint32_t)j;
    for (size_t j = 0; j < tail; j++)
        ret_origins[to.count - 1 - j] = (uint32_t)(from.count - 1 - j);
    match_gaps(from, to, ret_origins);
    return 0;
}
