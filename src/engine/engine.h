#ifndef VG_ENGINE_H
#define VG_ENGINE_H

struct run_options;

/* The role that reads: configuration, logs, database, control connections. Compiles everything,
 * confines itself, and only then opens a log. client_fd: -1, or the connection of the client that
 * asked for a reload; it is answered. Returns the exit status. */
int engine_run(const struct run_options *options, int client_fd);

#endif
