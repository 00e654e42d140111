/* `rsprof symbolize EXE`: source frames of link-time addresses, in the form of llvm-symbolizer. */
#ifndef RSPROF_CLI_SYMBOLIZE_H
#define RSPROF_CLI_SYMBOLIZE_H

/* Reads hexadecimal addresses from stdin, one a line; returns the exit code. argv[0] is "symbolize". */
int cli_symbolize(int argc, char **argv);

#endif
