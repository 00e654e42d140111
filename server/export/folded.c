/* Folded stacks, as flamegraph.pl reads them. Slots whose calls bear the same names are one stack here. */
#include "export/calls.h"
#include "export/formats.h"

#include "base/buf.h"
#include "base/intern.h"

#include <errno.h>
#include <inttypes.h>

struct folded {
    struct intern stacks;
    VEC(uint64_t) samples; /* by id of the stack − 1 */
    struct buf line;
};

static int append_call(void *userdata, const struct call *call)
{
    struct buf *line = &((struct folded *)userdata)->line;
    int r = line->len ? buf_append_str(line, ";") : 0;
    size_t start = line->len;
    if (r == 0)
        r = buf_append_str(line, call->name);
    /* `[u8; 4]` in a name is no end of a frame. */
    for (size_t i = start; i < line->len; i++)
        if (line->data[i] == ';')
            line->data[i] = ':';
        else if (line->data[i] == '\n')
            line->data[i] = ' ';
    return r;
}

static int count(struct folded *folded, uint64_t samples)
{
    uint32_t id;
    if (!samples)
        return 0;
    int r = intern_put(&folded->stacks, folded->line.data, &id);
    if (r < 0)
        return r;
    uint64_t *slot = id > folded->samples.len ? vec_push(&folded->samples) : &folded->samples.items[id - 1];
    if (!slot)
        return -ENOMEM;
    *slot += samples;
    return 0;
}

static int add_stack(struct folded *folded, const struct export_source *source,
                     const struct viewed_stack *stack)
{
    buf_clear(&folded->line);
    int r = calls_visit(source, stack, append_call, folded);
    if (r == 0)
        r = count(folded, stack->user);
    if (r == 0)
        r = append_call(folded, &call_in_kernel);
    return r == 0 ? count(folded, stack->kernel) : r;
}

int export_folded(const struct export_source *source, FILE *out)
{
    struct folded folded = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < stack_view_len(&source->stacks); i++) {
        struct viewed_stack stack = stack_view_stack(&source->stacks, i);
        r = add_stack(&folded, source, &stack);
    }
    for (uint32_t id = 1; r == 0 && id <= folded.samples.len; id++)
        fprintf(out, "%s %" PRIu64 "\n", intern_str(&folded.stacks, id), folded.samples.items[id - 1]);
    intern_release(&folded.stacks);
    vec_release(&folded.samples);
    buf_release(&folded.line);
    return r;
}
