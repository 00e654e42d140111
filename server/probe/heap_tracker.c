/* Heap tracking by plain uprobes on the allocator's functions: exact, and dear for a program that allocates
 * much. */
#include "base/rights.h"
#include "probe/probe_internal.h"
#include "probe/uprobe_multi.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int attach_multi(struct probe *probe, pid_t pid, const struct bpf_program *program,
                        const struct heap_function *function, bool at_return)
{
    int *slot = vec_push(&probe->heap_fds);
    if (!slot)
        return -ENOMEM;
    int r = uprobe_multi_attach(bpf_program__fd(program), pid, function->path, function->file_offset,
                                function->call, at_return, slot);
    if (r < 0)
        probe->heap_fds.len--;
    return r;
}

static int attach_perf(struct probe *probe, pid_t pid, const struct bpf_program *program,
                       const struct heap_function *function, bool at_return)
{
    struct bpf_link **slot = vec_push(&probe->heap_links);
    if (!slot)
        return -ENOMEM;
    LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = function->call, .retprobe = at_return);
    *slot = bpf_program__attach_uprobe_opts(program, pid, function->path, function->file_offset, &options);
    if (!*slot) {
        probe->heap_links.len--;
        return -errno;
    }
    return 0;
}

static int attach(struct probe *probe, pid_t pid, const struct bpf_program *program,
                  const struct heap_function *function, bool at_return)
{
    return probe->uprobe_multi ? attach_multi(probe, pid, program, function, at_return)
                               : attach_perf(probe, pid, program, function, at_return);
}

static int attach_function(struct probe *probe, pid_t pid, const struct heap_function *function)
{
    if (function->call == HEAP_CALL_FREE)
        return attach(probe, pid, probe->bpf->progs.heap_free, function, false);
    int r = attach(probe, pid, probe->bpf->progs.heap_return, function, true);
    return r < 0 ? r : attach(probe, pid, probe->bpf->progs.heap_enter, function, false);
}

/* Allocators give one function several names: aligned_alloc is memalign in glibc. */
static bool is_repeated(const struct heap_function *functions, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (functions[j].file_offset == functions[i].file_offset &&
            !strcmp(functions[j].path, functions[i].path))
            return true;
    return false;
}

int probe_start_heap(struct probe *probe, pid_t pid, const struct heap_function *functions, size_t count)
{
    WITH_RIGHTS(RIGHTS_SAMPLE);
    int r = 0;
    /* What frees goes first: a block whose end is missed would count as live for ever. */
    for (int frees = 1; r == 0 && frees >= 0; frees--)
        for (size_t i = 0; r == 0 && i < count; i++)
            if ((functions[i].call == HEAP_CALL_FREE) == frees && !is_repeated(functions, i))
                r = attach_function(probe, pid, &functions[i]);
    if (r < 0)
        probe_stop_heap(probe);
    return r;
}

int probe_start_sampled_heap(struct probe *probe, pid_t pid, const char *path, uint64_t alloc_offset,
                             uint64_t free_offset)
{
    WITH_RIGHTS(RIGHTS_SAMPLE);
    struct heap_function alloc = {.path = path, .file_offset = alloc_offset},
                         freed = {.path = path, .file_offset = free_offset};
    int r = attach(probe, pid, probe->bpf->progs.heap_sampled_freed, &freed, false);
    if (r == 0)
        r = attach(probe, pid, probe->bpf->progs.heap_sampled, &alloc, false);
    if (r < 0)
        probe_stop_heap(probe);
    return r;
}

void probe_stop_heap(struct probe *probe)
{
    for (size_t i = 0; i < probe->heap_links.len; i++)
        bpf_link__destroy(probe->heap_links.items[i]);
    vec_release(&probe->heap_links);
    for (size_t i = 0; i < probe->heap_fds.len; i++)
        close(probe->heap_fds.items[i]);
    vec_release(&probe->heap_fds);
}
