#include "lsp/uri.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place. */
static int decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = hex_value(in[1]), low = high < 0 ? -1 : hex_value(in[2]);
        if (low < 0 || high * 16 + low == 0)
            return -EINVAL;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return 0;
}

int uri_to_path(const char *uri, char **ret_path)
{
    if (strncasecmp(uri, "file:", 5) != 0)
        return -EINVAL;
    const char *rest = uri + 5;
    if (!strncmp(rest, "//", 2)) {
        rest += 2;
        if (!strncasecmp(rest, "localhost/", 10))
            rest += 9;
    }
    if (*rest != '/')
        return -EINVAL;
    OWNED_MEM char *path = strndup(rest, strcspn(rest, "?#"));
    if (!path)
        return -ENOMEM;
    int r = decode(path);
    if (r < 0)
        return r;
    *ret_path = take_ptr(path);
    return 0;
}

int uri_from_path(const char *path, char **ret_uri)
{
    OWNED_BUF struct buf uri = BUF_INIT;
    int r = buf_append_str(&uri, "file://");
    for (const char *c = path; *c && r >= 0; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~/", *c))
            r = buf_append(&uri, c, 1);
        else
            r = buf_appendf(&uri, "%%%02X", (unsigned)(unsigned char)*c);
    }
    if (r < 0)
        return r;
    *ret_uri = take_ptr(uri.data);
    return 0;
}
