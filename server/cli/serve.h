/* `rsprof serve`: the language server on stdin and stdout. */
#ifndef RSPROF_CLI_SERVE_H
#define RSPROF_CLI_SERVE_H

/* argv[0] is "serve". Runs until the client ends it, a signal comes, or the stream breaks; returns the exit
 * code. */
int cli_serve(int argc, char **argv);

#endif
