/* Surveys of the machine's processes that are under way, each for one purpose: a request, a question to the
 * person, or attaching by itself. A survey that belongs to a request stops when the request is cancelled. */
#ifndef RSPROF_LSP_PROCESS_QUERY_H
#define RSPROF_LSP_PROCESS_QUERY_H

#include "rpc/rpc.h"
#include "session/process_survey.h"

struct lsp_server;
struct process_query;

/* Surveys that may be under way at a time. */
#define PROCESS_QUERIES_MAX 8

/* `userdata` is the server when there is no request, otherwise the request, which `done` answers. −EBUSY when
 * too many are under way; the request stays the caller's then. */
int process_query_start(struct lsp_server *server, bool all, process_survey_done_fn done,
                        struct rpc_request *request);

/* Ends all surveys; their requests are not answered. */
void process_query_release_all(struct lsp_server *server);

/* Answers rsprof/listProcesses. */
void process_query_list(struct lsp_server *server, struct rpc_request *request, bool all);

/* Asks the person which process to attach to (window/showMessageRequest), and attaches. */
void process_query_ask(struct lsp_server *server);

#endif
