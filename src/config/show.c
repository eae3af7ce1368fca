/* What a jail comes down to, for `voipguard check --show JAIL`. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/times.h"

enum { RULE_SHOWN_MAX = 8192 };

static const char *const usedns_words[] = { "no", "no", "yes", "warn", "raw" };

/* One row; name "" continues the row above. value is from outside. */
static void row(FILE *out, const char *name, const char *value)
{
	cleanup_free char *shown = alloc_zero(RULE_SHOWN_MAX);

	(void)fprintf(out, "%-12s %s\n", name, text_render_string(shown, RULE_SHOWN_MAX, value));
}

/* A rule keeps its backslashes: it is to be read and copied. */
static void rules(FILE *out, const char *name, const struct config_text *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)fprintf(out, "%-12s ", i ? "" : name);
		for (const char *c = list[i].text; *c;) {
			size_t length = strcspn(c, "\\");
			cleanup_free char *shown = alloc_zero(length * 4 + 8); /* \xNN */

			(void)fputs(text_render(shown, length * 4 + 8, c, length), out);
			c += length;
			for (; *c == '\\'; c++)
				(void)fputc('\\', out);
		}
		(void)fputc('\n', out);
	}
}

/* Of bans of the same address, n of them before. */
static void show_increment(FILE *out, const struct config *config, const struct config_jail *jail)
{
	static const char *const formulas[] = { "bantime * 2^min(n, 20) * factor",
		"bantime * exp((n + 1) * factor) / exp(factor)",
		"bantime * factor * multiplier[n]" };
	const struct config_increment *increment = &jail->increment;
	char duration[DURATION_TEXT_MAX];

	if (!increment->on)
		return;
	row(out, "increment", formulas[increment->formula]);
	(void)fprintf(out, "%-12s %g\n", "factor", increment->factor);
	for (size_t i = 0; i < increment->n_multipliers; i++)
		(void)fprintf(out, i ? " %g" : "multipliers  %g", increment->multipliers[i]);
	if (increment->n_multipliers)
		(void)fputc('\n', out);
	if (increment->maxtime_s)
		row(out, "maxtime", duration_format(increment->maxtime_s, duration));
	if (increment->rndtime_s)
		row(out, "rndtime", duration_format(increment->rndtime_s, duration));
	row(out, "overalljails", increment->all_jails ? "true" : "false");
	row(out, "dbpurgeage", duration_format(config->dbpurgeage_s, duration));
}

static void show_source(FILE *out, const struct config_jail *jail)
{
	static const char *const backends[] = { "auto", "polling", "systemd" };
	const struct config_journal *match = &jail->filter.match;
	const struct config_journal_source *source = &jail->journal;

	row(out, "backend", backends[jail->backend]);
	for (size_t i = 0; i < jail->n_logpaths; i++) {
		cleanup_free char *path = alloc_format("%s%s", jail->logpaths[i].pattern,
			jail->logpaths[i].from_head ? " head" : "");

		row(out, i ? "" : "logpath", path);
	}
	if (jail->backend != BACKEND_JOURNAL)
		return;
	if (source->path)
		row(out, "journalpath", source->path);
	for (size_t i = 0; i < source->n_files; i++)
		row(out, i ? "" : "journalfiles", source->files[i]);
	if (source->flags >= 0)
		(void)fprintf(out, "%-12s %d\n", "journalflags", source->flags);
	if (source->namespace)
		row(out, "namespace", source->namespace);
	if (source->rotated)
		row(out, "rotated", "true");
	for (size_t i = 0; i < match->n_words; i++)
		row(out, i ? "" : "journalmatch", match->words[i].text);
}

/* All of it: duration_format() leaves out what is behind the second unit. */
static void row_duration(FILE *out, const char *name, int64_t duration_s)
{
	char text[DURATION_TEXT_MAX];
	struct error err;
	int64_t back_s;

	duration_format(duration_s, text);
	if (duration_s < 0)
		row(out, name, "for ever");
	else if (duration_parse(text, &back_s, &err) == 0 && back_s == duration_s)
		row(out, name, text);
	else
		(void)fprintf(out, "%-12s %llds\n", name, (long long)duration_s);
}

static void show_limits(FILE *out, const struct config *config, const struct config_jail *jail)
{
	char address[IP_TEXT_MAX];

	(void)fprintf(out, "%-12s %u\n", "maxretry", jail->maxretry);
	(void)fprintf(out, "%-12s %u\n", "maxmatches", jail->maxmatches);
	row_duration(out, "findtime", jail->findtime_s);
	row_duration(out, "bantime", jail->bantime_s);
	show_increment(out, config, jail);
	row(out, "ignoreself", jail->ignoreself ? "true" : "false");
	for (size_t i = 0; i < jail->n_ignoreip; i++)
		row(out, i ? "" : "ignoreip", ip_format(&jail->ignoreip[i], address));
	for (size_t i = 0; i < jail->n_ignores; i++) {
		const struct config_ignore *ignore = &jail->ignores[i];
		cleanup_free char *word =
			alloc_format("%s%s", ignore->is_file ? "file:" : "", ignore->text);

		row(out, i || jail->n_ignoreip ? "" : "ignoreip", word);
	}
}

static void show_effect(FILE *out, const struct config_jail *jail)
{
	char scope[SCOPE_TEXT_MAX];

	if (!jail->bans)
		row(out, "closes", "nothing (failures are only counted)");
	for (size_t i = 0; i < jail->n_scopes; i++)
		row(out, i ? "" : "closes", scope_format(&jail->scopes[i], scope));
	if (jail->mail_dest)
		row(out, "dest", jail->mail_dest);
	if (jail->mail_dest && jail->mail_sender)
		row(out, "sender", jail->mail_sender);
}

static void show_filter(FILE *out, const struct filter_def *filter)
{
	row(out, "filter", filter->name ? filter->name : "(none)");
	if (filter->path)
		row(out, "file", filter->path);
	if (filter->parser.text)
		row(out, "parser", filter->parser.text);
	if (filter->maxlines > 1)
		(void)fprintf(out, "%-12s %u\n", "maxlines", filter->maxlines);
	row(out, "usedns", usedns_words[filter->usedns]);
	if (filter->logtimezone.text)
		row(out, "logtimezone", filter->logtimezone.text);
	rules(out, "datepattern", filter->datepattern, filter->n_datepattern);
	if (filter->prefregex.text)
		rules(out, "prefregex", &filter->prefregex, 1);
	rules(out, "failregex", filter->failregex, filter->n_failregex);
	rules(out, "ignoreregex", filter->ignoreregex, filter->n_ignoreregex);
}

char *config_show(const struct config *config, const struct config_jail *jail)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return alloc_string("");
	row(out, "jail", jail->name);
	row(out, "tree", config->dir);
	row(out, "enabled", jail->enabled ? "true" : "false");
	if (jail->broken)
		row(out, "broken", "yes: see the errors; it does not run");
	show_source(out, jail);
	show_limits(out, config, jail);
	show_effect(out, jail);
	show_filter(out, &jail->filter);
	if (fclose(out) != 0) {
		free(text);
		return alloc_string("");
	}
	return text;
}
