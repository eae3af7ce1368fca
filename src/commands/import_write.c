#include "commands/import_parts.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ip.h"
#include "base/ports.h"
#include "config/config.h"

static const char head[] = "# Written by voipguard import from ";

/* One % becomes two, a line break an indented line. */
static void put_value(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '%')
			(void)fputc('%', out);
		(void)fputc(*text, out);
		if (*text == '\n')
			(void)fputs("    ", out);
	}
}

static void put_list(FILE *out, const char *key, const struct config_text *list, size_t count)
{
	if (!count)
		return;
	(void)fprintf(out, "%s = ", key);
	for (size_t i = 0; i < count; i++) {
		(void)fputs(i ? "    " : "", out);
		put_value(out, list[i].text);
		(void)fputc('\n', out);
	}
}

static void put_text(FILE *out, const char *key, const struct config_text *text)
{
	if (text->text)
		put_list(out, key, text, 1);
}

char *import_write_filter(const struct filter_def *filter, const char *from)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	(void)fprintf(out, "%s%s: filter %s\n[Definition]\n", head, from, filter->name);
	put_text(out, "prefregex", &filter->prefregex);
	put_list(out, "failregex", filter->failregex, filter->n_failregex);
	put_list(out, "ignoreregex", filter->ignoreregex, filter->n_ignoreregex);
	put_list(out, "datepattern", filter->datepattern, filter->n_datepattern);
	put_text(out, "logtimezone", &filter->logtimezone);
	put_text(out, "parser", &filter->parser);
	if (filter->maxlines > 1)
		(void)fprintf(out, "maxlines = %u\n", filter->maxlines);
	return fclose(out) == 0 ? text : NULL;
}

char *import_write_daemon(const struct config *theirs, const char *from)
{
	return alloc_format("%s%s: fail2ban.conf; defaults.local goes before it\n[voipguard]\n"
			    "dbpurgeage = %lld\n",
		head, from, (long long)theirs->dbpurgeage_s);
}

/* ---- jails ---- */

static void put_action(FILE *out, const char *before, const struct scope *scope)
{
	char text[SCOPE_TEXT_MAX];
	const char *ports;

	(void)scope_format(scope, text);
	ports = strchr(text, ':');
	if (!ports)
		(void)fprintf(out, "%svoipguard-allports[protocol=all]\n", before);
	else
		(void)fprintf(out, "%svoipguard[port=\"%s\", protocol=\"%.*s\"]\n", before,
			ports + 1, (int)(ports - text), text);
}

static void put_actions(FILE *out, const struct config_jail *jail)
{
	const char *before = "";

	(void)fputs("action = ", out);
	for (size_t i = 0; jail->bans && i < jail->n_scopes; i++) {
		put_action(out, before, &jail->scopes[i]);
		before = "    ";
	}
	if (jail->mail_dest) {
		(void)fprintf(out, "%ssendmail[dest=\"", before);
		put_value(out, jail->mail_dest);
		(void)fputs("\"", out);
		if (jail->mail_sender) {
			(void)fputs(", sender=\"", out);
			put_value(out, jail->mail_sender);
			(void)fputs("\"", out);
		}
		(void)fputs("]\n", out);
		before = "    ";
	}
	if (!*before)
		(void)fputc('\n', out);
}

static void put_increment(FILE *out, const struct config_increment *increment)
{
	if (!increment->on)
		return;
	(void)fprintf(out, "bantime.increment = true\nbantime.factor = %.17g\n", increment->factor);
	if (increment->formula == FORMULA_EXPONENTIAL)
		(void)fputs("bantime.formula = ban.Time * math.exp(float(ban.Count+1)*banFactor)"
			    "/math.exp(1*banFactor)\n",
			out);
	if (increment->n_multipliers)
		(void)fputs("bantime.multipliers =", out);
	for (size_t i = 0; i < increment->n_multipliers; i++)
		(void)fprintf(out, " %.17g", increment->multipliers[i]);
	if (increment->n_multipliers)
		(void)fputc('\n', out);
	if (increment->maxtime_s)
		(void)fprintf(out, "bantime.maxtime = %lld\n", (long long)increment->maxtime_s);
	if (increment->rndtime_s)
		(void)fprintf(out, "bantime.rndtime = %lld\n", (long long)increment->rndtime_s);
	if (increment->all_jails)
		(void)fputs("bantime.overalljails = true\n", out);
}

