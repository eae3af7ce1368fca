#ifndef VG_ACTION_H
#define VG_ACTION_H

struct config_reader;
struct dialect;
struct key;
struct sheet;

/* The variables of fail2ban's jail.conf, such as action_mwl, for a tree that has no jail.conf. */
void action_preset(struct dialect *tree);

/* For the row of action (config/key.h). With port, protocol, dest and sender of the jail: what a
 * ban of it closes (jail->bans, scopes), and whom it writes to (mail_dest, mail_sender). What an
 * action of a jail that is off cannot do is not told. No action, no shell text of one, is ever run.
 */
void action_read(struct config_reader *reader, const struct key *key, void *base);
void action_print(struct sheet *sheet, const struct key *key, const void *base);

#endif
