#ifndef VG_DAEMON_H
#define VG_DAEMON_H

struct config;
struct config_place;
struct config_reader;

/* What holds for the daemon and for no jail: fail2ban.conf and its family in place->dir, then
 * [voipguard] of the jail tree (reader) over it. */
void config_daemon_read(const struct config_place *place, struct config_reader *reader,
	struct config *config);

#endif