static void put_ignored(FILE *out, const struct config_jail *jail)
{
	char address[IP_TEXT_MAX];

	if (!jail->n_ignoreip && !jail->n_ignores)
		return;
	(void)fputs("ignoreip =", out);
	for (size_t i = 0; i < jail->n_ignoreip; i++)
		(void)fprintf(out, " %s", ip_format(&jail->ignoreip[i], address));
	for (size_t i = 0; i < jail->n_ignores; i++) {
		(void)fprintf(out, " %s", jail->ignores[i].is_file ? "file:" : "");
		put_value(out, jail->ignores[i].text);
	}
	(void)fputc('\n', out);
}

static void put_option(FILE *out, bool *io_any, const char *name, const char *value)
{
	(void)fprintf(out, "%s%s=\"", *io_any ? ", " : "[", name);
	put_value(out, value);
	(void)fputc('"', out);
	*io_any = true;
}

static void put_backend(FILE *out, const struct config_jail *jail)
{
	const struct config_journal_source *source = &jail->journal;
	char flags[16];
	bool any = false;

	if (jail->backend == BACKEND_POLLING)
		(void)fputs("backend = polling\n", out);
	if (jail->backend != BACKEND_JOURNAL)
		return;
	(void)fputs("backend = systemd", out);
	if (source->path)
		put_option(out, &any, "journalpath", source->path);
	for (size_t i = 0; i < source->n_files; i++)
		put_option(out, &any, "journalfiles", source->files[i]);
	(void)snprintf(flags, sizeof(flags), "%d", source->flags); /* fits */
	if (source->flags >= 0)
		put_option(out, &any, "journalflags", flags);
	if (source->namespace)
		put_option(out, &any, "namespace", source->namespace);
	if (source->rotated)
		put_option(out, &any, "rotated", "1");
	(void)fputs(any ? "]\n" : "\n", out);
	if (!jail->filter.match.n_words)
		return;
	(void)fputs("journalmatch =", out);
	for (size_t i = 0; i < jail->filter.match.n_words; i++) {
		bool plain = !strpbrk(jail->filter.match.words[i].text, " \t\"'");

		(void)fputs(plain ? " " : " \"", out);
		put_value(out, jail->filter.match.words[i].text);
		(void)fputs(plain ? "" : "\"", out);
	}
	(void)fputc('\n', out);
}

char *import_write_jail(const struct config_jail *jail, const char *filter, const char *from)
{
	static const char *const usedns[] = { NULL, NULL, "yes", "warn", "raw" };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	(void)fprintf(out, "%s%s\n[%s]\nenabled = true\nfilter = ", head, from, jail->name);
	put_value(out, filter);
	(void)fputc('\n', out);
	put_backend(out, jail);
	for (size_t i = 0; i < jail->n_logpaths; i++) {
		(void)fputs(i ? "    " : "logpath = ", out);
		put_value(out, jail->logpaths[i].pattern);
		(void)fputs(jail->logpaths[i].from_head ? " head\n" : " tail\n", out);
	}
	(void)fprintf(out, "maxretry = %u\nfindtime = %lld\nbantime = %lld\n", jail->maxretry,
		(long long)jail->findtime_s, (long long)jail->bantime_s);
	if (jail->maxmatches != jail->maxretry)
		(void)fprintf(out, "maxmatches = %u\n", jail->maxmatches);
	put_increment(out, &jail->increment);
	put_ignored(out, jail);
	(void)fprintf(out, "ignoreself = %s\n", jail->ignoreself ? "true" : "false");
	if (usedns[jail->filter.usedns])
		(void)fprintf(out, "usedns = %s\n", usedns[jail->filter.usedns]);
	put_actions(out, jail);
	return fclose(out) == 0 ? text : NULL;
}

