#include "lsp/workspace.h"

#include "base/cleanup.h"
#include "lsp/server_state.h"
#include "lsp/uri.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- folders ---- */

/* Without a trailing slash. −EINVAL: no file URI. */
static int folder_of(const char *uri, char **ret_path)
{
    int r = uri_to_path(uri, ret_path);
    if (r < 0)
        return r;
    for (size_t len = strlen(*ret_path); len > 1 && (*ret_path)[len - 1] == '/'; len--)
        (*ret_path)[len - 1] = '\0';
    return 0;
}

/* Its place among the folders, or their number. */
static size_t find_folder(const struct lsp_server *server, const char *path)
{
    size_t i = 0;
    while (i < server->folders.len && strcmp(server->folders.items[i], path))
        i++;
    return i;
}

int workspace_add_folder(struct lsp_server *server, const char *uri)
{
    OWNED_MEM char *path = NULL;
    int r = folder_of(uri, &path);
    if (r < 0)
        return r == -EINVAL ? 0 : r;
    if (find_folder(server, path) < server->folders.len)
        return 0;
    char **slot = vec_push(&server->folders);
    if (!slot)
        return -ENOMEM;
    *slot = take_ptr(path);
    return 0;
}

int workspace_remove_folder(struct lsp_server *server, const char *uri)
{
    OWNED_MEM char *path = NULL;
    int r = folder_of(uri, &path);
    if (r < 0)
        return r == -EINVAL ? 0 : r;
    size_t i = find_folder(server, path);
    if (i == server->folders.len)
        return 0;
    free(server->folders.items[i]);
    server->folders.items[i] = server->folders.items[--server->folders.len];
    return 0;
}

int workspace_apply(struct lsp_server *server)
{
    return session_set_workspace(server->session, (const char *const *)server->folders.items,
                                 server->folders.len);
}

/* ---- the source map ---- */

/* Borrowed. */
typedef VEC(const char *) rule_list;

static int append_rule(rule_list *rules, const char *rule)
{
    const char **slot = vec_push(rules);
    if (!slot)
        return -ENOMEM;
    *slot = rule;
    return 0;
}

static int collect_rules(const struct lsp_server *server, const cJSON *settings, rule_list *ret_rules)
{
    const cJSON *list = json_get(settings, "sourceMap"), *rule;
    int r = list && !cJSON_IsArray(list) && !cJSON_IsNull(list) ? -EINVAL : 0;
    for (size_t i = 0; r == 0 && i < server->options.source_map_len; i++)
        r = append_rule(ret_rules, server->options.source_map[i]);
    cJSON_ArrayForEach (rule, list) {
        if (r == 0)
            r = cJSON_IsString(rule) ? append_rule(ret_rules, rule->valuestring) : -EINVAL;
    }
    return r;
}

int workspace_map_sources(struct lsp_server *server, const cJSON *settings, struct param_error *ret_error)
{
    rule_list rules = {0};
    int r = collect_rules(server, settings, &rules);
    if (r == 0)
        r = session_set_source_map(server->session, rules.items, rules.len);
    if (r == -EINVAL)
        snprintf(ret_error->message, sizeof(ret_error->message),
                 "'sourceMap' must be a list of strings \"FROM=TO\"");
    vec_release(&rules);
    return r;
}
