#ifndef VG_JOURNAL_SOURCE_H
#define VG_JOURNAL_SOURCE_H

#include <stdbool.h>

struct config_jail;
struct config_journal;
struct config_reader;
struct dialect_value;

/* Reads backend: jail->backend, and of systemd[...] jail->journal. */
void config_journal_backend(struct config_reader *reader, struct config_jail *jail);
/* As fail2ban's systemd_if_nologs (by_default: what holds where it is not set): backend is auto,
 * the filter says which entries, and no file of logpath exists. A file that may not be looked for
 * counts as there. */
bool config_journal_replaces(struct config_reader *reader, const struct config_jail *jail,
	bool by_default);
/* Splits journalmatch as a shell would; further lines are further groups, as in fail2ban. Wrong
 * words are findings of reader. */
void config_journal_match(struct config_reader *reader, const struct dialect_value *value,
	struct config_journal *ret_match);
void config_journal_match_done(struct config_journal *match);
void config_journal_done(struct config_jail *jail);

#endif
