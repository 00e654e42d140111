/* Everything that reads an ELF file for its debug information: survey, units, line programs, scopes, split
 * and separate files, unwind table. Inputs are whole ELF files. */
#include "dwarf/module.h"

#include "base/cleanup.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
    unsigned files; /* asked for so far */
};

static int input_fd(const struct input *input)
{
    OWNED_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, input->data, input->size) != (ssize_t)input->size)
        return -ENOMEM;
    return take_fd(&fd);
}

/* The input is its own separate, split and supplementary file, as often as a real one could be. */
static int find_file(void *userdata, enum module_file_kind kind, const char *name)
{
    struct input *input = userdata;
    (void)kind;
    (void)name;
    return input->files++ < 4 ? input_fd(input) : -ENOENT;
}

/* The use that the address sanitizer sees is reading every byte. */
static size_t read_frames(const struct source_frame *frames, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += strlen(frames[i].function) + strlen(frames[i].file) + frames[i].line;
    return total;
}

static void resolve_some(struct module *module)
{
    uint64_t text = module_info(module)->text_address;
    for (uint64_t address = text; address < text + 2048; address += 5) {
        const struct source_frame *frames;
        size_t count;
        if (module_resolve(module, address, &frames, &count) == 0 && read_frames(frames, count) == SIZE_MAX)
            __builtin_trap();
    }
}

static void check_table(const struct unwind_table *table)
{
    for (uint32_t i = 0; i < table->page_count; i++) {
        struct unwind_page page = table->elements[i].page;
        size_t first = (size_t)page.first_line * UNWIND_LINE_ELEMENTS;
        if (page.kind == UNWIND_ROWS &&
            (page.line_count > UNWIND_PAGE_LINES_MAX ||
             first + (size_t)page.line_count * UNWIND_LINE_ELEMENTS > table->element_count ||
             table->elements[first].row.pc != 0))
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size};
    struct module *module;
    struct unwind_table table;
    OWNED_FD int fd = input_fd(&input);
    if (fd < 0 || module_open(fd, find_file, &input, &module) < 0)
        return 0;
    resolve_some(module);
    if (module_unwind_table(module, &table) == 0) {
        check_table(&table);
        unwind_table_release(&table);
    }
    module_free(module);
    return 0;
}
