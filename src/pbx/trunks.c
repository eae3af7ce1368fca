#include "pbx/trunks.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "pbx/conf.h"
#include "pbx/conf_line.h"
#include "pbx/host_port.h"
#include "pbx/sources.h"

enum { SECTION_SHOWN_MAX = 40, FILE_SHOWN_MAX = 40 };

/* Where a trunk is from. */
struct origin {
	enum pbx_trunk_kind kind;
	const struct conf_section *section;
	const struct conf_value *value;
};

/* ---- one trunk ---- */

static bool is_known(const struct pbx *pbx, const struct host_port *host)
{
	for (size_t i = 0; i < pbx->n_trunks; i++) {
		const struct pbx_trunk *trunk = &pbx->trunks[i];

		if (trunk->name ? strcmp(trunk->name, host->name) == 0
				: ip_equal(&trunk->ip, &host->ip))
			return true;
	}
	return false;
}

/* The path as an operator who knows the directory would call it. */
static const char *short_path(const struct pbx *pbx, const char *path)
{
	size_t length = strlen(pbx->dir);

	return strncmp(path, pbx->dir, length) == 0 && path[length] == '/' ? path + length + 1
									   : path;
}

static void because(const struct pbx *pbx, const struct origin *origin, char out[PBX_BECAUSE_MAX])
{
	char section[SECTION_SHOWN_MAX];
	char file[FILE_SHOWN_MAX];

	text_format(out, PBX_BECAUSE_MAX, "trunk '%s' in %s:%u",
		text_render_string(section, sizeof(section), origin->section->name),
		text_render_string(file, sizeof(file), short_path(pbx, origin->value->at.file)),
		origin->value->at.line);
}

static bool is_wide(const struct ip *ip)
{
	return ip->bits < (ip->family == 4 ? PBX_TRUNK_BITS4_MIN : PBX_TRUNK_BITS6_MIN);
}

static void trunk_add(struct trunks *trunks, const struct origin *origin,
	const struct host_port *host)
{
	struct pbx *pbx = trunks->pbx;
	struct pbx_trunk *trunk;

	if (host->ip.family && is_wide(&host->ip)) {
		if (!trunks->n_wide++) {
			trunks->first_wide = origin->value->at;
			trunks->wide = host->ip;
		}
		return;
	}
	if (host->ip.family && ip_is_special(&host->ip))
		return;
	if (pbx->n_trunks == PBX_TRUNKS_MAX || trunks->n_hosts++ >= PBX_HOSTS_MAX) {
		trunks->n_left_out++;
		return;
	}
	if (is_known(pbx, host))
		return;
	if (!pbx->trunks)
		pbx->trunks = alloc_array(PBX_TRUNKS_MAX, sizeof(*pbx->trunks));
	trunk = &pbx->trunks[pbx->n_trunks++];
	trunk->kind = origin->kind;
	trunk->ip = host->ip;
	trunk->name = host->ip.family ? NULL : alloc_string(host->name);
	trunk->at = origin->value->at;
	because(pbx, origin, trunk->because);
}

/* text is "HOST[:PORT]" or a network. What is neither is a warning, unless it is a reference such
 * as ${REMOTE_HOST}. */
static void host_add(struct trunks *trunks, const struct origin *origin, const char *text,
	size_t length)
{
	struct host_port host;

	if (!length || memchr(text, '$', length))
		return;
	if (host_port_parse(text, length, &host) == 0)
		trunk_add(trunks, origin, &host);
	else /* the text is not shown: it may be a part of a password */
		sources_warn(trunks->sources, &origin->value->at,
			"this names no address, network or host: nobody is protected by it");
}

/* ---- the forms of values ---- */

/* A list of hosts or networks. What begins with ! is excluded by it. */
static void list_add(struct trunks *trunks, const struct origin *origin)
{
	cleanup_free char *text = alloc_string(origin->value->text);
	char *rest = text;
	char *word;

	while ((word = conf_line_word(&rest, ',')))
		if (word[0] != '!')
			host_add(trunks, origin, word, strlen(word));
}

/* A list of SIP URIs. */
static void uris_add(struct trunks *trunks, const struct origin *origin)
{
	cleanup_free char *text = alloc_string(origin->value->text);
	char *rest = text;
	char *word;

	while ((word = conf_line_word(&rest, ','))) {
		size_t length;
		const char *host = host_port_of_uri(word, &length);

		if (host)
			host_add(trunks, origin, host, length);
	}
}

/* [transport://]HOST[:PORT][;transport][,force], or a SIP URI */
static void proxy_add(struct trunks *trunks, const struct origin *origin)
{
	const char *text = origin->value->text;
	const char *scheme = strstr(text, "://");
	size_t length;
	const char *host = host_port_of_uri(text, &length);

	if (!host) {
		host = scheme ? scheme + strlen("://") : text;
		length = strcspn(host, ",; \t");
	}
	host_add(trunks, origin, host, length);
}

