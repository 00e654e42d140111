/* The names and numbers of the rsprof protocol. PROTOCOL.md is the contract; a test compares it with this
 * file. */
#ifndef RSPROF_LSP_PROTOCOL_H
#define RSPROF_LSP_PROTOCOL_H

#define RSPROF_PROTOCOL_VERSION 1

/* Requests */
#define METHOD_LIST_PROCESSES "rsprof/listProcesses"
#define METHOD_ATTACH         "rsprof/attach"
#define METHOD_DETACH         "rsprof/detach"
#define METHOD_RESET          "rsprof/reset"
#define METHOD_SET_VIEW       "rsprof/setView"
#define METHOD_HOT_LINES      "rsprof/hotLines"
#define METHOD_LINE_DETAILS   "rsprof/lineDetails"
#define METHOD_SNAPSHOT       "rsprof/snapshot"

/* Notifications from the server */
#define METHOD_ANNOTATIONS "rsprof/annotations"
#define METHOD_STATUS      "rsprof/status"

/* The token of $/progress while symbols load */
#define PROGRESS_TOKEN "rsprof/symbols"

/* workspace/executeCommand */
#define COMMAND_ATTACH "rsprof.attach"
#define COMMAND_DETACH "rsprof.detach"
#define COMMAND_RESET  "rsprof.reset"

enum protocol_error {
    ERROR_NO_SUCH_PROCESS = 1001,
    ERROR_PERMISSION_DENIED = 1002,
    ERROR_NOT_RUST = 1003,
    ERROR_NO_DEBUG_INFO = 1004,
    ERROR_NOT_ATTACHED = 1005,
    ERROR_UNSUPPORTED = 1006,
    ERROR_BUSY = 1007,
};

#endif
