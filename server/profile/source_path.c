#include "profile/source_path.h"

#include "base/cleanup.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

static bool starts_with(const char *str, const char *prefix)
{
    return !strncmp(str, prefix, strlen(prefix));
}

static bool ends_with(const char *str, const char *suffix)
{
    size_t len = strlen(str), cut = strlen(suffix);
    return len >= cut && !strcmp(str + len - cut, suffix);
}

static int find_library_roots(struct source_paths *paths)
{
    OWNED_BUF struct buf rustup = BUF_INIT;
    const char *home = getenv("HOME"), *rustup_home = getenv("RUSTUP_HOME");
    int r = rustup_home ? buf_append_str(&rustup, rustup_home)
                        : buf_appendf(&rustup, "%s/.rustup", home ? home : "");
    if (r == 0)
        r = buf_append_str(&rustup, "/toolchains/*/lib/rustlib/src/rust");
    const char *patterns[] = {rustup.data, "/usr/lib/rustlib/src/rust", "/usr/src/rustc-*"};
    for (size_t i = 0; r == 0 && i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found))
            continue;
        for (size_t j = 0; r == 0 && j < found.gl_pathc; j++) {
            char *root = strdup(found.gl_pathv[j]), **slot = root ? vec_push(&paths->library_roots) : NULL;
            if (slot)
                *slot = root;
            else
                free(root);
            r = slot ? 0 : -ENOMEM;
        }
        globfree(&found);
    }
    return r;
}

int source_paths_init(struct source_paths *paths)
{
    *paths = (struct source_paths){0};
    int r = find_library_roots(paths);
    if (r < 0)
        source_paths_release(paths);
    return r;
}

static void clear_folders(struct source_paths *paths)
{
    for (size_t i = 0; i < paths->folders.len; i++)
        free(paths->folders.items[i]);
    vec_release(&paths->folders);
}

static void clear_rules(struct source_paths *paths)
{
    for (size_t i = 0; i < paths->rules.len; i++) {
        free(paths->rules.items[i].from);
        free(paths->rules.items[i].to);
    }
    vec_release(&paths->rules);
}

void source_paths_release(struct source_paths *paths)
{
    clear_rules(paths);
    for (size_t i = 0; i < paths->library_roots.len; i++)
        free(paths->library_roots.items[i]);
    vec_release(&paths->library_roots);
    clear_folders(paths);
}

static bool is_rule(const char *rule)
{
    return strchr(rule, '=') && *rule != '=';
}

static int add_rule(struct source_paths *paths, const char *rule)
{
    const char *equals = strchr(rule, '=');
    char *from = strndup(rule, (size_t)(equals - rule)), *to = strdup(equals + 1);
    struct source_map_rule *slot = from && to ? vec_push(&paths->rules) : NULL;
    if (!slot) {
        free(from);
        free(to);
        return -ENOMEM;
    }
    *slot = (struct source_map_rule){from, to};
    return 0;
}

int source_paths_set_rules(struct source_paths *paths, const char *const *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_rule(rules[i]))
            return -EINVAL;
    clear_rules(paths);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_rule(paths, rules[i]);
    return r;
}

int source_paths_set_folders(struct source_paths *paths, const char *const *folders, size_t count)
{
    clear_folders(paths);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(folders[i]);
        while (len > 1 && folders[i][len - 1] == '/')
            len--;
        char *folder = strndup(folders[i], len), **slot = folder ? vec_push(&paths->folders) : NULL;
        if (!slot) {
            free(folder);
            return -ENOMEM;
        }
        *slot = folder;
    }
    return 0;
}

/* A path with the prefix: the prefix ends at a '/' in it. */
static const char *below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    if (strncmp(path, folder, len) || (path[len] && path[len] != '/' && (!len || folder[len - 1] != '/')))
        return NULL;
    return path + len;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* "/rustc/<hash>/library/core/src/x.rs" → "library/core/src/x.rs", else NULL. */
static const char *library_part(const char *name)
{
    if (!starts_with(name, "/rustc/"))
        return NULL;
    const char *slash = strchr(name + strlen("/rustc/"), '/');
    return slash && starts_with(slash + 1, "library/") ? slash + 1 : NULL;
}

/* Sets `path` to prefix + suffix if that exists: 1; else 0, or −ENOMEM. */
static int try_path(struct buf *path, const char *prefix, const char *separator, const char *suffix)
{
    buf_clear(path);
    int r = buf_appendf(path, "%s%s%s", prefix, separator, suffix);
    return r < 0 ? r : exists(path->data);
}

static int map_library(const struct source_paths *paths, const char *part, struct buf *path)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < paths->library_roots.len; i++)
        r = try_path(path, paths->library_roots.items[i], "/", part);
    return r;
}

static int map_suffix(const struct source_paths *paths, const char *name, struct buf *path)
{
    int r = 0;
    for (const char *suffix = name; r == 0 && suffix; suffix = strchr(suffix, '/')) {
        suffix += *suffix == '/';
        for (size_t i = 0; r == 0 && i < paths->folders.len; i++)
            r = try_path(path, paths->folders.items[i], "/", suffix);
    }
    return r;
}

int source_paths_map(const struct source_paths *paths, const char *name, struct buf *path)
{
    for (size_t i = 0; i < paths->rules.len; i++) {
        const char *rest = below(name, paths->rules.items[i].from);
        if (rest)
            return buf_appendf(path, "%s%s", paths->rules.items[i].to, rest);
    }
    OWNED_BUF struct buf found = BUF_INIT;
    const char *library = library_part(name);
    int r = exists(name) ? 0
            : library    ? map_library(paths, library, &found)
                         : map_suffix(paths, name, &found);
    if (r < 0)
        return r;
    return buf_append_str(path, r ? found.data : name);
}

bool source_paths_yours(const struct source_paths *paths, const char *path)
{
    static const char *const libraries[] = {"/lib/rustlib/src/", "/.cargo/registry/",
                                            "/.cargo/git/checkouts/", "/usr/share/cargo/registry/",
                                            "/cargo/registry/src/"};
    if (starts_with(path, "/rustc/") || starts_with(path, "/rust/deps/") ||
        starts_with(path, "/usr/src/rustc-"))
        return false;
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        if (strstr(path, libraries[i]))
            return false;
    for (size_t i = 0; i < paths->folders.len; i++)
        if (below(path, paths->folders.items[i]))
            return true;
    return !paths->folders.len && ends_with(path, ".rs");
}
