#ifndef VG_CONFIG_H
#define VG_CONFIG_H

#include "base/findings.h"
#include "base/ip.h"
#include "base/ports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JAILS_MAX = 256, JAIL_SCOPES_MAX = 4 };

/* A piece of configuration text, and the place of its first byte in the files. */
struct config_text {
	char *text; /* owned by the config */
	struct position at;
};

/* Whether <HOST> may match a host name, which is then looked up. A jail has USEDNS_NO unless its
 * own section says otherwise, because a name in a log may be chosen by an attacker. */
enum usedns {
	USEDNS_UNSET,
	USEDNS_NO,
	USEDNS_YES,
	USEDNS_WARN, /* as USEDNS_YES */
	USEDNS_RAW,  /* the name counts as an id, not as an address: nobody is banned for it */
};

/* journalmatch as a list of words, "FIELD=value" or "+". Matches of one field are alternatives,
 * different fields must all match, and "+" stands between groups of which one is enough. */
struct config_journal {
	struct config_text *words;
	size_t n_words;
};

/* How sure the sources of a service's failures are. */
enum proof {
	PROOF_UNSET, /* as the rules tell (F-TRANSPORT); bans are not narrowed */
	PROOF_TCP,   /* all come behind a TCP handshake: nobody can forge his address */
	PROOF_NONE,  /* anybody can forge it */
};

/* What a jail does to an address that may be forged. */
enum unproven {
	UNPROVEN_PORTS, /* closes the ports of the service only */
	UNPROVEN_JAIL,  /* closes what the jail closes */
	UNPROVEN_ALERT, /* bans nobody, but says so */
};

/* A filter as text: variables and tags are replaced, regexes not compiled yet. A list has one entry
 * for each line of the value that is not empty. */
struct filter_def {
	char *name; /* as the jail names it, without options */
	char *path; /* file it was read from */
	struct config_text *failregex;
	size_t n_failregex;
	struct config_text *ignoreregex;
	size_t n_ignoreregex;
	struct config_text prefregex;    /* text NULL: none */
	struct config_text *datepattern; /* n_datepattern 0: the built-in formats */
	size_t n_datepattern;
	struct config_text parser;      /* text NULL: plain rules */
	struct config_text logtimezone; /* zone of dates that name none; text NULL: local */
	struct config_text proof_word;  /* text NULL: PROOF_UNSET */
	enum proof proof;
	uint32_t maxlines; /* 1 unless set */
	enum usedns usedns;
	bool journal;                /* logtype = journal: entries bring their own time */
	struct config_journal match; /* from the filter or the jail: which entries are read */
};

struct config_logpath {
	char *pattern;  /* absolute path, glob allowed */
	bool from_head; /* `head`: an existing file is read from its first byte */
	bool is_said;   /* the jail says `head` or `tail` itself */
	struct position at;
};

/* How bans of one address grow longer: T is the bantime, n how often the address was banned before.
 * The formulas are those of fail2ban (jail.conf(5), bantime.formula). */
enum formula {
	FORMULA_DOUBLE,      /* T * 2^min(n, 20) * factor, at least T */
	FORMULA_EXPONENTIAL, /* T * exp((n + 1) * factor) / exp(factor) */
	FORMULA_MULTIPLIERS, /* T * factor * multipliers[min(n, last)] */
};

struct config_increment {
	bool on;
	enum formula formula;
	double factor; /* > 0, default 1 */
	double *multipliers;
	size_t n_multipliers;
	int64_t maxtime_s; /* 0: none */
	int64_t rndtime_s; /* 0: none */
	bool all_jails;    /* n counts bans by every jail, not only by this one */
};

enum config_backend {
	BACKEND_AUTO, /* inotify */
	BACKEND_POLLING,
	BACKEND_JOURNAL,
};

/* The options of backend = systemd[journalpath=,journalfiles=,journalflags=,namespace=,rotated=];
 * one that is NULL or 0 was not given. */
struct config_journal_source {
	char *path;
	char **files; /* globs */
	size_t n_files;
	int flags; /* SD_JOURNAL_*; -1: not given */
	char *namespace;
	bool rotated;
};

/* A host name or a file in ignoreip; the addresses that it stands for are found while the jail
 * runs. */
struct config_ignore {
	char *text; /* the host name, or the path of the file */
	bool is_file;
	struct position at;
};

