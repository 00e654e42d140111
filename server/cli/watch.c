/* `rsprof watch PID`: the hottest lines in a terminal, live. */
#include "cli/attached.h"
#include "cli/cli.h"

#include "base/buf.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CLEAR_SCREEN "\033[H\033[J"

static void append_bytes(struct buf *out, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024;
        unit++;
    }
    if (bytes > 0)
        buf_appendf(out, "%7.1f %-3s", bytes, units[unit]);
    else
        buf_appendf(out, "%11s", "");
}

static int terminal_rows(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 6 ? size.ws_row : 24;
}

static void append_head(struct buf *out, const struct session_status *status)
{
    buf_appendf(out, "%s  pid %d  %s  %.2f cores  heap ", status->exe, status->pid,
                session_state_name(status->state), status->cpu.process_cores);
    append_bytes(out, status->heap.live_bytes);
    buf_appendf(out, " (%s)  overhead %.1f %%\n", heap_mode_name(status->heap.mode),
                status->overhead_fraction * 100);
    for (size_t i = 0; i < status->hint_count; i++)
        buf_appendf(out, "  ! %s\n", status->hints[i]);
    buf_appendf(out, "\n%7s %7s  %11s  %s\n", "SELF", "TOTAL", "LIVE HEAP", "LINE");
}

static void append_lines(struct buf *out, const struct snapshot *snapshot, int rows)
{
    for (size_t i = 0; i < snapshot->line_count && rows > 0; i++) {
        const struct snapshot_line *line = &snapshot->lines[i];
        if (!line->yours)
            continue;
        buf_appendf(out, "%6.1f%% %6.1f%%  ", line->window.self * 100, line->window.total * 100);
        append_bytes(out, line->heap.self_live_bytes);
        buf_appendf(out, "  %s:%u  %s\n", line->file, line->line, line->function);
        rows--;
    }
}

static void on_tick(struct attached *attached)
{
    const struct session_status *status = session_status(attached->session);
    OWNED_BUF struct buf out = BUF_INIT;
    if (isatty(STDOUT_FILENO))
        buf_append_str(&out, CLEAR_SCREEN);
    append_head(&out, status);
    append_lines(&out, session_snapshot(attached->session), terminal_rows() - 5 - (int)status->hint_count);
    if (out.data)
        fwrite(out.data, 1, out.len, stdout);
    fflush(stdout);
}

int cli_watch(int argc, char **argv)
{
    struct cli_options options;
    if (cli_options_parse(argc, argv, OPTIONS_PROFILE, &options) < 0)
        return EXIT_USAGE;
    struct attached attached = {.options = &options, .ticked = on_tick};
    int code = attached_run(&attached, 0);
    if (code == EXIT_DONE && !attached.interrupted)
        fputs("The process has ended.\n", stderr);
    attached_release(&attached);
    cli_options_release(&options);
    return code;
}
