#include "decide/letter.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ip.h"
#include "base/ports.h"
#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "decide/bans.h"
#include "decide/counter.h"

enum { STAMP_MAX = 64, RULE_SHOWN_MAX = 300, FINDINGS_SHOWN_BYTES = LETTER_BODY_MAX - 1024 };

static void body_add(struct letter *letter, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void body_add(struct letter *letter, const char *format, ...)
{
	size_t used = strlen(letter->body);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(letter->body + used, sizeof(letter->body) - used, format, args); /* cut */
	va_end(args);
}

static const char *stamp_format(int64_t at_s, char out[STAMP_MAX])
{
	time_t at = (time_t)at_s;
	struct tm parts;

	if (!localtime_r(&at, &parts) || !strftime(out, STAMP_MAX, "%F %T %z", &parts))
		out[0] = '\0';
	return out;
}

static void add_scopes(struct letter *letter, const struct config_jail *jail, const struct ban *ban)
{
	size_t count = !jail ? 0 : ban->proven ? jail->n_scopes : jail->n_narrow;
	char text[SCOPE_TEXT_MAX];

	if (!count) {
		body_add(letter, "Closed:   all ports, all protocols\n");
		return;
	}
	body_add(letter, "Closed:   ");
	for (size_t i = 0; i < count; i++) {
		scope_format(ban->proven ? &jail->scopes[i] : &jail->narrow[i], text);
		body_add(letter, "%s%s", i ? ", " : "",
			strcmp(text, "all") == 0 ? "all ports, all protocols" : text);
	}
	body_add(letter, "\n");
	if (!ban->proven && jail->n_scopes && !scope_equal(&jail->scopes[0], &jail->narrow[0]))
		body_add(letter, "          these only: a UDP sender can be forged\n");
}

static void add_accounts(struct letter *letter, const struct counter_window *window)
{
	char shown[256];

	if (!window->n_accounts)
		return;
	body_add(letter, "Accounts: ");
	for (size_t i = 0; i < window->n_accounts; i++)
		body_add(letter, "%s'%s'", i ? ", " : "",
			text_render_string(shown, sizeof(shown), window->accounts[i].bytes));
	body_add(letter, "\n");
}

/* Lines are shown as a whole or not at all: 1 KiB of the body stays free for what follows them,
 * which says how to lift the ban. */
static void add_lines(struct letter *letter, const struct counter_window *window)
{
	char shown[4 * COUNTER_LINE_BYTES_MAX + 8];

	if (!window->n_lines)
		return;
	body_add(letter, "\nThe log lines that led to it:\n");
	for (size_t i = 0; i < window->n_lines; i++) {
		text_render(shown, sizeof(shown), window->lines[i].bytes, window->lines[i].length);
		if (strlen(letter->body) + strlen(shown) + 1024 > sizeof(letter->body)) {
			body_add(letter, "  (%zu more)\n", window->n_lines - i);
			return;
		}
		body_add(letter, "  %s\n", shown);
	}
	if (window->n_lines < window->failures)
		body_add(letter, "  (%u earlier ones are not kept in memory)\n",
			(unsigned)(window->failures - window->n_lines));
}

static void add_why(struct letter *letter, const struct config_jail *jail, const struct ban *ban,
	const struct counter_window *window)
{
	char findtime[DURATION_TEXT_MAX];
	char from[STAMP_MAX];
	char to[STAMP_MAX];
	char shown[1024];

	if (!jail) {
		body_add(letter, "Why:      banned by hand%s%s\n", ban->note[0] ? ": " : "",
			text_render_string(shown, sizeof(shown), ban->note));
		return;
	}
	body_add(letter, "Why:      %u failures within %s (maxretry %u)\n", ban->failures,
		duration_format(jail->findtime_s, findtime), jail->maxretry);
	if (window && window->counted > window->failures)
		body_add(letter, "          that count as %u: the address has been banned before\n",
			window->counted);
	if (window && window->failures)
		body_add(letter, "          from %s to %s\n", stamp_format(window->first_s, from),
			stamp_format(window->last_s, to));
	if (ban->number)
		body_add(letter, "Bans:     this is ban %u of this address\n", ban->number);
	if (!window)
		return;
	add_accounts(letter, window);
	if (window->rule[0])
		body_add(letter, "Rule:     %s\n",
			text_render_string(shown, RULE_SHOWN_MAX, window->rule));
	add_lines(letter, window);
}

void letter_ban(struct letter *ret_letter, const char *jail_name, const struct config_jail *jail,
	const struct ban *ban, const struct counter_window *window, const char *host, bool dry_run)
{
	struct letter *letter = ret_letter;
	char address[IP_TEXT_MAX];
	char shown[128];
	char at[STAMP_MAX];

	letter->body[0] = '\0';
	text_render_string(shown, sizeof(shown), jail_name);
	ip_format(&ban->ip, address);
	(void)snprintf(letter->subject, sizeof(letter->subject), "[voipguard] %s: %s%s on %s",
		shown, dry_run ? "dry run, would ban " : "banned ", address, host);
	body_add(letter, "%s%s.\n\n",
		dry_run ? "Dry run: this address would be banned on "
			: "voipguard has banned an address on ",
		host);
	body_add(letter, "Address:  %s\n", address);
	body_add(letter, "Jail:     %s\n", shown);
	body_add(letter, "Since:    %s\n", stamp_format(ban->since_s, at));
	body_add(letter, "Until:    %s\n",
		ban->until_s ? stamp_format(ban->until_s, at) : "lifted by hand (permanent)");
	add_scopes(letter, jail, ban);
	add_why(letter, jail, ban, window);
	body_add(letter, "\nTo lift it:            voipguard unban %s\n", address);
	body_add(letter, "To see all bans:       voipguard status %s\n\n", shown);
}

void letter_add_kernel(struct letter *letter, const struct ip *ip, int failure, int64_t at_s)
{
	char address[IP_TEXT_MAX];
	char at[STAMP_MAX];

	ip_format(ip, address);
	if (failure == 0)
		body_add(letter,
			"The kernel holds the ban since %s: packets from %s are dropped\n"
			"(nftables table inet voipguard).\n",
			stamp_format(at_s, at), address);
	else if (failure > 0)
		body_add(letter, "The kernel has REFUSED the ban (%s): see voipguard status.\n",
			strerror(failure));
	else
		body_add(letter,
			"The kernel has not confirmed the ban yet: see voipguard status.\n");
}

void letter_spared(struct letter *ret_letter, const char *jail_name, const struct config_jail *jail,
	const struct counter_window *window, const char *because, const char *host)
{
	struct ban ban = { .ip = window->ip, .failures = window->failures };
	struct letter *letter = ret_letter;
	char findtime[DURATION_TEXT_MAX];
	char address[IP_TEXT_MAX];
	char shown[128];

	letter->body[0] = '\0';
	text_render_string(shown, sizeof(shown), jail_name);
	ip_format(&window->ip, address);
	(void)snprintf(letter->subject, sizeof(letter->subject),
		"[voipguard] %s: %s %s, it would have been banned on %s", shown, address,
		because ? "is protected" : "may be forged", host);
	body_add(letter,
		because ? "A protected address has failed as often as others are banned for on %s:\n"
			  "a phone or a program with a wrong password, or a stranger who uses the\n"
			  "address. It is not banned, since it is protected.\n\n"
			: "An address has failed as often as others are banned for on %s.\n"
			  "It is not banned, since somebody may have forged it (unproven = alert).\n\n",
		host);
	body_add(letter, "Address:  %s\n", address);
	if (because)
		body_add(letter, "Because:  %s\n", text_shown_string(because).text);
	body_add(letter, "Jail:     %s\n", shown);
	add_why(letter, jail, &ban, window);
	body_add(letter, "\nTo see what it does:   voipguard explain %s\n", address);
	body_add(letter, "The next mail about it comes in %s at the earliest.\n",
		duration_format(jail->findtime_s, findtime));
}

void letter_blind(struct letter *ret_letter, const char *jail_name, unsigned lines,
	const char *findtime, const char *kinds, const char *host)
{
	struct letter *letter = ret_letter;
	char shown[128];

	letter->body[0] = '\0';
	text_render_string(shown, sizeof(shown), jail_name);
	(void)snprintf(letter->subject, sizeof(letter->subject),
		"[voipguard] %s: someone is guessing blindly on %s", shown, host);
	body_add(letter,
		"On %s more than %u lines within %s tell of attempts and name nobody soundly:\n"
		"somebody makes Asterisk write records that cannot be read (too long, not UTF-8,\n"
		"or so many that it throws some away). Nobody can be banned for these.\n\n",
		host, lines, findtime);
	body_add(letter, "Jail:     %s\nLines:    %s (since the start)\n\n", shown, kinds);
	body_add(letter,
		"What helps: new SIP requests of unknown sources can be limited by rate in nftables;\n"
		"log with [json], where records cannot run into each other\n"
		"(logger.conf: security.log => [json]security).\n\n"
		"To see these lines:    voipguard test asterisk FILE --missed\n"
		"To see how many:       voipguard status %s\n\n"
		"The next mail of this kind comes in %s at the earliest.\n",
		shown, findtime);
}

void letter_broken(struct letter *ret_letter, const char *host, const char *findings)
{
	struct letter *letter = ret_letter;
	size_t length = strlen(findings);
	size_t shown = length < FINDINGS_SHOWN_BYTES ? length : FINDINGS_SHOWN_BYTES;

	while (shown > 0 && shown < length && findings[shown - 1] != '\n')
		shown--; /* end behind a whole finding, that is a line */
	letter->body[0] = '\0';
	(void)snprintf(letter->subject, sizeof(letter->subject),
		"[voipguard] configuration errors on %s: jails left out", host);
	body_add(letter,
		"voipguard guards %s, but without the jails that have an error:\n\n%.*s%s\n"
		"See all of them with:  voipguard check\n"
		"When it is mended:     voipguard reload\n",
		host, (int)shown, findings, shown < length ? "(and more)\n" : "");
}
