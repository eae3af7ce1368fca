#ifndef VG_LOGPATH_H
#define VG_LOGPATH_H

struct config_jail;
struct config_reader;
struct key;
struct sheet;

/* Reads and prints the key logpath (config/key.h): one PATH a line, with "head" or "tail" behind
 * it. A file that exists when its jail first runs is followed from its end, so that an old log bans
 * nobody now; with head it is read from its first byte. */
void logpath_read(struct config_reader *reader, const struct key *key, void *base);
void logpath_print(struct sheet *sheet, const struct key *key, const void *base);
void logpath_done(struct config_jail *jail);

#endif
