#ifndef VG_DIRS_H
#define VG_DIRS_H

struct error;
struct run_options;

/* Where the daemon lives: the state directory, the control socket, the user. As root: makes the
 * directories (0700 and 0755), gives them and the socket to options->user and becomes that user
 * with CAP_NET_ADMIN alone (without it in a dry run). As another user: the directories must be
 * there. *ret_listen_fd: the bound control socket, 0660, not listening yet, so that clients are
 * told "not reachable" until the daemon is ready. */
int dirs_prepare(const struct run_options *options, int *ret_listen_fd, struct error *err);

/* The state belongs to one process at a time: dirs_prepare takes this for good, and so does
 * whoever changes the state without the daemon. Held while *ret_fd is open. */
int dirs_lock(const char *state_dir, int *ret_fd, struct error *err);

/* For a command that works on the state without the daemon: makes the directory if it is not there,
 * and locks it. */
int dirs_state(const char *state_dir, int *ret_lock_fd, struct error *err);
/* Afterwards: what was made belongs to the owner of the directory. */
int dirs_give_back(const char *state_dir, struct error *err);

#endif
