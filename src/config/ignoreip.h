#ifndef VG_IGNOREIP_H
#define VG_IGNOREIP_H

struct config_jail;
struct config_reader;
struct key;
struct sheet;

/* For the row of ignoreip (config/key.h). Addresses go to jail->ignoreip, names and files to
 * jail->ignores. Of a jail that is on each file is read once to see that it can be, and what is
 * wrong in it is told: without the file the jail would ban whom it protects. */
void ignoreip_read(struct config_reader *reader, const struct key *key, void *base);
void ignoreip_print(struct sheet *sheet, const struct key *key, const void *base);
void ignoreip_done(struct config_jail *jail);

#endif
