#include "date/zone.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"
#include "date/tzfile.h"

/* Abbreviations by offset, in minutes. Many mean several zones; these are the meanings that
 * fail2ban gives them, so that a log reads alike under both. */
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
	/* fail2ban knows none of these and would find no date */
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

/* "+02", "+0200", "+02:00"; hours up to 19, as fail2ban's pattern has them. */
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
	char *text = alloc_string("UTC|GMT");

	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		for (const char *at = offsets[i].names; *at; at += strspn(at, " ")) {
			size_t step = strcspn(at, " ");
			bool wanted = step > 2 || (step == 1 && (letters || *at == 'Z'));
			char *longer = text;

			if (wanted)
				longer = alloc_format("%s|%.*s", text, (int)step, at);
			if (wanted)
				free(text);
			text = longer;
			at += step;
		}
	}
	return text;
}

int date_zone_init(struct date_zone *zone, const char *name, struct error *err)
{
	char shown[128];

	*zone = (struct date_zone){ 0 };
	if (!name) {
		/* without TZ, libc looks at the file again at each conversion; later the zone
		 * files are out of reach */
		(void)setenv("TZ", ":/etc/localtime", 0);
		tzset();
		return 0;
	}
	if (date_zone_read(name, strlen(name), &zone->offset_s)) {
		zone->kind = DATE_ZONE_FIXED;
		return 0;
	}
	zone->transitions = date_tzfile_read(name);
	if (zone->transitions) {
		zone->kind = DATE_ZONE_NAMED;
		return 0;
	}
	return error_set(err,
		"logtimezone: '%s' is no time zone: write UTC, UTC+02:00, an abbreviation such as CET, or a "
		"name such as Europe/Berlin",
		text_render_string(shown, sizeof(shown), name));
}

void date_zone_done(struct date_zone *zone)
{
	date_tzfile_free(zone->transitions);
	zone->transitions = NULL;
}

int date_zone_at(const struct date_zone *zone, int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm tm = { 0 };

	switch (zone->kind) {
	case DATE_ZONE_LOCAL:
		return localtime_r(&at, &tm) ? (int)tm.tm_gmtoff : 0;
	case DATE_ZONE_FIXED:
		return zone->offset_s;
	case DATE_ZONE_NAMED:
		return date_tzfile_at(zone->transitions, at_s);
	}
	return 0;
}
