#include "profile/line_table.h"

#include "base/buf.h"

#include <errno.h>
#include <string.h>

void line_table_release(struct line_table *table)
{
    intern_release(&table->strings);
    vec_release(&table->lines);
    map_release(&table->by_place);
    map_release(&table->files);
}

/* The local path of a DWARF name, and whose it is: asked of the file system once. */
static int local_file(struct line_table *table, const char *name, uint32_t *ret_file, bool *ret_yours)
{
    uint32_t id, file = 0;
    uint64_t known;
    int r = intern_put(&table->strings, name, &id);
    if (r < 0)
        return r;
    if (map_get(&table->files, id, &known) < 0) {
        OWNED_BUF struct buf path = BUF_INIT;
        r = source_paths_map(table->paths, name, &path);
        if (r == 0)
            r = intern_put(&table->strings, path.data, &file);
        if (r < 0)
            return r;
        known = (uint64_t)file << 1 | source_paths_yours(table->paths, path.data);
        r = map_put(&table->files, id, known);
        if (r < 0)
            return r;
    }
    *ret_file = (uint32_t)(known >> 1);
    *ret_yours = known & 1;
    return 0;
}

static uint64_t place_key(uint32_t file, uint32_t number, uint32_t function)
{
    return file ? (uint64_t)file << 32 | number : (uint64_t)function;
}

static int add_line(struct line_table *table, uint64_t key, const struct line *line)
{
    struct line *slot = vec_push(&table->lines);
    if (!slot)
        return -ENOMEM;
    *slot = *line;
    int r = map_put(&table->by_place, key, table->lines.len - 1);
    table->lines.len -= r < 0;
    return r;
}

static void note_build(struct line *line, uint64_t built_ns, uint32_t md5)
{
    if (built_ns < line->built_ns || (built_ns == line->built_ns && line->file_md5))
        return;
    line->built_ns = built_ns;
    line->file_md5 = md5;
}

int line_table_put(struct line_table *table, const struct source_frame *frame, uint64_t built_ns,
                   uint32_t *ret_line)
{
    uint32_t file = 0, function, md5 = 0;
    bool yours = false;
    int r = intern_put(&table->strings, frame->function, &function);
    if (r == 0 && frame->file_md5)
        r = intern_put(&table->strings, frame->file_md5, &md5);
    if (r == 0 && frame->file[0] && frame->line)
        r = local_file(table, frame->file, &file, &yours);
    if (r < 0)
        return r;
    uint64_t key = place_key(file, frame->line, function), index;
    if (map_get(&table->by_place, key, &index) < 0) {
        struct line line = {
            .file = file, .number = file ? frame->line : 0, .function = function, .yours = yours};
        r = add_line(table, key, &line);
        if (r < 0)
            return r;
        index = table->lines.len - 1;
    }
    note_build(&table->lines.items[index], built_ns, md5);
    *ret_line = (uint32_t)index;
    return 0;
}

int line_table_find(const struct line_table *table, const char *file, uint32_t number, uint32_t *ret_line)
{
    for (size_t i = 0; i < table->lines.len; i++) {
        const struct line *line = &table->lines.items[i];
        if (line->number == number && line->file && !strcmp(intern_str(&table->strings, line->file), file)) {
            *ret_line = (uint32_t)i;
            return 0;
        }
    }
    return -ENOENT;
}
