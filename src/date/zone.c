#include "date/zone.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"
#include "base/times.h"

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

/* ---- zones of the system's files (TZif, RFC 8536) ---- */

/* A zone file has two blocks of the same form; in the second one times have 64 bits. A block is a
 * header, the times at which the offset changes, for each of them the index of a type, and the
 * types (an offset each). Behind the second block a line of text has the rule for all later
 * years. */

#define ZONE_DIRECTORY "/usr/share/zoneinfo/"

/* The largest file of tzdata has 3.6 KB and 250 changes; larger ones are not read. */
enum { FILE_BYTES_MAX = 65536, CHANGES_MAX = 4096, NAME_MAX_BYTES = 64 };
enum { HEADER_BYTES = 44, TYPE_BYTES = 6, TYPES_MAX = 256, DAY_S = 86400 };

/* A day of change such as "M3.5.0/2": the 5th (which means the last) Sunday of March at 2
 * o'clock. */
struct change_rule {
	int month;
	int week;
	int weekday; /* 0 Sunday */
	int at_s;    /* local time in seconds; may be negative or more than a day */
};

struct later_rule {
	bool known;
	bool has_summer;
	int offset_s;
	int summer_offset_s;
	struct change_rule start;
	struct change_rule end;
};

/* at_s ascends. From at_s[i] on the offset is offset_s[i]; before at_s[0] it is first_s. All
 * offsets are seconds east of UTC. */
struct date_transitions {
	int64_t *at_s;
	int *offset_s;
	size_t count;
	int first_s;
	struct later_rule later; /* holds after the last change */
};

struct header {
	size_t n_utc_flags;
	size_t n_std_flags;
	size_t n_leaps;
	size_t n_changes;
	size_t n_types;
	size_t n_name_bytes;
};

