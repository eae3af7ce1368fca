#ifndef VG_JOURNAL_SOURCE_H
#define VG_JOURNAL_SOURCE_H

#include <stdbool.h>

struct config_jail;
struct config_journal;
struct config_reader;
struct dialect_value;
struct key;
struct sheet;

/* Reads and prints the key backend (config/key.h): the backend goes to jail->backend, the options
 * of systemd[...] to jail->journal. journalmatch is printed with them. */
void journal_source_read(struct config_reader *reader, const struct key *key, void *base);
void journal_source_print(struct sheet *sheet, const struct key *key, const void *base);
void journal_source_done(struct config_jail *jail);

/* Reads systemd_if_nologs. Where it is not set it is true in a tree of fail2ban's, else false. */
void journal_source_read_if_no_logs(struct config_reader *reader, const struct key *key,
	void *base);
/* Says whether the jail reads the journal in place of its logs, as fail2ban's systemd_if_nologs has
 * it: that is true, backend is auto, the filter says which entries to read, and no file of logpath
 * exists. A file in a directory that may not be read counts as existing. */
bool journal_source_replaces(const struct config_jail *jail);

/* Splits journalmatch into words as a shell would; each further line begins a further group, as in
 * fail2ban. A wrong word becomes a finding of reader. The caller calls
 * journal_source_match_done. */
void journal_source_match(struct config_reader *reader, const struct dialect_value *value,
	struct config_journal *ret_match);
void journal_source_match_done(struct config_journal *match);

#endif
