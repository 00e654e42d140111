/* File URIs and paths. Source: RFC 8089, RFC 3986. */
#ifndef RSPROF_LSP_URI_H
#define RSPROF_LSP_URI_H

/* The absolute path that a `file:` URI names, decoded; the caller frees. −EINVAL for another scheme, another
 * host, a relative path, or a bad or NUL escape; −ENOMEM. */
int uri_to_path(const char *uri, char **ret_path);

/* The `file://` URI of an absolute path; all but unreserved characters and '/' are escaped. The caller frees.
 * −ENOMEM. */
int uri_from_path(const char *path, char **ret_uri);

#endif
