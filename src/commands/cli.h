#ifndef VG_CLI_H
#define VG_CLI_H

/* Reads the command line, runs the command that it names and returns the exit status of the process
 * (client.h). */
int cli_main(int argc, char **argv);

#endif
