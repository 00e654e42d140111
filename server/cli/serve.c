#include "cli/serve.h"

#include "cli/cli.h"
#include "cli/options.h"
#include "lsp/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct serve {
    struct loop *loop;
    struct lsp_server *server;
    struct loop_event signals[3];
    int exit_code;
};

static void on_ended(void *userdata, int exit_code)
{
    struct serve *serve = userdata;
    serve->exit_code = exit_code;
    loop_stop(serve->loop);
}

static void on_signal(void *userdata)
{
    struct serve *serve = userdata;
    lsp_server_stop(serve->server);
}

/* The target must get its uprobes taken away in order, however the editor ends us. */
static int watch_signals(struct serve *serve)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    int r = 0;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals) && r >= 0; i++)
        r = loop_signal_start(serve->loop, &serve->signals[i], signals[i], on_signal, serve);
    return r;
}

static int run(struct serve *serve, const struct cli_options *options)
{
    struct lsp_server_options server_options = {
        .in = STDIN_FILENO,
        .out = STDOUT_FILENO,
        .settings = SETTINGS_DEFAULT,
        .source_map = options->source_map.items,
        .source_map_len = options->source_map.len,
        .ended = on_ended,
        .userdata = serve,
    };
    server_options.settings.session = options->session;
    int r = loop_new(&serve->loop);
    if (r >= 0)
        r = lsp_server_new(serve->loop, &server_options, &serve->server);
    if (r >= 0)
        r = watch_signals(serve);
    if (r >= 0)
        loop_run(serve->loop);
    return r;
}

/* Client libraries add --stdio to the arguments of a server that they talk to over pipes; it says what is so
 * anyway. */
static int drop_stdio(int argc, char **argv)
{
    int kept = 0;
    for (int i = 0; i < argc; i++)
        if (i == 0 || strcmp(argv[i], "--stdio") != 0)
            argv[kept++] = argv[i];
    argv[kept] = NULL;
    return kept;
}

int cli_serve(int argc, char **argv)
{
    struct cli_options options;
    struct serve serve = {.exit_code = EXIT_OTHER};
    if (cli_options_parse(drop_stdio(argc, argv), argv, OPTIONS_SERVE, &options) < 0)
        return EXIT_USAGE;
    int r = run(&serve, &options);
    if (r < 0)
        fprintf(stderr, "rsprof serve: %s\n", strerror(-r));
    for (size_t i = 0; i < sizeof(serve.signals) / sizeof(*serve.signals); i++)
        loop_event_stop(&serve.signals[i]);
    lsp_server_free(serve.server);
    loop_free(serve.loop);
    cli_options_release(&options);
    return serve.exit_code;
}
