#ifndef VG_ACTION_H
#define VG_ACTION_H

struct config_jail;
struct config_place;
struct config_reader;
struct dialect;

/* The variables of fail2ban's jail.conf, such as action_mwl, for a tree that has no jail.conf. */
void config_action_preset(struct dialect *tree);

/* Reads action, port and protocol: what a ban of this jail closes (jail->bans, scopes), and whom
 * it writes to (mail_dest, mail_sender). jail->enabled counts: what an action of a jail that is
 * off cannot do is not told. No action, no shell text of one, is ever run. */
void config_action_read(const struct config_place *place, struct config_reader *reader,
	struct config_jail *jail);

#endif
