#include "date/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/pattern.h"
#include "base/text.h"

/* ---- the zone that a line names ---- */

/* Abbreviations by their offset from UTC in minutes. Many stand for several zones; these are the
 * meanings that fail2ban gives them, so that both read a log alike. */
static const struct {
	int minutes;
	const char *names;
} offsets[] = {
	{ 0, "Z UTC GMT EGST WET WT" },
	{ 60, "A CET DFT WAT WEDT WEST" },
	{ 120, "B CAT CEDT CEST EET SAST WAST" },
	{ 180, "C EAT EEDT EEST IDT MSK" },
	{ 210, "IRST" },
	{ 240, "D AMT AZT GET GST KUYT MSD MUT RET SAMT SCT" },
	{ 270, "AFT IRDT" },
	{ 300, "E AMST AQTT AZST HMT MAWT MVT PKT TFT TJT TMT UZT YEKT" },
	{ 330, "SLT" },
	{ 345, "NPT" },
	{ 360, "F ALMT BIOT BTT IOT KGT NOVT OMST YEKST" },
	{ 390, "CCT MMT" },
	{ 420, "G CXT DAVT HOVT ICT KRAT NOVST OMSST THA WIB" },
	{ 480, "H ACT AWST BDT BNT CAST HKT IRKT KRAST MYT PHT SGT ULAT WITA WST" },
	{ 540, "I AWDT IRKST JST KST PWT TLT WDT WIT YAKT" },
	{ 570, "ACST" },
	{ 600, "K AEST PGT VLAT YAKST YAPT" },
	{ 630, "ACDT LHST" },
	{ 660, "L AEDT LHDT MAGT NCT PONT SBT VLAST VUT" },
	{ 690, "NFT" },
	{ 720, "M ANAST ANAT FJT GILT MAGST MHT NZST PETST PETT TVT WFT" },
	{ 780, "FJST NZDT" },
	{ -60, "N AZOT CVT EGT" },
	{ -120, "O BRST FNT PMDT UYST WGST" },
	{ -150, "HAT NDT" },
	{ -180, "P ADT ART BRT CLST FKST GFT HAA PMST PYST SRT UYT WGT" },
	{ -210, "HNT NST NT" },
	{ -240, "Q AST BOT CLT COST EDT FKT GYT HAE HNA PYT" },
	{ -270, "HLV VET" },
	{ -300, "R CDT COT EASST ECT EST ET HAC HNE PET" },
	{ -360, "S CST EAST GALT HAR HNC MDT" },
	{ -420, "T HAP HNR MST PDT" },
	{ -480, "U AKDT CIST HAY HNP PST PT" },
	{ -540, "V AKST GAMT GIT HADT HNY" },
	{ -570, "MART MIT" },
	{ -600, "W CKT HAST HST TAHT TKT" },
	{ -660, "X NUT SST" },
	{ -720, "Y" },
	/* fail2ban does not know these, and would find no date */
	{ 60, "BST MET" },
	{ 120, "MEST" },
};

static bool name_offset(const char *name, size_t length, int *ret_offset_s)
{
	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		for (const char *at = offsets[i].names; *at; at += strspn(at, " ")) {
			size_t step = strcspn(at, " ");

			if (step == length && !memcmp(at, name, length)) {
				*ret_offset_s = offsets[i].minutes * 60;
				return true;
			}
			at += step;
		}
	}
	return false;
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

/* Reads "+02", "+0200" or "+02:00"; hours up to 19, as fail2ban's pattern allows. */
static bool offset_read(const char *text, size_t length, int *ret_offset_s)
{
	bool has_colon = length == 6 && text[3] == ':';
	int minutes = 0;

	if ((length != 3 && length != 5 && !has_colon) || (*text != '+' && *text != '-') ||
		(text[1] != '0' && text[1] != '1') || !ascii_is_digit(text[2]))
		return false;
	if (length > 3) {
		const char *digits = text + 3 + has_colon;

		if (digits[0] < '0' || digits[0] > '5' || !ascii_is_digit(digits[1]))
			return false;
		minutes = two_digits(digits);
	}
	minutes += 60 * two_digits(text + 1);
	*ret_offset_s = minutes * (*text == '-' ? -60 : 60);
	return true;
}

bool date_zone_read(const char *text, size_t length, int *ret_offset_s)
{
	size_t letters = 0;
	int name_s = 0;
	int offset_s = 0;

	while (letters < length && text[letters] >= 'A' && text[letters] <= 'Z')
		letters++;
	if (!length || (letters && !name_offset(text, letters, &name_s)))
		return false;
	if (letters < length && !offset_read(text + letters, length - letters, &offset_s))
		return false;
	*ret_offset_s = name_s + offset_s;
	return true;
}

char *date_zone_regex(bool letters)
{
	struct pattern regex = { 0 };

	pattern_add_string(&regex, "UTC|GMT", 0);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		for (const char *at = offsets[i].names; *at; at += strspn(at, " ")) {
			size_t step = strcspn(at, " ");

			if (step > 2 || (step == 1 && (letters || *at == 'Z'))) {
				pattern_add_string(&regex, "|", 0);
				pattern_add(&regex, at, step, 0);
			}
			at += step;
		}
	}
	free(regex.origins);
	return regex.bytes;
}

