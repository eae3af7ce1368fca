#ifndef VG_ACTION_H
#define VG_ACTION_H

struct config_reader;
struct dialect;
struct key;
struct sheet;

/* Sets the variables that fail2ban's jail.conf has, such as action_mwl, in a tree that was read
 * without one. */
void action_preset(struct dialect *tree);

/* Reads and prints the key action (config/key.h). Together with port, protocol, dest and sender of
 * the jail it decides what a ban closes (jail->bans, scopes), and to whom it writes (mail_dest,
 * mail_sender). What an action cannot do here becomes a warning, except in a jail that is off. No
 * action, and no shell text of one, is ever run. */
void action_read(struct config_reader *reader, const struct key *key, void *base);
void action_print(struct sheet *sheet, const struct key *key, const void *base);

#endif
