#ifndef VG_IGNOREIP_H
#define VG_IGNOREIP_H

struct config_jail;
struct config_reader;

/* Reads ignoreip: addresses into jail->ignoreip, names and files into jail->ignores. Of a jail
 * that is on every file is read once to see that it can be, and what is wrong in it is told:
 * without it the jail would ban whom it protects. */
void config_ignore_read(struct config_reader *reader, struct config_jail *jail);
void config_ignore_done(struct config_jail *jail);

#endif