struct config_jail {
	char *name;
	struct position at;
	bool enabled;
	bool broken; /* has an error among the findings, so it must not run */
	struct filter_def filter;
	struct config_logpath *logpaths;
	size_t n_logpaths;
	uint32_t maxretry;  /* >= 1 */
	int64_t findtime_s; /* >= 1 */
	int64_t bantime_s;  /* < 0: permanent; else >= 1 */
	struct config_increment increment;
	uint32_t maxmatches; /* log lines kept for a ban's mail and for explain; default maxretry */
	enum config_backend backend;
	struct config_journal_source journal; /* of BACKEND_JOURNAL */
	bool journal_if_no_logs;              /* systemd_if_nologs; the result is in backend */
	struct ip *ignoreip;
	size_t n_ignoreip;
	struct config_ignore *ignores;
	size_t n_ignores;
	bool ignoreself;
	bool bans; /* an action closes ports; else failures are only counted */
	struct scope scopes[JAIL_SCOPES_MAX]; /* a ban closes all of them */
	size_t n_scopes;
	/* An unproven failure is told from a proven one, by a parser or by `proof`: an unproven ban
	 * is no ground for longer ones, and proven failures widen it. Else all bans are alike. */
	bool doubts;
	enum unproven unproven;
	struct scope narrow[JAIL_SCOPES_MAX]; /* what an unproven ban closes */
	size_t n_narrow;
	char *mail_dest;   /* comma-separated addresses; NULL: this jail sends no mail */
	char *mail_sender; /* NULL: the notifier's default, voipguard@<hostname> */
};

struct config_mail {
	char *server;  /* host, default "localhost" */
	uint16_t port; /* default 25 */
	bool tls_required;
	char *dest;     /* for alerts that belong to no jail; NULL: none */
	char *sender;   /* NULL: as in struct config_jail */
	char *user;     /* NULL: the server asks for no login */
	char *password; /* read from password_file; NULL without user */
};

struct dialect_names;

struct config {
	char *dir;
	int64_t dbpurgeage_s;   /* [voipguard] dbpurgeage: how long a ban is remembered for
				 * bantime.increment; default 86400 */
	bool lift_on_stop;      /* [voipguard] on_stop = lift; default keep */
	struct scope sip_ports; /* [voipguard] sip_port: where Asterisk speaks SIP by UDP */
	uint32_t nflog_group;   /* [voipguard] nflog_group: for the copies of its challenges */
	char *asterisk_dir;     /* [voipguard] asterisk_dir; NULL: none */
	struct config_mail mail;
	struct config_jail *jails; /* all, disabled ones too, in order of first appearance */
	size_t n_jails;
	struct dialect_names *names; /* owned: the files to which positions point */
	struct filter_def *alone;    /* owned: what config_load_filter read, else NULL */
};

/* Reads the configuration in DIR, by the rules of both layouts (voipguard's: jails/, filters/;
 * fail2ban's: jail.conf, jail.d, jail.local, filter.d). Every problem becomes a finding with file,
 * line and column. Filters and includes that DIR lacks come from shipped_dir (NULL: `filters`
 * beside the executable, else PREFIX/share/voipguard/filters). Returns 0 with a config whenever
 * files could be read at all, also with errors among the findings: a jail with an error is marked
 * broken. -1: nothing is usable (DIR does not exist, or has no jail file); the findings say why.
 * Regexes are not compiled here. The config does not change afterwards; config_free frees all that
 * it owns. */
int config_load(const char *dir, const char *shipped_dir, struct config **ret_config,
	struct findings *findings);
/* Reads one filter alone, named as in a jail's `filter =`: "name", "name[mode=x]", or a path that
 * ends in ".conf". dir may be NULL: only shipped filters are found then. journal sets logtype to
 * journal, unless filter says otherwise. *ret_filter is owned by *ret_config, a config without
 * jails, which the caller frees. -1: the findings say why. */
int config_load_filter(const char *dir, const char *shipped_dir, const char *filter, bool journal,
	struct config **ret_config, struct filter_def *ret_filter, struct findings *findings);
void config_free(struct config *config);
const struct config_jail *config_find(const struct config *config, const char *name);
/* The settings of a jail as they result from all files, for people: aligned "key  value" lines, in
 * which text from outside is rendered. The caller frees it. */
char *config_show(const struct config *config, const struct config_jail *jail);
/* The same as lines of a jail file, without the header of the section: reading them gives the same
 * jail, if there is a filter called jail->filter.name. The caller frees it. */
char *config_write_jail(const struct config_jail *jail);
/* The lines of section [Definition] of a filter file. The caller frees it. */
char *config_write_filter(const struct filter_def *filter);

#endif
