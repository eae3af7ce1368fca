#ifndef VG_DAEMON_H
#define VG_DAEMON_H

struct config;
struct config_place;
struct dialect;
struct key_table;

/* The keys of [voipguard] and [mail] in the tree of the jails, which hold for the whole daemon;
 * their base is struct config. */
extern const struct key_table daemon_keys;
extern const struct key_table daemon_mail_keys;

void daemon_read(const struct config_place *place, const struct dialect *tree,
	struct config *config);

#endif
