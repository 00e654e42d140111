#include "dwarf/demangle.h"

#include "base/cleanup.h"

#include <libiberty/demangle.h>
#include <stdbool.h>
#include <string.h>

/* Longer names are left mangled: the demangler's time and stack grow with them. */
#define MANGLED_MAX 8192

struct demangled {
    char *name; /* owned; NULL: not mangled */
    bool rust;
};

static struct demangled demangle(const char *mangled, int cplusplus_options)
{
    struct demangled result = {0};
    if (strlen(mangled) > MANGLED_MAX)
        return result;
    result.name = rust_demangle(mangled, 0);
    result.rust = result.name != NULL;
    if (!result.name && strncmp(mangled, "_Z", 2) == 0)
        result.name = cplus_demangle_v3(mangled, cplusplus_options);
    return result;
}

/* ".llvm.123", ".cold", ".part.0", "@@GLIBC_2.2.5": made by tools, not by people. */
static int append_plain(const char *name, struct buf *out)
{
    size_t len = strcspn(name, "@");
    const char *dot = memchr(name, '.', len);
    if (dot && dot != name)
        len = (size_t)(dot - name);
    return buf_append(out, name, len);
}

/* A copy of the mangled name without such suffixes; libiberty takes only some. */
static int strip_suffix(const char *mangled, struct buf *out)
{
    if (strncmp(mangled, "_ZN", 3) == 0) {
        /* Legacy names hold dots of their own ("..") before their end. */
        const char *llvm = strstr(mangled, ".llvm.");
        return buf_append(out, mangled, llvm ? (size_t)(llvm - mangled) : strlen(mangled));
    }
    return append_plain(mangled, out);
}

/* After the '<' at `path`, the matching '>', or the end. "->" closes nothing. */
static const char *skip_generics(const char *path)
{
    unsigned depth = 0;
    for (; *path; path++) {
        if (*path == '<')
            depth++;
        else if (*path == '>' && path[-1] != '-' && --depth == 0)
            return path + 1;
    }
    return path;
}

/* True where '<' opens a qualified path ("<T as Trait>") and not generic arguments. */
static bool opens_qualified(const char *start, const char *at)
{
    return at == start ||
           !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:}", at[-1]);
}

/* "<a::B>::f" is "a::B::f": the brackets say something only with " as ". */
static const char *unwrap_inherent(const char *path, struct buf *out)
{
    size_t start = out->len;
    const char *end = skip_generics(path);
    struct buf inner OWNED_BUF = BUF_INIT;
    size_t len = (size_t)(end - path);
    if (len < 2 || buf_append(&inner, path + 1, len - 2) < 0)
        return NULL;
    OWNED_BUF struct buf shortened = BUF_INIT;
    if (demangle_shorten(inner.data, &shortened) < 0)
        return NULL;
    bool named = shortened.len && !strpbrk(shortened.data, " &*[(");
    int r = buf_appendf(out, named ? "%s" : "<%s>", shortened.data ? shortened.data : "");
    (void)start;
    return r < 0 ? NULL : end;
}

int demangle_shorten(const char *path, struct buf *out)
{
    for (const char *at = path; *at;) {
        int r = 0;
        if (*at == '<' && opens_qualified(path, at)) {
            at = unwrap_inherent(at, out);
            if (!at)
                return -ENOMEM;
            continue;
        }
        if (*at == '<') {
            if (out->len >= 2 && memcmp(out->data + out->len - 2, "::", 2) == 0) {
                out->len -= 2;
                out->data[out->len] = '\0';
            }
            at = skip_generics(at);
            continue;
        }
        if (strncmp(at, "{{", 2) == 0 || strncmp(at, "}}", 2) == 0)
            at++;
        r = buf_append(out, at++, 1);
        if (r < 0)
            return r;
    }
    return 0;
}

int demangle_short(const char *mangled, struct buf *out)
{
    OWNED_BUF struct buf stripped = BUF_INIT;
    int r = strip_suffix(mangled, &stripped);
    if (r < 0)
        return r;
    struct demangled demangled = demangle(stripped.data, 0);
    if (!demangled.name)
        return append_plain(mangled, out);
    r = demangled.rust ? demangle_shorten(demangled.name, out) : buf_append_str(out, demangled.name);
    free(demangled.name);
    return r;
}

int demangle_full(const char *mangled, struct buf *out)
{
    OWNED_BUF struct buf stripped = BUF_INIT;
    int r = strip_suffix(mangled, &stripped);
    if (r < 0)
        return r;
    struct demangled demangled = demangle(stripped.data, DMGL_PARAMS | DMGL_ANSI);
    r = buf_append_str(out, demangled.name ? demangled.name : mangled);
    free(demangled.name);
    return r;
}
