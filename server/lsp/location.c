#include "lsp/location.h"

#include "lsp/uri.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int location_find(const struct documents *documents, const char *file, uint32_t build_line,
                  struct location *ret_location)
{
    struct document *document = documents_find_path(documents, file);
    struct location location = {.line =
                                    document ? document_line_of_build(document, build_line) : build_line - 1};
    if (!build_line || location.line == DOCUMENT_NO_LINE)
        return -ENOENT;
    if (document)
        location.uri = strdup(document->uri);
    else
        uri_from_path(file, &location.uri);
    if (!location.uri)
        return -ENOMEM;
    *ret_location = location;
    return 0;
}

int location_find_readable(const struct documents *documents, const char *file, uint32_t build_line,
                           struct location *ret_location)
{
    if (!*file || (!documents_find_path(documents, file) && access(file, R_OK) < 0))
        return -ENOENT;
    return location_find(documents, file, build_line, ret_location);
}

void location_release(struct location *location)
{
    free(location->uri);
    location->uri = NULL;
}
