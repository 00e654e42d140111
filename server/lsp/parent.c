#include "lsp/parent.h"

#include "base/cleanup.h"
#include "lsp/server_state.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

static void on_parent_end(void *userdata, int events)
{
    struct lsp_server *server = userdata;
    (void)events;
    loop_io_stop(&server->parent_watch);
    fprintf(stderr, "rsprof: the editor's process has ended\n");
    lsp_server_stop(server);
}

void parent_watch(struct lsp_server *server, double pid)
{
    if (!(pid >= 1 && pid <= 4194304))
        return;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    if (fd < 0 && errno == ESRCH) {
        on_parent_end(server, 0);
        return;
    }
    if (fd < 0)
        return;
    server->parent_fd = fd;
    loop_io_start(server->loop, &server->parent_watch, fd, LOOP_READABLE, on_parent_end, server);
}

void parent_release(struct lsp_server *server)
{
    loop_io_stop(&server->parent_watch);
    cleanup_fd(&server->parent_fd);
    server->parent_fd = -1;
}