/* [peer?][transport://]user[@domain][:secret[:authuser]]@HOST[:PORT][/extension][~expiry] of sip,
 * user[:secret]@HOST[:PORT][?options] of iax */
static void register_add(struct trunks *trunks, const struct origin *origin)
{
	const char *at = strrchr(origin->value->text, '@');

	if (at)
		host_add(trunks, origin, at + 1, strcspn(at + 1, "/~? \t"));
}

/* ---- sections ---- */

/* What a key of pjsip means in an object of some type. */
static const struct {
	const char *type;
	enum conf_key key;
	enum pbx_trunk_kind kind;
	void (*add)(struct trunks *trunks, const struct origin *origin);
	bool adds; /* later values add to earlier ones; else only the last counts */
} pjsip_rows[] = {
	{ "identify", CONF_MATCH, PBX_MATCH, list_add, true },
	{ "aor", CONF_CONTACT, PBX_CONTACT, uris_add, true },
	{ "aor", CONF_OUTBOUND_PROXY, PBX_PROXY, proxy_add, false },
	{ "endpoint", CONF_OUTBOUND_PROXY, PBX_PROXY, proxy_add, false },
	{ "registration", CONF_SERVER_URI, PBX_SERVER, uris_add, false },
	{ "registration", CONF_OUTBOUND_PROXY, PBX_PROXY, proxy_add, false },
	{ "wizard", CONF_REMOTE_HOSTS, PBX_REMOTE_HOSTS, list_add, false },
	{ "wizard", CONF_MATCH, PBX_MATCH, list_add, true },
	{ "wizard", CONF_CONTACT, PBX_CONTACT, uris_add, true },
	{ "wizard", CONF_SERVER_URI, PBX_SERVER, uris_add, false },
	{ "wizard", CONF_OUTBOUND_PROXY, PBX_PROXY, proxy_add, false },
};

static void pjsip_value(struct trunks *trunks, const struct conf_section *section,
	const struct conf_value *value, const char *type)
{
	const struct conf_value *last = conf_last(section, value->key);

	for (size_t i = 0; i < sizeof(pjsip_rows) / sizeof(pjsip_rows[0]); i++)
		if (pjsip_rows[i].key == value->key && strcasecmp(pjsip_rows[i].type, type) == 0 &&
			(pjsip_rows[i].adds || value == last))
			pjsip_rows[i].add(trunks,
				&(struct origin){ pjsip_rows[i].kind, section, value });
}

void trunks_of_pjsip(struct trunks *trunks, const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_sections; i++) {
		const struct conf_section *section = conf->sections[i];
		const char *type = conf_text(section, CONF_TYPE);

		for (size_t k = 0; !section->is_template && k < section->n_values; k++)
			pjsip_value(trunks, section, &section->values[k], type);
	}
}

static void peer_value(struct trunks *trunks, const struct conf_section *section,
	const struct conf_value *value)
{
	struct origin origin = { .section = section, .value = value };
	bool is_last = value == conf_last(section, value->key);
	bool is_general = strcasecmp(section->name, "general") == 0;

	if (value->key == CONF_REGISTER && is_general) {
		origin.kind = PBX_REGISTER;
		register_add(trunks, &origin);
	} else if (value->key == CONF_OUTBOUND_PROXY && is_last) {
		origin.kind = PBX_PROXY;
		proxy_add(trunks, &origin);
	} else if (value->key == CONF_HOST && is_last && !is_general) {
		origin.kind = PBX_HOST;
		if (strcasecmp(value->text, "dynamic") != 0)
			host_add(trunks, &origin, value->text, strlen(value->text));
	} else if (value->key == CONF_PERMIT && !is_general && conf_last(section, CONF_DENY)) {
		origin.kind = PBX_PERMIT;
		list_add(trunks, &origin);
	}
}

void trunks_of_peers(struct trunks *trunks, const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_sections; i++) {
		const struct conf_section *section = conf->sections[i];

		for (size_t k = 0; !section->is_template && k < section->n_values; k++)
			peer_value(trunks, section, &section->values[k]);
	}
}

void trunks_warn(const struct trunks *trunks)
{
	struct position whole = { .file = trunks->pbx->dir };
	char address[IP_TEXT_MAX];

	if (trunks->n_wide)
		sources_warn(trunks->sources, &trunks->first_wide,
			"%s is no trunk: an IPv4 network wider than /%d or an IPv6 network wider "
			"than /%d protects nobody (%zu such)",
			ip_format(&trunks->wide, address), PBX_TRUNK_BITS4_MIN, PBX_TRUNK_BITS6_MIN,
			trunks->n_wide);
	if (trunks->n_left_out)
		sources_warn(trunks->sources, &whole, "more than %d trunks: %zu are left out",
			PBX_TRUNKS_MAX, trunks->n_left_out);
}
