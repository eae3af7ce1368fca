#ifndef VG_JOURNAL_SOURCE_H
#define VG_JOURNAL_SOURCE_H

#include <stdbool.h>

struct config_jail;
struct config_journal;
struct config_reader;
struct dialect_value;
struct key;
struct sheet;

/* For the row of backend (config/key.h): jail->backend, and the options of systemd[...], which go
 * to jail->journal. Journalmatch is printed with them. */
void journal_source_read(struct config_reader *reader, const struct key *key, void *base);
void journal_source_print(struct sheet *sheet, const struct key *key, const void *base);
void journal_source_done(struct config_jail *jail);

/* For the row of systemd_if_nologs. Where it is not set, a tree of fail2ban's has it. */
void journal_source_read_if_no_logs(struct config_reader *reader, const struct key *key,
	void *base);
/* As fail2ban's systemd_if_nologs: it is true, backend is auto, the filter says which entries, and
 * no file of logpath exists. A file that may not be looked for counts as there. */
bool journal_source_replaces(const struct config_jail *jail);

/* Splits journalmatch as a shell would; further lines are further groups, as in fail2ban. Wrong
 * words are findings of reader. */
void journal_source_match(struct config_reader *reader, const struct dialect_value *value,
	struct config_journal *ret_match);
void journal_source_match_done(struct config_journal *match);

#endif
