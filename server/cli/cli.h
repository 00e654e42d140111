/* The command line: one file a command. Commands get their own arguments (argv[0] is the command's name) and
 * return the exit code. Messages go to stderr; stdout is for what was asked for. */
#ifndef RSPROF_CLI_H
#define RSPROF_CLI_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_NO_PROCESS = 3,
    EXIT_PERMISSION = 4,
    EXIT_NO_DEBUG_INFO = 5,
};

int cli_main(int argc, char **argv);

int cli_list(int argc, char **argv);
int cli_watch(int argc, char **argv);
int cli_snapshot(int argc, char **argv);
int cli_doctor(int argc, char **argv);

/* The exit code for a failed attach. */
int cli_exit_code(int error);

#endif
