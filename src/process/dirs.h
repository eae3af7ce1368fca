#ifndef VG_DIRS_H
#define VG_DIRS_H

struct error;
struct run_options;

/* Prepares what the daemon needs before it starts its roles. As root: makes the state directory
 * (mode 0700) and the directory of the control socket (0755), gives them to options->user, and
 * becomes that user, who keeps CAP_NET_ADMIN alone, or nothing in a dry run. As another user: the
 * directories must exist. Locks the state directory until the process ends. *ret_listen_fd: the
 * control socket (0660), bound but not listening, so that clients are told "not reachable" until
 * the daemon is ready; the caller closes it. -1 with a sentence. */
int dirs_prepare(const struct run_options *options, int *ret_listen_fd, struct error *err);

/* Locks the state directory, which belongs to one process at a time: the daemon, or a command that
 * changes the state without it. The lock lasts while *ret_fd, which the caller closes, is open. -1
 * with a sentence: another process holds it, or there is no such directory. */
int dirs_lock(const char *state_dir, int *ret_fd, struct error *err);

/* For a command that works on the state without the daemon: makes the directory (0700) if it is
 * missing, and locks it as dirs_lock() does. */
int dirs_state(const char *state_dir, int *ret_lock_fd, struct error *err);
/* To be called when such a command is done: gives the database's files, which root may have made,
 * to the owner of the directory. -1 with a sentence. */
int dirs_give_back(const char *state_dir, struct error *err);

#endif
