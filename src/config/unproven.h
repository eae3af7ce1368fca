#ifndef VG_UNPROVEN_H
#define VG_UNPROVEN_H

struct config_reader;
struct key;
struct sheet;

/* Reads and prints the key unproven (config/key.h): what a ban closes when the address may be
 * forged (jail->doubts, unproven, narrow). To be read behind action and filter. Where the jail
 * closes all ports and its filter has the parser of Asterisk's records, these are the ports at
 * which Asterisk is attacked; else what the jail closes. */
void unproven_read(struct config_reader *reader, const struct key *key, void *base);
void unproven_print(struct sheet *sheet, const struct key *key, const void *base);

#endif