/* ---- comparing ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_list(const struct config_text *a, size_t n_a, const struct config_text *b,
	size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (strcmp(a[i].text, b[i].text) != 0)
			return false;
	return true;
}

bool import_same_filter(const struct filter_def *a, const struct filter_def *b)
{
	return same_list(a->failregex, a->n_failregex, b->failregex, b->n_failregex) &&
	       same_list(a->ignoreregex, a->n_ignoreregex, b->ignoreregex, b->n_ignoreregex) &&
	       same_list(a->datepattern, a->n_datepattern, b->datepattern, b->n_datepattern) &&
	       same_text(a->prefregex.text, b->prefregex.text) &&
	       same_text(a->parser.text, b->parser.text) &&
	       same_text(a->logtimezone.text, b->logtimezone.text) && a->maxlines == b->maxlines;
}

static bool same_increment(const struct config_increment *a, const struct config_increment *b)
{
	if (a->on != b->on)
		return false;
	if (!a->on)
		return true;
	if (a->formula != b->formula || a->factor != b->factor || a->maxtime_s != b->maxtime_s ||
		a->rndtime_s != b->rndtime_s || a->all_jails != b->all_jails ||
		a->n_multipliers != b->n_multipliers)
		return false;
	for (size_t i = 0; i < a->n_multipliers; i++)
		if (a->multipliers[i] != b->multipliers[i])
			return false;
	return true;
}

static bool same_ignored(const struct config_jail *a, const struct config_jail *b)
{
	if (a->n_ignoreip != b->n_ignoreip || a->n_ignores != b->n_ignores ||
		a->ignoreself != b->ignoreself)
		return false;
	for (size_t i = 0; i < a->n_ignoreip; i++)
		if (!ip_equal(&a->ignoreip[i], &b->ignoreip[i]))
			return false;
	for (size_t i = 0; i < a->n_ignores; i++)
		if (a->ignores[i].is_file != b->ignores[i].is_file ||
			strcmp(a->ignores[i].text, b->ignores[i].text) != 0)
			return false;
	return true;
}

static bool same_closing(const struct config_jail *a, const struct config_jail *b)
{
	if (a->bans != b->bans || a->n_scopes != b->n_scopes ||
		!same_text(a->mail_dest, b->mail_dest) ||
		(a->mail_dest && !same_text(a->mail_sender, b->mail_sender)))
		return false;
	for (size_t i = 0; i < a->n_scopes; i++)
		if (!scope_equal(&a->scopes[i], &b->scopes[i]))
			return false;
	return true;
}

static bool same_logs(const struct config_jail *a, const struct config_jail *b)
{
	if (a->backend != b->backend || a->n_logpaths != b->n_logpaths)
		return false;
	for (size_t i = 0; i < a->n_logpaths; i++)
		if (strcmp(a->logpaths[i].pattern, b->logpaths[i].pattern) != 0 ||
			a->logpaths[i].from_head != b->logpaths[i].from_head)
			return false;
	return a->backend != BACKEND_JOURNAL ||
	       same_list(a->filter.match.words, a->filter.match.n_words, b->filter.match.words,
		       b->filter.match.n_words);
}

bool import_same_jail(const struct config_jail *a, const struct config_jail *b)
{
	return a->enabled == b->enabled && a->maxretry == b->maxretry &&
	       a->findtime_s == b->findtime_s && a->bantime_s == b->bantime_s &&
	       a->maxmatches == b->maxmatches && a->filter.usedns == b->filter.usedns &&
	       same_increment(&a->increment, &b->increment) && same_ignored(a, b) &&
	       same_closing(a, b) && same_logs(a, b);
}