/* ---- zones of the system's files ---- */

#define ZONE_DIRECTORY "/usr/share/zoneinfo/"

enum {
	NAME_BYTES_MAX = 64,
	STEP_S = 3 * 86400, /* the nearest two changes of any zone since 1970 are 6 days apart */
};

/* Changes are noted from 1970-01-01 to 2100-01-01 UTC; earlier and later the nearest offset
 * holds. */
static const int64_t NOTED_FROM_S = 0;
static const int64_t NOTED_TO_S = 4102444800;

/* The name stays below the directory of zones, and is that of a zone file (RFC 8536). */
static bool is_zone_file(const char *name, const char *path)
{
	cleanup_file FILE *file = NULL;
	size_t length = strlen(name);
	char magic[4];

	if (!length || length > NAME_BYTES_MAX || *name == '/' || strstr(name, "..") ||
		strspn(name,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") !=
			length)
		return false;
	file = fopen(path, "re");
	return file && fread(magic, 1, sizeof(magic), file) == sizeof(magic) &&
	       memcmp(magic, "TZif", sizeof(magic)) == 0;
}

/* The offset of the process's own zone. */
static int local_offset(int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm tm = { 0 };

	return localtime_r(&at, &tm) ? (int)tm.tm_gmtoff : 0;
}

static void change_add(struct date_zone *zone, int64_t at_s)
{
	zone->changes = alloc_grow(zone->changes, zone->n_changes + 1, sizeof(*zone->changes));
	zone->changes[zone->n_changes++] = (struct date_change){ at_s, local_offset(at_s) };
}

/* Notes the changes of the process's own zone. */
static void changes_note(struct date_zone *zone)
{
	change_add(zone, NOTED_FROM_S);
	for (int64_t at_s = NOTED_FROM_S; at_s < NOTED_TO_S; at_s += STEP_S) {
		int offset_s = zone->changes[zone->n_changes - 1].offset_s;
		int64_t before_s = at_s;
		int64_t behind_s = at_s + STEP_S;

		if (local_offset(behind_s) == offset_s)
			continue;
		while (behind_s - before_s > 1) {
			int64_t middle_s = before_s + (behind_s - before_s) / 2;

			if (local_offset(middle_s) == offset_s)
				before_s = middle_s;
			else
				behind_s = middle_s;
		}
		change_add(zone, behind_s);
	}
}

/* Notes the changes of the zone of that name. libc knows only one zone at a time, that of the
 * process, which is changed for this and then set back. False: there is no such zone. */
static bool named_read(struct date_zone *zone, const char *name)
{
	cleanup_free char *variable = alloc_format(":" ZONE_DIRECTORY "%s", name);
	const char *own = getenv("TZ");
	cleanup_free char *kept = own ? alloc_string(own) : NULL;

	if (!is_zone_file(name, variable + 1))
		return false;
	(void)setenv("TZ", variable, 1);
	tzset();
	changes_note(zone);
	if (kept)
		(void)setenv("TZ", kept, 1);
	else
		(void)unsetenv("TZ");
	tzset();
	return true;
}

/* The offset that the last change at or before that time has made. */
static int offset_at(const struct date_zone *zone, int64_t at_s)
{
	size_t low = 0;
	size_t high = zone->n_changes; /* the change is in [low, high) */

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (zone->changes[middle].at_s <= at_s)
			low = middle;
		else
			high = middle;
	}
	return zone->changes[low].offset_s;
}

/* ---- the zone of dates without one ---- */

int date_zone_init(struct date_zone *zone, const char *name, struct error *err)
{
	*zone = (struct date_zone){ 0 };
	if (!name) {
		/* without TZ, libc looks at the file again at each conversion, but later the
		 * process can no longer reach the zone files */
		(void)setenv("TZ", ":/etc/localtime", 0);
		tzset();
	} else if (date_zone_read(name, strlen(name), &zone->offset_s)) {
		zone->kind = DATE_ZONE_FIXED;
	} else if (named_read(zone, name)) {
		zone->kind = DATE_ZONE_NAMED;
	} else {
		return error_set(err,
			"logtimezone: '%s' is no time zone: write UTC, UTC+02:00, an abbreviation such as CET, or a "
			"name such as Europe/Berlin",
			text_shown_string(name).text);
	}
	return 0;
}

void date_zone_done(struct date_zone *zone)
{
	free(zone->changes);
	zone->changes = NULL;
}

int date_zone_at(const struct date_zone *zone, int64_t at_s)
{
	switch (zone->kind) {
	case DATE_ZONE_LOCAL:
		return local_offset(at_s);
	case DATE_ZONE_FIXED:
		return zone->offset_s;
	case DATE_ZONE_NAMED:
		return offset_at(zone, at_s);
	}
	return 0;
}
