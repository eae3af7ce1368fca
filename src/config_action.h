#ifndef VG_CONFIG_ACTION_H
#define VG_CONFIG_ACTION_H

#include <stdbool.h>

struct config_jail;
struct config_reader;

/* Reads action, port and protocol: what a ban of this jail closes (jail->bans, scopes), and whom
 * its mail actions name (mail_dest, mail_sender). True: there is a mail action. */
bool config_action_read(struct config_reader *reader, struct config_jail *jail);

#endif
