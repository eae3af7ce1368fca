#ifndef VG_IGNOREIP_H
#define VG_IGNOREIP_H

struct config_jail;
struct config_reader;
struct key;
struct sheet;

/* Reads and prints the key ignoreip (config/key.h). Addresses go to jail->ignoreip, host names and
 * files to jail->ignores. In a jail that is on, each file is read once, and what is wrong in it
 * becomes a finding: without the file the jail would ban those whom it protects. */
void ignoreip_read(struct config_reader *reader, const struct key *key, void *base);
void ignoreip_print(struct sheet *sheet, const struct key *key, const void *base);
void ignoreip_done(struct config_jail *jail);

#endif
