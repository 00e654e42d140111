#include "dwarf/split_units.h"

#include "base/cleanup.h"
#include "dwarf/package_index.h"

#include <errno.h>

static void split_unit_free(struct split_unit *split)
{
    if (!split)
        return;
    dwarf_file_release(&split->file);
    elf_image_free(split->image);
    free(split);
}

void split_units_release(struct split_units *units)
{
    for (size_t i = 0; i < units->units.len; i++)
        split_unit_free(units->units.items[i]);
    vec_release(&units->units);
    elf_image_free(units->package);
    units->package = NULL;
}

static int open_file(const struct split_units *units, enum module_file_kind kind, const char *name,
                     struct elf_image **ret_image)
{
    if (!units->find_file)
        return -ENOENT;
    OWNED_FD int fd = units->find_file(units->userdata, kind, name);
    int r = fd < 0 ? fd : elf_image_open(fd, ret_image);
    return r == 0 || r == -ENOMEM ? r : -ENOENT;
}

/* A split unit has no addresses of its own: they are the skeleton's, and so are range lists before DWARF 5.
 */
static void inherit(struct unit *unit, const struct unit *skeleton)
{
    unit->addr_base = skeleton->addr_base;
    unit->gnu_ranges_base = skeleton->gnu_ranges_base;
    unit->low_pc = skeleton->low_pc;
    unit->comp_dir = skeleton->comp_dir;
}

static int read_split(struct split_unit *split, const struct unit *skeleton)
{
    split->file.split = true;
    split->file.sections.addr = skeleton->file->sections.addr;
    split->file.sections.ranges = skeleton->file->sections.ranges;
    int r = dwarf_file_read_units(&split->file);
    if (r < 0)
        return r;
    for (size_t i = 0; i < split->file.units.len; i++) {
        struct unit *unit = &split->file.units.items[i];
        r = unit_read_root(unit);
        if (r == -ENOMEM)
            return r;
        if (r == 0 && unit->dwo_id == skeleton->dwo_id) {
            inherit(unit, skeleton);
            split->unit = unit;
            return 0;
        }
    }
    return -ENOENT;
}

static int find_in_package(struct split_units *units, const struct unit *skeleton, struct split_unit *split)
{
    if (!units->package_sought) {
        int r = open_file(units, MODULE_FILE_DWP, "", &units->package);
        units->package_sought = r != -ENOMEM;
        if (r == -ENOMEM)
            return r;
    }
    if (!units->package)
        return -ENOENT;
    split->file.sections = dwarf_sections_of(units->package, true);
    int r = package_index_narrow(elf_image_section(units->package, ".debug_cu_index"), skeleton->dwo_id,
                                 &split->file.sections);
    return r < 0 ? r : read_split(split, skeleton);
}

static int find_in_file(struct split_units *units, const struct unit *skeleton, struct split_unit *split)
{
    struct arena arena = {0};
    const char *path = skeleton->dwo_name;
    if (path[0] != '/')
        path = arena_join_path(&arena, skeleton->comp_dir, skeleton->dwo_name);
    int r = path ? open_file(units, MODULE_FILE_DWO, path, &split->image) : -ENOMEM;
    arena_release(&arena);
    if (r < 0)
        return r;
    split->file.sections = dwarf_sections_of(split->image, true);
    return read_split(split, skeleton);
}

int split_units_find(struct split_units *units, const struct unit *skeleton, struct unit **ret_unit)
{
    if (!*skeleton->dwo_name)
        return -ENOENT;
    struct split_unit *split = calloc(1, sizeof(*split));
    struct split_unit **slot = split ? vec_push(&units->units) : NULL;
    if (!slot) {
        free(split);
        return -ENOMEM;
    }
    *slot = split;
    int r = find_in_package(units, skeleton, split);
    if (r == -ENOENT) {
        dwarf_file_release(&split->file);
        r = find_in_file(units, skeleton, split);
    }
    if (r < 0) {
        units->units.len--;
        split_unit_free(split);
        return r;
    }
    *ret_unit = split->unit;
    return 0;
}
