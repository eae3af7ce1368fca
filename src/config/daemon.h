#ifndef VG_DAEMON_H
#define VG_DAEMON_H

struct config;
struct config_place;
struct dialect;
struct key_table;

/* What holds for the daemon and for no jail: [voipguard] and [mail] of the jail tree, their base is
 * struct config. Before [voipguard] fail2ban.conf and its family in place->dir are read. */
extern const struct key_table daemon_keys;
extern const struct key_table daemon_mail_keys;

void daemon_read(const struct config_place *place, const struct dialect *tree,
	struct config *config);

#endif
