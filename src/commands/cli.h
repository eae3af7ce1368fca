#ifndef VG_CLI_H
#define VG_CLI_H

/* The command line: a table of commands. Returns the exit status. */
int cli_main(int argc, char **argv);

#endif
