#include "dwarf/demangle.h"

#include "base/cleanup.h"

#include <libiberty/demangle.h>
#include <stdbool.h>
#include <string.h>

/* Longer names are left mangled: the demangler's time and stack grow with them. */
#define MANGLED_MAX 8192

/* Back references make a short name demangle to a huge one. What is longer is cut. */
#define DEMANGLED_MAX 65536
#define CUT_MARK      "…"

struct demangled {
    struct buf name;
    bool cut, failed;
};

static void take_part(const char *part, size_t len, void *userdata)
{
    struct demangled *demangled = userdata;
    size_t room = DEMANGLED_MAX - demangled->name.len;
    demangled->cut |= len > room;
    if (buf_append(&demangled->name, part, len < room ? len : room) < 0)
        demangled->failed = true;
}

/* "for<'a, 'b, …>" of a function type (F) or trait object (D) is written as a number in base 62. libiberty
 * counts up to it, for centuries if a hostile name says so. Four digits are more lifetimes than anybody
 * wrote. */
static bool binds_absurdly_many(const char *mangled)
{
    for (const char *at = mangled; (at = strchr(at, 'G')); at++) {
        if (at == mangled || (at[-1] != 'F' && at[-1] != 'D'))
            continue;
        size_t digits = strspn(at + 1, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (digits >= 4 && at[1 + digits] == '_')
            return true;
    }
    return false;
}

enum language { LANGUAGE_NONE, LANGUAGE_RUST, LANGUAGE_CPLUSPLUS };

static enum language demangle(const char *mangled, int cplusplus_options, struct demangled *demangled)
{
    if (strlen(mangled) > MANGLED_MAX || (strncmp(mangled, "_R", 2) == 0 && binds_absurdly_many(mangled)))
        return LANGUAGE_NONE;
    if (rust_demangle_callback(mangled, 0, take_part, demangled) && demangled->name.len)
        return LANGUAGE_RUST;
    buf_clear(&demangled->name);
    demangled->cut = false;
    if (strncmp(mangled, "_Z", 2) == 0 &&
        cplus_demangle_v3_callback(mangled, cplusplus_options, take_part, demangled) && demangled->name.len)
        return LANGUAGE_CPLUSPLUS;
    demangled->cut = false;
    return LANGUAGE_NONE;
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

/* "<a::B<T>>" at `path`: "a::B", or "<a::B as c::D>" where the brackets say something. Returns what follows;
 * NULL when out of memory. */
static const char *shorten_qualified(const char *path, struct buf *out)
{
    OWNED_BUF struct buf inner = BUF_INIT;
    OWNED_BUF struct buf shortened = BUF_INIT;
    const char *end = skip_generics(path);
    bool closed = end[-1] == '>' && end - path >= 2;
    if (buf_append(&inner, path + 1, (size_t)(end - path) - (closed ? 2 : 1)) < 0 ||
        demangle_shorten(inner.data, &shortened) < 0 || buf_reserve(&shortened, 0) < 0)
        return NULL;
    bool plain = shortened.len && !strpbrk(shortened.data, " &*[(");
    return buf_appendf(out, plain ? "%s" : "<%s>", shortened.data) < 0 ? NULL : end;
}

/* "f::<T>" and "f<T>" at '<': nothing is left of either. */
static const char *drop_generics(const char *path, struct buf *out)
{
    if (out->len >= 2 && memcmp(out->data + out->len - 2, "::", 2) == 0) {
        out->len -= 2;
        out->data[out->len] = '\0';
    }
    return skip_generics(path);
}

int demangle_shorten(const char *path, struct buf *out)
{
    for (const char *at = path; *at;) {
        if (*at == '<') {
            at = opens_qualified(path, at) ? shorten_qualified(at, out) : drop_generics(at, out);
            if (!at)
                return -ENOMEM;
            continue;
        }
        if (strncmp(at, "{{", 2) == 0 || strncmp(at, "}}", 2) == 0)
            at++;
        int r = buf_append(out, at++, 1);
        if (r < 0)
            return r;
    }
    return 0;
}

int demangle_short(const char *mangled, struct buf *out)
{
    OWNED_BUF struct buf stripped = BUF_INIT;
    struct demangled demangled = {0};
    int r = strip_suffix(mangled, &stripped);
    if (r < 0)
        return r;
    switch (demangle(stripped.data, 0, &demangled)) {
    case LANGUAGE_NONE:
        r = append_plain(mangled, out);
        break;
    case LANGUAGE_RUST:
        r = demangle_shorten(demangled.name.data, out);
        break;
    case LANGUAGE_CPLUSPLUS:
        r = buf_append_str(out, demangled.name.data);
    }
    if (r == 0 && demangled.cut)
        r = buf_append_str(out, CUT_MARK);
    buf_release(&demangled.name);
    return demangled.failed ? -ENOMEM : r;
}

int demangle_full(const char *mangled, struct buf *out)
{
    OWNED_BUF struct buf stripped = BUF_INIT;
    struct demangled demangled = {0};
    int r = strip_suffix(mangled, &stripped);
    if (r < 0)
        return r;
    enum language language = demangle(stripped.data, DMGL_PARAMS | DMGL_ANSI, &demangled);
    r = buf_append_str(out, language == LANGUAGE_NONE ? mangled : demangled.name.data);
    if (r == 0 && demangled.cut)
        r = buf_append_str(out, CUT_MARK);
    buf_release(&demangled.name);
    return demangled.failed ? -ENOMEM : r;
}