static int64_t big_endian(const unsigned char *bytes, size_t count)
{
	uint64_t number = bytes[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return (int64_t)number;
}

static bool header_read(const unsigned char *bytes, size_t length, struct header *ret)
{
	size_t counts[6];

	if (length < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
		return false;
	for (size_t i = 0; i < 6; i++) {
		int64_t count = big_endian(bytes + 20 + 4 * i, 4);

		if (count < 0 || count > FILE_BYTES_MAX)
			return false;
		counts[i] = (size_t)count;
	}
	*ret = (struct header){ counts[0], counts[1], counts[2], counts[3], counts[4], counts[5] };
	return ret->n_changes <= CHANGES_MAX && ret->n_types && ret->n_types <= TYPES_MAX;
}

/* The length of a block without its header, if each time takes moment_bytes (4 or 8). */
static size_t block_bytes(const struct header *header, size_t moment_bytes)
{
	return header->n_changes * (moment_bytes + 1) + header->n_types * TYPE_BYTES +
	       header->n_name_bytes + header->n_leaps * (moment_bytes + 4) + header->n_std_flags +
	       header->n_utc_flags;
}

static bool number_take(const char **text, int *ret)
{
	int number = 0;
	int digits = 0;

	for (; ascii_is_digit(**text) && digits < 4; digits++)
		number = number * 10 + *(*text)++ - '0';
	*ret = number;
	return digits > 0;
}

static bool byte_take(const char **text, char byte)
{
	if (**text != byte)
		return false;
	++*text;
	return true;
}

/* Reads a time such as "-1", "5:30" or "+02:00:00" as seconds, and moves *text behind it. */
static bool time_take(const char **text, int *ret_s)
{
	bool negative = byte_take(text, '-');
	int unit_s = 3600;
	int part;

	if (!negative)
		(void)byte_take(text, '+');
	*ret_s = 0;
	do {
		if (!number_take(text, &part))
			return false;
		*ret_s += part * unit_s;
		unit_s /= 60;
	} while (unit_s && byte_take(text, ':'));
	if (negative)
		*ret_s = -*ret_s;
	return true;
}

static bool name_take(const char **text)
{
	size_t length;

	if (byte_take(text, '<')) {
		*text += strcspn(*text, ">");
		return byte_take(text, '>');
	}
	length = strspn(*text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	*text += length;
	return length > 0;
}

static bool change_take(const char **text, struct change_rule *ret)
{
	ret->at_s = 2 * 3600; /* 2 o'clock is the default of POSIX */
	if (!byte_take(text, ',') || !byte_take(text, 'M') || !number_take(text, &ret->month) ||
		!byte_take(text, '.') || !number_take(text, &ret->week) || !byte_take(text, '.') ||
		!number_take(text, &ret->weekday))
		return false;
	if (ret->month < 1 || ret->month > 12 || ret->week < 1 || ret->week > 5 || ret->weekday > 6)
		return false;
	return !byte_take(text, '/') || time_take(text, &ret->at_s);
}

/* Reads a rule as POSIX has it for TZ, e.g. "CET-1CEST,M3.5.0,M10.5.0/3". A rule whose days of
 * change are numbers of the year ("J60") is not understood. */
static bool later_read(const char *text, struct later_rule *ret)
{
	int west_s;

	if (!name_take(&text) || !time_take(&text, &west_s))
		return false;
	ret->offset_s = -west_s;
	ret->known = true;
	if (!*text)
		return true;
	ret->has_summer = true;
	ret->summer_offset_s = ret->offset_s + 3600;
	if (!name_take(&text))
		return false;
	if (*text && *text != ',') {
		if (!time_take(&text, &west_s))
			return false;
		ret->summer_offset_s = -west_s;
	}
	return change_take(&text, &ret->start) && change_take(&text, &ret->end) && !*text;
}

/* When the rule changes the offset in that year, in seconds of local time since 1970-01-01
 * 00:00. */
static int64_t change_at(const struct change_rule *rule, int year)
{
	int64_t first = calendar_day(year, rule->month, 1);
	int weekday = (calendar_weekday(first) + 1) % 7;
	int day = (rule->weekday - weekday + 7) % 7 + 7 * (rule->week - 1);

	if (day >= calendar_month_days(year, rule->month))
		day -= 7;
	return (first + day) * DAY_S + rule->at_s;
}

static int later_at(const struct later_rule *later, int64_t at_s)
{
	int64_t start_s;
	int64_t end_s;
	int year;
	int month;
	int day;
	bool summer;

	if (!later->has_summer)
		return later->offset_s;
	calendar_civil((at_s + later->offset_s) / DAY_S, &year, &month, &day);
	start_s = change_at(&later->start, year) - later->offset_s;
	end_s = change_at(&later->end, year) - later->summer_offset_s;
	if (start_s < end_s)
		summer = at_s >= start_s && at_s < end_s;
	else
		summer = at_s >= start_s || at_s < end_s;
	return summer ? later->summer_offset_s : later->offset_s;
}

/* Reads the second block; bytes begin behind its header, and have the line of text behind the
 * block, too. The caller owns the result. NULL: it is damaged. */
static struct date_transitions *block_read(const struct header *header, const unsigned char *bytes,
	size_t length)
{
	const unsigned char *indexes = bytes + header->n_changes * 8;
	const unsigned char *types = indexes + header->n_changes;
	size_t used = block_bytes(header, 8);
	struct date_transitions *result;
	cleanup_free char *text = NULL;

	if (used > length)
		return NULL;
	for (size_t i = 0; i < header->n_changes; i++)
		if (indexes[i] >= header->n_types ||
			(i && big_endian(bytes + 8 * i, 8) < big_endian(bytes + 8 * i - 8, 8)))
			return NULL;
	result = alloc_zero(sizeof(*result));
	result->count = header->n_changes;
	result->at_s = alloc_array(result->count + 1, sizeof(*result->at_s));
	result->offset_s = alloc_array(result->count + 1, sizeof(*result->offset_s));
	result->first_s = (int)big_endian(types, 4);
	for (size_t i = 0; i < result->count; i++) {
		result->at_s[i] = big_endian(bytes + 8 * i, 8);
		result->offset_s[i] = (int)big_endian(types + indexes[i] * TYPE_BYTES, 4);
	}
	if (length - used > 2 && bytes[used] == '\n') {
		text = alloc_bytes(bytes + used + 1, length - used - 1);
		text[strcspn(text, "\n")] = '\0';
		if (!later_read(text, &result->later))
			result->later.known = false;
	}
	return result;
}

/* Says whether the name stays below the directory of zones. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length && length <= NAME_MAX_BYTES && *name != '/' && !strstr(name, "..") &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") ==
		       length;
}

static size_t file_read(const char *path, unsigned char *bytes, size_t room)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t length = 0;
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && length < room) {
		got = read(fd, bytes + length, room - length);
		if (got > 0)
			length += (size_t)got;
	}
	return got < 0 ? 0 : length;
}

/* Reads the zone of that name. NULL: there is none, or its file is not a zone file. */
static struct date_transitions *transitions_read(const char *name)
{
	cleanup_free unsigned char *bytes = NULL;
	cleanup_free char *path = NULL;
	struct header header;
	size_t length;
	size_t second;

	if (!is_name(name))
		return NULL;
	path = alloc_format(ZONE_DIRECTORY "%s", name);
	bytes = alloc_array(FILE_BYTES_MAX, 1);
	length = file_read(path, bytes, FILE_BYTES_MAX);
	if (!header_read(bytes, length, &header))
		return NULL;
	second = HEADER_BYTES + block_bytes(&header, 4);
	if (second >= length || !header_read(bytes + second, length - second, &header))
		return NULL;
	second += HEADER_BYTES;
	return block_read(&header, bytes + second, length - second);
}

/* The offset in seconds east of UTC at a time. */
static int transitions_at(const struct date_transitions *transitions, int64_t at_s)
{
	size_t low = 0;
	size_t high = transitions->count; /* changes before index low are at or before at_s */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (transitions->at_s[middle] <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == transitions->count && transitions->later.known)
		return later_at(&transitions->later, at_s);
	return low ? transitions->offset_s[low - 1] : transitions->first_s;
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
		return 0;
	}
	if (date_zone_read(name, strlen(name), &zone->offset_s)) {
		zone->kind = DATE_ZONE_FIXED;
		return 0;
	}
	zone->transitions = transitions_read(name);
	if (zone->transitions) {
		zone->kind = DATE_ZONE_NAMED;
		return 0;
	}
	return error_set(err,
		"logtimezone: '%s' is no time zone: write UTC, UTC+02:00, an abbreviation such as CET, or a "
		"name such as Europe/Berlin",
		text_shown_string(name).text);
}

void date_zone_done(struct date_zone *zone)
{
	if (zone->transitions) {
		free(zone->transitions->at_s);
		free(zone->transitions->offset_s);
	}
	free(zone->transitions);
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
		return transitions_at(zone->transitions, at_s);
	}
	return 0;
}
