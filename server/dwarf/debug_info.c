#include "dwarf/debug_info.h"

#include "base/cleanup.h"
#include "dwarf/split_units.h"
#include "dwarf/unit_map.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>

struct debug_info {
    struct elf_image *image;    /* the file that has it; not owned if it is the module's own */
    struct elf_image *separate; /* owned; NULL: none */
    struct dwarf_file file;
    struct elf_image *supplement; /* owned; what dwz moved out of several files; NULL: none */
    struct dwarf_file supplement_file;
    struct unit_map map;
    bool mapped;
    struct indexed_unit *units; /* one for each of file.units */
    struct split_units split;
    module_find_file_fn find_file;
    void *userdata;
};

static bool has_debug_info(const struct elf_image *image)
{
    return elf_image_has_section(image, ".debug_info");
}

static int open_file(const struct debug_info *info, enum module_file_kind kind, const char *name,
                     struct elf_image **ret_image)
{
    if (!info->find_file)
        return -ENOENT;
    OWNED_FD int fd = info->find_file(info->userdata, kind, name);
    return fd < 0 ? fd : elf_image_open(fd, ret_image);
}

static int open_by_build_id(struct debug_info *info, struct elf_image *image)
{
    char name[2 * BUILD_ID_MAX + 1];
    struct bytes id = elf_image_build_id(image);
    if (!id.len || id.len > BUILD_ID_MAX)
        return -ENOENT;
    for (size_t i = 0; i < id.len; i++)
        snprintf(name + 2 * i, 3, "%02x", id.data[i]);
    return open_file(info, MODULE_FILE_BUILD_ID, name, &info->separate);
}

static int open_by_link(struct debug_info *info, struct elf_image *image)
{
    const char *name = bytes_str(elf_image_section(image, ".gnu_debuglink"), 0);
    return *name ? open_file(info, MODULE_FILE_DEBUGLINK, name, &info->separate) : -ENOENT;
}

static bool separate_fits(struct debug_info *info, struct elf_image *image)
{
    struct bytes ours = elf_image_build_id(image), theirs = elf_image_build_id(info->separate);
    bool same = ours.len == theirs.len && (!ours.len || memcmp(ours.data, theirs.data, ours.len) == 0);
    if (same && has_debug_info(info->separate))
        return true;
    elf_image_free(info->separate);
    info->separate = NULL;
    return false;
}

/* Failing to open a separate file is the same as having none; only memory is an error. */
static int find_image(struct debug_info *info, struct elf_image *image)
{
    info->image = image;
    if (has_debug_info(image))
        return 0;
    int r = open_by_build_id(info, image);
    if (r != 0 || !separate_fits(info, image))
        r = open_by_link(info, image);
    if (r == -ENOMEM)
        return r;
    if (r != 0 || !info->separate || !separate_fits(info, image))
        return -ENODATA;
    info->image = info->separate;
    return 0;
}

/* Without its supplement the names of some functions are missing, and no more. */
static int open_supplement(struct debug_info *info)
{
    struct bytes link = elf_image_section(info->image, ".gnu_debugaltlink");
    const char *name = bytes_str(link, 0);
    struct bytes wanted = bytes_from(link, strlen(name) + 1);
    if (!*name)
        return 0;
    int r = open_file(info, MODULE_FILE_ALTLINK, name, &info->supplement);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    struct bytes id = elf_image_build_id(info->supplement);
    if (id.len != wanted.len || (id.len && memcmp(id.data, wanted.data, id.len) != 0))
        return 0;
    info->supplement_file.sections = dwarf_sections_of(info->supplement, false);
    info->file.supplement = &info->supplement_file;
    return dwarf_file_read_units(&info->supplement_file);
}

int debug_info_open(struct elf_image *image, module_find_file_fn find_file, void *userdata,
                    struct debug_info **ret_info)
{
    struct debug_info *info = calloc(1, sizeof(*info));
    if (!info)
        return -ENOMEM;
    info->find_file = find_file;
    info->userdata = userdata;
    info->split = (struct split_units){.find_file = find_file, .userdata = userdata};
    int r = find_image(info, image);
    if (r < 0)
        goto fail;
    info->file.sections = dwarf_sections_of(info->image, false);
    r = dwarf_file_read_units(&info->file);
    if (r == 0)
        r = open_supplement(info);
    if (r < 0)
        goto fail;
    info->units = calloc(info->file.units.len + 1, sizeof(*info->units));
    r = -ENOMEM;
    if (!info->units)
        goto fail;
    for (size_t i = 0; i < info->file.units.len; i++)
        info->units[i].unit = info->units[i].scopes_unit = &info->file.units.items[i];
    *ret_info = info;
    return 0;
fail:
    debug_info_free(info);
    return r;
}

void debug_info_free(struct debug_info *info)
{
    if (!info)
        return;
    for (size_t i = 0; info->units && i < info->file.units.len; i++)
        indexed_unit_release(&info->units[i]);
    free(info->units);
    unit_map_release(&info->map);
    split_units_release(&info->split);
    dwarf_file_release(&info->file);
    dwarf_file_release(&info->supplement_file);
    elf_image_free(info->supplement);
    elf_image_free(info->separate);
    free(info);
}

struct elf_image *debug_info_image(struct debug_info *info)
{
    return info->image;
}

/* Lets a skeleton's scopes come from its split unit. −ENOENT: there is none; without it a skeleton still has
 * lines. */
static int find_scopes(struct debug_info *info, struct indexed_unit *unit)
{
    if (unit->scopes_unit != unit->unit)
        return 0;
    return split_units_find(&info->split, unit->unit, &unit->scopes_unit);
}

static int prepare(struct debug_info *info, struct indexed_unit *unit)
{
    if (unit->ready)
        return 0;
    if (unit_read_root(unit->unit) < 0)
        return -ENOENT;
    return find_scopes(info, unit) == -ENOMEM ? -ENOMEM : indexed_unit_prepare(unit);
}

bool debug_info_lacks_split(struct debug_info *info, const struct unit *unit)
{
    return *unit->dwo_name && find_scopes(info, &info->units[unit - info->file.units.items]) != 0;
}

int debug_info_unit_at(struct debug_info *info, uint64_t address, struct indexed_unit **ret_unit)
{
    uint32_t index = 0;
    int r = info->mapped ? 0 : unit_map_build(&info->file, &info->map);
    if (r < 0)
        return r;
    info->mapped = true;
    r = unit_map_find(&info->map, address, &index);
    if (r < 0)
        return r;
    struct indexed_unit *unit = &info->units[index];
    r = prepare(info, unit);
    if (r < 0)
        return r;
    *ret_unit = unit;
    return 0;
}

void debug_info_visit_units(struct debug_info *info, bool (*visit)(void *userdata, const struct unit *unit),
                            void *userdata)
{
    for (size_t i = 0; i < info->file.units.len; i++) {
        struct unit *unit = &info->file.units.items[i];
        if (unit_read_root(unit) == 0 && !visit(userdata, unit))
            return;
    }
}
