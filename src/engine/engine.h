#ifndef VG_ENGINE_H
#define VG_ENGINE_H

struct run_options;

/* The engine is the role that reads what outsiders can write: configuration, logs, the database,
 * control connections. It compiles every rule, confines itself, and only then opens a log.
 * client_fd is the connection of the client that asked for a reload, which the engine answers and
 * closes; -1: it was not started by a reload. Returns the exit status of the process. */
int engine_run(const struct run_options *options, int client_fd);

#endif
