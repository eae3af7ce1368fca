#include "pbx/pbx_fixture.h"

#include <netinet/in.h>

#include "pbx/pbx.h"

/* ---- trunks and listeners as text ---- */

static const char *const kinds[] = { [PBX_MATCH] = "match",
	[PBX_CONTACT] = "contact",
	[PBX_SERVER] = "server",
	[PBX_PROXY] = "proxy",
	[PBX_REMOTE_HOSTS] = "remote",
	[PBX_HOST] = "host",
	[PBX_PERMIT] = "permit",
	[PBX_REGISTER] = "register" };

/* "HOST KIND BECAUSE" */
static void trunks_text(const struct pbx *pbx, char out[OUT_BYTES])
{
	out[0] = '\0';
	for (size_t i = 0; i < pbx->n_trunks; i++) {
		const struct pbx_trunk *trunk = &pbx->trunks[i];
		char address[IP_TEXT_MAX];

		assert_int_equal(trunk->name == NULL, trunk->ip.family != 0);
		add_text(out, "%s %s %s\n",
			trunk->name ? trunk->name : ip_format(&trunk->ip, address),
			kinds[trunk->kind], trunk->because);
	}
}

/* "SERVICE PROTOCOL [ADDRESS:]PORT FILE:LINE", or "default" */
static void listeners_text(const struct pbx *pbx, char out[OUT_BYTES])
{
	out[0] = '\0';
	for (size_t i = 0; i < pbx->n_listeners; i++) {
		const struct pbx_listener *listener = &pbx->listeners[i];
		char address[IP_TEXT_MAX] = "";

		if (listener->address.family)
			ip_format(&listener->address, address);
		add_text(out, "%s %s %s%s%u ", pbx_service_name(listener->service),
			listener->protocol == IPPROTO_UDP ? "udp" : "tcp", address,
			address[0] ? " " : "", listener->port);
		if (listener->at.file)
			add_text(out, "%s:%u\n", strrchr(listener->at.file, '/') + 1,
				listener->at.line);
		else
			add_text(out, "default\n");
	}
}

#define SIP_DEFAULT                                                                                \
	"SIP udp 5060 default\nSIP udp 5061 default\nSIP udp 5160 default\nSIP udp 5161 default\n" \
	"SIP tcp 5060 default\nSIP tcp 5061 default\nSIP tcp 5160 default\nSIP tcp 5161 default\n"
#define IAX_DEFAULT "IAX udp 4569 default\n"
#define AMI_DEFAULT "AMI tcp 5038 default\nAMI tcp 5039 default\n"
#define HTTP_DEFAULT "HTTP tcp 8088 default\nHTTP tcp 8089 default\n"
#define OTHER_DEFAULT IAX_DEFAULT AMI_DEFAULT HTTP_DEFAULT

static void compare(const char *what, const char *seen, const char *expected)
{
	if (strcmp(seen, expected) != 0)
		fail_msg("%s:\n%s", what, seen);
}

static void check(const char *what, const char *dir, const char *trunks, const char *listeners,
	const char *warnings)
{
	struct findings findings = { 0 };
	struct pbx *pbx = pbx_read(dir, &findings);
	char out[OUT_BYTES];

	trunks_text(pbx, out);
	compare(what, out, trunks);
	if (listeners) {
		listeners_text(pbx, out);
		compare(what, out, listeners);
	}
	findings_text(&findings, dir, out);
	compare(what, out, warnings);
	pbx_free(pbx);
	findings_done(&findings);
}

/* ---- trunks ---- */

static const struct {
	const char *what;
	const char *file;
	const char *text;
	const char *trunks;
	const char *warnings;
} trunk_rows[] = {
	{ "an identify", "pjsip.conf", "[p]\ntype=identify\nmatch=198.51.100.1\n",
		"198.51.100.1 match trunk 'p' in pjsip.conf:3\n", "" },
	{ "lists, masks, ports, names, several lines", "pjsip.conf",
		"[p]\ntype=identify\nmatch=198.51.100.1 , 198.51.100.128/25,"
		"198.51.100.16/255.255.255.240\n"
		"match=3.2.1.0:5061/24,Sip.Example.org:5060,[2001:db8::1]:5060,2001:db8:1::/48\n",
		"198.51.100.1 match trunk 'p' in pjsip.conf:3\n"
		"198.51.100.128/25 match trunk 'p' in pjsip.conf:3\n"
		"198.51.100.16/28 match trunk 'p' in pjsip.conf:3\n"
		"3.2.1.0/24 match trunk 'p' in pjsip.conf:4\n"
		"sip.example.org match trunk 'p' in pjsip.conf:4\n"
		"2001:db8::1 match trunk 'p' in pjsip.conf:4\n"
		"2001:db8:1::/48 match trunk 'p' in pjsip.conf:4\n",
		"" },
	{ "too wide for a trunk", "pjsip.conf",
		"[p]\ntype=identify\nmatch=0.0.0.0/0\nmatch=10.0.0.0/15,10.2.0.0/16\n"
		"match=::/0,2001:db8::/31,2001:dba::/32\n",
		"10.2.0.0/16 match trunk 'p' in pjsip.conf:4\n"
		"2001:dba::/32 match trunk 'p' in pjsip.conf:5\n",
		"/pjsip.conf:3:1: warning: 0.0.0.0/0 is no trunk: an IPv4 network wider than /16 "
		"or an IPv6 network wider than /32 protects nobody (4 such)\n" },
	{ "what is excluded, what is empty, loopback", "pjsip.conf",
		"[p]\ntype=identify\nmatch=!198.51.100.1,,127.0.0.1,::1,\nmatch=\n", "", "" },
	{ "what is nothing", "pjsip.conf", "[p]\ntype=identify\nmatch=192.0.2.256,a b,192.0.2.1\n",
		"192.0.2.1 match trunk 'p' in pjsip.conf:3\n",
		"/pjsip.conf:3:1: warning: this names no address, network or host: nobody is "
		"protected by it\n" },
	{ "the same again", "pjsip.conf",
		"[p]\ntype=identify\nmatch=192.0.2.1,a.example\n[q]\ntype=aor\n"
		"contact=sip:192.0.2.1,sip:A.example.,sip:192.0.2.2\n",
		"192.0.2.1 match trunk 'p' in pjsip.conf:3\n"
		"a.example match trunk 'p' in pjsip.conf:3\n"
		"192.0.2.2 contact trunk 'q' in pjsip.conf:6\n",
		"" },
	{ "a key counts in an object of its type only", "pjsip.conf",
		"[p]\nmatch=192.0.2.1\n[q]\ntype=endpoint\nmatch=192.0.2.2\ncontact=sip:192.0.2.3\n"
		"remote_hosts=192.0.2.4\nhost=192.0.2.5\n[r]\ntype=auth\n"
		"outbound_proxy=sip:192.0.2.6\n[s](!)\ntype=identify\nmatch=192.0.2.7\n",
		"", "" },
	{ "the type and the rest come from templates", "pjsip.conf",
		"[t](!)\ntype=identify\nmatch=192.0.2.1\n[p](t)\nmatch=192.0.2.2\n[q](t)\n",
		"192.0.2.1 match trunk 'p' in pjsip.conf:3\n"
		"192.0.2.2 match trunk 'p' in pjsip.conf:5\n",
		"" },
	{ "objects of one name", "pjsip.conf",
		"[p]\ntype=endpoint\n[p]\ntype=aor\ncontact=sip:192.0.2.1\n[p]\ntype=identify\n"
		"match=192.0.2.2\n",
		"192.0.2.1 contact trunk 'p' in pjsip.conf:5\n"
		"192.0.2.2 match trunk 'p' in pjsip.conf:8\n",
		"" },
	{ "contacts add, other settings count with their last value", "pjsip.conf",
		"[p]\ntype=aor\ncontact=sip:u@192.0.2.1:5060\ncontact=sip:192.0.2.2\\;x\n"
		"outbound_proxy=sip:192.0.2.3\noutbound_proxy=sip:192.0.2.4\\;lr\n[p]\n"
		"type=registration\nserver_uri=sip:192.0.2.5\nserver_uri=sips:a.example:5061\n"
		"client_uri=sip:192.0.2.6\noutbound_proxy=sip:192.0.2.7\n[p]\ntype=endpoint\n"
		"outbound_proxy=<sip:192.0.2.8\\;lr>\n",
		"192.0.2.1 contact trunk 'p' in pjsip.conf:3\n"
		"192.0.2.2 contact trunk 'p' in pjsip.conf:4\n"
		"192.0.2.4 proxy trunk 'p' in pjsip.conf:6\n"
		"a.example server trunk 'p' in pjsip.conf:10\n"
		"192.0.2.7 proxy trunk 'p' in pjsip.conf:12\n"
		"192.0.2.8 proxy trunk 'p' in pjsip.conf:15\n",
		"" },
	{ "an empty value takes an earlier one back", "pjsip.conf",
		"[p]\ntype=registration\nserver_uri=sip:192.0.2.5\nserver_uri=\n", "", "" },
	{ "a wizard", "pjsip_wizard.conf",
		"[p]\ntype=wizard\nremote_hosts=192.0.2.1:5060,a.example\n"
		"outbound_proxy=sip:192.0.2.2\nregistration/server_uri=sip:192.0.2.3\n"
		"identify/match=192.0.2.4\naor/contact=sip:${REMOTE_HOST}\naor/contact=sip:192.0.2.5\n",
		"192.0.2.1 remote trunk 'p' in pjsip_wizard.conf:3\n"
		"a.example remote trunk 'p' in pjsip_wizard.conf:3\n"
		"192.0.2.2 proxy trunk 'p' in pjsip_wizard.conf:4\n"
		"192.0.2.3 server trunk 'p' in pjsip_wizard.conf:5\n"
		"192.0.2.4 match trunk 'p' in pjsip_wizard.conf:6\n"
		"192.0.2.5 contact trunk 'p' in pjsip_wizard.conf:8\n",
		"" },
	{ "peers of sip.conf", "sip.conf",
		"[general]\nhost=192.0.2.1\npermit=192.0.2.2\ndeny=all\n[p]\nhost=192.0.2.3\n[q]\n"
		"host=dynamic\n[r]\nhost=192.0.2.4\nhost=r.example\n",
		"192.0.2.3 host trunk 'p' in sip.conf:6\n"
		"r.example host trunk 'r' in sip.conf:11\n",
		"" },
	{ "permit counts beside deny", "sip.conf",
		"[p]\nhost=dynamic\npermit=192.0.2.1\n[q]\nhost=dynamic\ndeny=0.0.0.0/0\n"
		"permit=192.0.2.2,!192.0.2.3\npermit=192.0.2.16/255.255.255.240\n"
		"permit=0.0.0.0/0.0.0.0\n",
		"192.0.2.2 permit trunk 'q' in sip.conf:7\n"
		"192.0.2.16/28 permit trunk 'q' in sip.conf:8\n",
		"/sip.conf:9:1: warning: 0.0.0.0/0 is no trunk: an IPv4 network wider than /16 or "
		"an IPv6 network wider than /32 protects nobody (1 such)\n" },
	{ "registrations of sip.conf", "sip.conf",
		"[general]\nregister => 4711@192.0.2.1\nregister => p?udp://4711:se@cr:et/x@a.example:"
		"5070/4711~600\nregister=>tls://u@domain.example:pw:auth@[2001:db8::1]:5061/x\n"
		"register => nobody\n[x]\nregister => u@192.0.2.9\n",
		"192.0.2.1 register trunk 'general' in sip.conf:2\n"
		"a.example register trunk 'general' in sip.conf:3\n"
		"2001:db8::1 register trunk 'general' in sip.conf:4\n",
		"" },
	{ "proxies of sip.conf", "sip.conf",
		"[general]\noutboundproxy=a.example:5060,force\n[p]\n"
		"outboundproxy=tls://192.0.2.1\n[q]\noutboundproxy=192.0.2.2;transport=tcp\n",
		"a.example proxy trunk 'general' in sip.conf:2\n"
		"192.0.2.1 proxy trunk 'p' in sip.conf:4\n"
		"192.0.2.2 proxy trunk 'q' in sip.conf:6\n",
		"" },
	{ "iax.conf", "iax.conf",
		"[general]\nregister => u:secret@192.0.2.1:4569?x\nregister => u@a.example?x\n[p]\n"
		"type=peer\nhost=192.0.2.2\n[q]\nhost=dynamic\ndeny=0.0.0.0/0\npermit=192.0.2.3\n",
		"192.0.2.1 register trunk 'general' in iax.conf:2\n"
		"a.example register trunk 'general' in iax.conf:3\n"
		"192.0.2.2 host trunk 'p' in iax.conf:6\n"
		"192.0.2.3 permit trunk 'q' in iax.conf:10\n",
		"" },
	{ "a secret is never shown", "sip.conf",
		"[general]\nregister => u:sec@ret phrase@b..c/x\n[p]\nhost=not-so secret\n", "",
		"/sip.conf:2:1: warning: this names no address, network or host: nobody is protected "
		"by it\n"
		"/sip.conf:4:1: warning: this names no address, network or host: nobody is protected "
		"by it\n" },
	{ "names are shown safely and cut", "pjsip.conf",
		"[x\x1b[2Jx-------------------------------------------------------------]\n"
		"type=identify\nmatch=192.0.2.1\n",
		"192.0.2.1 match trunk 'x\\x1b[2Jx---------------------------...' in pjsip.conf:3\n",
		"" },
};

static void rows_give_trunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(trunk_rows) / sizeof(trunk_rows[0]); i++) {
		char dir[DIR_BYTES];

		dir_make(dir);
		put(dir, trunk_rows[i].file, trunk_rows[i].text);
		check(trunk_rows[i].what, dir, trunk_rows[i].trunks, NULL, trunk_rows[i].warnings);
		dir_remove(dir);
	}
}

static void trunks_have_a_limit(void **state)
{
	struct findings findings = { 0 };
	char dir[DIR_BYTES];
	char *text = NULL;
	size_t length = 0;
	struct pbx *pbx;
	FILE *stream = open_memstream(&text, &length);

	(void)state;
	assert_non_null(stream);
	(void)fprintf(stream, "[p]\ntype=identify\n");
	for (unsigned i = 0; i < PBX_TRUNKS_MAX + 3; i++)
		(void)fprintf(stream, "match=198.51.%u.%u\n", i / 256, i % 256);
	assert_int_equal(fclose(stream), 0);
	dir_make(dir);
	put(dir, "pjsip.conf", text);
	pbx = pbx_read(dir, &findings);
	assert_int_equal(pbx->n_trunks, PBX_TRUNKS_MAX);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.list[0].text, "more than 1024 trunks: 3 are left out");
	pbx_free(pbx);
	findings_done(&findings);
	dir_remove(dir);
	free(text);
}

/* ---- listeners ---- */

static const struct {
	const char *what;
	const char *file;
	const char *text;
	const char *listeners;
} listener_rows[] = {
	{ "no file at all", "other.conf", "", SIP_DEFAULT OTHER_DEFAULT },
	{ "transports", "pjsip.conf",
		"[u]\ntype=transport\nbind=0.0.0.0\n[v]\ntype=transport\nprotocol=tcp\n"
		"bind=192.0.2.1:5070\n[w]\ntype=transport\nprotocol=TLS\nbind=[::]\n[x]\n"
		"type=transport\nprotocol=tls\nbind=[2001:db8::1]:5081\n",
		"SIP udp 5060 pjsip.conf:3\nSIP tcp 192.0.2.1 5070 pjsip.conf:7\n"
		"SIP tcp 5061 pjsip.conf:11\nSIP tcp 2001:db8::1 5081 pjsip.conf:15\n" OTHER_DEFAULT },
	{ "no transports: templates, other types, ws, without bind", "pjsip.conf",
		"[t](!)\ntype=transport\nbind=0.0.0.0:1\n[u]\ntype=transport\n[v]\ntype=transport\n"
		"protocol=wss\nbind=0.0.0.0:2\n[w]\ntype=endpoint\nbind=0.0.0.0:3\n[x](t)\n",
		"SIP udp 1 pjsip.conf:3\n" OTHER_DEFAULT },
	{ "pjsip without a transport", "pjsip.conf", "[x]\ntype=endpoint\n",
		SIP_DEFAULT OTHER_DEFAULT },
	{ "the same address twice", "pjsip.conf",
		"[u]\ntype=transport\nbind=0.0.0.0\n[v]\ntype=transport\nbind=0.0.0.0:5060\n",
		"SIP udp 5060 pjsip.conf:3\n" OTHER_DEFAULT },
	{ "a bind that is a name, or nothing", "pjsip.conf",
		"[u]\ntype=transport\nbind=pbx.example:5070\n[v]\ntype=transport\nbind=x y\n",
		"SIP udp 5070 pjsip.conf:3\nSIP udp 5060 pjsip.conf:6\n" OTHER_DEFAULT },
	{ "sip.conf as it is", "sip.conf", "[general]\nhost=x\n",
		"SIP udp 5060 sip.conf:2\n" OTHER_DEFAULT },
	{ "sip.conf is empty", "sip.conf", "", "SIP udp 5060 default\n" OTHER_DEFAULT },
	{ "sip.conf, all of it", "sip.conf",
		"[general]\nbindport=5160\nudpbindaddr=192.0.2.1\ntcpenable=yes\ntlsenable=yes\n",
		"SIP udp 192.0.2.1 5160 sip.conf:3\nSIP tcp 192.0.2.1 5160 sip.conf:3\n"
		"SIP tcp 192.0.2.1 5061 sip.conf:3\n" OTHER_DEFAULT },
	{ "sip.conf, addresses with ports", "sip.conf",
		"[general]\nbindport=5160\nbindaddr=0.0.0.0:5170\ntcpenable=yes\n"
		"tcpbindaddr=192.0.2.1:5180\ntlsenable=no\ntlsbindaddr=192.0.2.1:5190\n",
		"SIP udp 5170 sip.conf:3\nSIP tcp 192.0.2.1 5180 sip.conf:5\n" OTHER_DEFAULT },
	{ "iax.conf", "iax.conf", "[general]\nbindport=4570\n", "IAX udp 4570 iax.conf:2\n" },
	{ "iax.conf, several addresses", "iax.conf",
		"[general]\nbindaddr=192.0.2.1\nbindaddr=192.0.2.2:4580\n",
		"IAX udp 192.0.2.1 4569 iax.conf:2\n"
		"IAX udp 192.0.2.2 4580 iax.conf:3\n" },
	{ "manager.conf is off", "manager.conf", "[general]\nport=5038\ntlsenable=yes\n",
		SIP_DEFAULT IAX_DEFAULT HTTP_DEFAULT },
	{ "manager.conf is on", "manager.conf",
		"[general]\nenabled=yes\nport=5048\nbindaddr=127.0.0.1\ntlsenable=yes\n",
		"AMI tcp 127.0.0.1 5048 manager.conf:4\n"
		"AMI tcp 127.0.0.1 5039 manager.conf:4\n" },
	{ "http.conf", "http.conf",
		"[general]\nenabled=no\ntlsenable=yes\nbindaddr=127.0.0.1\ntlsbindaddr=0.0.0.0:443\n",
		"HTTP tcp 443 http.conf:5\n" },
	{ "http.conf, plain alone", "http.conf", "[general]\nenabled=yes\nbindport=80\n",
		"HTTP tcp 80 http.conf:3\n" },
	{ "an include that is missing", "sip.conf", "[general]\n#include other.conf\n",
		"SIP udp 5060 default\n" },
};

/* Expected lines all stand in the list, and no others of their service do. */
static void check_listeners(const char *what, const char *expected, const char *seen)
{
	if (!strstr(seen, expected))
		fail_msg("%s:\n%s", what, seen);
	for (const char *line = seen; *line; line += strcspn(line, "\n") + 1)
		if (strncmp(line, expected, 3) == 0 && !strstr(expected, "default")) {
			char copy[128];

			(void)snprintf(copy, sizeof(copy), "%.*s\n", (int)strcspn(line, "\n"),
				line);
			if (!strstr(expected, copy))
				fail_msg("%s: also %s", what, copy);
		}
}

static void rows_give_listeners(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(listener_rows) / sizeof(listener_rows[0]); i++) {
		struct findings findings = { 0 };
		char out[OUT_BYTES];
		char dir[DIR_BYTES];
		struct pbx *pbx;

		dir_make(dir);
		put(dir, listener_rows[i].file, listener_rows[i].text);
		pbx = pbx_read(dir, &findings);
		listeners_text(pbx, out);
		check_listeners(listener_rows[i].what, listener_rows[i].listeners, out);
		pbx_free(pbx);
		findings_done(&findings);
		dir_remove(dir);
	}
}

/* ---- whole configurations ---- */

static void a_directory_that_is_not_there(void **state)
{
	(void)state;
	check("none", "/nonexistent/asterisk", "", SIP_DEFAULT OTHER_DEFAULT, "");
}

static void as_freepbx_writes_it(void **state)
{
	(void)state;
	check("freepbx", "tests/pbx/freepbx",
		"sbc.provider-one.example proxy trunk 'Provider-One' in pjsip.endpoint.conf:20\n"
		"sip.provider-one.example contact trunk 'Provider-One' in pjsip.aor.conf:14\n"
		"198.51.100.30 contact trunk 'branch' in pjsip.aor.conf:19\n"
		"198.51.100.31 contact trunk 'branch' in pjsip.aor_custom_post.conf:5\n"
		"203.0.113.77 proxy trunk 'Provider-One' in pjsip.registration.conf:11\n"
		"203.0.113.8/29 match trunk 'Provider-Two' in pjsip.identify_custom.conf:7\n"
		"2001:db8:77::5 match trunk 'Provider-Two' in pjsip.identify_custom.conf:8\n"
		"198.51.100.0/28 match trunk 'Provider-One' in pjsip.identify.conf:9\n"
		"198.51.100.16/28 match trunk 'Provider-One' in pjsip.identify.conf:9\n"
		"iax.office.example register trunk 'general' in iax_registrations.conf:4\n"
		"198.51.100.99 host trunk 'office' in iax_additional.conf:11\n",
		"SIP udp 5060 pjsip.transports.conf:9\n"
		"SIP tcp 5061 pjsip.transports.conf:20\n"
		"IAX udp 4569 iax_general_additional.conf:5\n"
		"AMI tcp 5038 manager.conf:7\n"
		"HTTP tcp 127.0.0.1 8088 http_additional.conf:6\n"
		"HTTP tcp 8089 http_additional.conf:10\n",
		"/pjsip.identify.conf:14:1: warning: 0.0.0.0/0 is no trunk: an IPv4 network wider "
		"than /16 or an IPv6 network wider than /32 protects nobody (2 such)\n");
}

static void as_a_person_writes_it(void **state)
{
	(void)state;
	check("plain", "tests/pbx/plain",
		"198.51.100.64/29 match trunk 'provider-north' in pjsip.conf:22\n"
		"south.provider.example match trunk 'provider-south' in pjsip.conf:25\n"
		"sip1.carrier.example remote trunk 'carrier' in pjsip_wizard.conf:8\n"
		"203.0.113.20 remote trunk 'carrier' in pjsip_wizard.conf:8\n"
		"reg.carrier.example server trunk 'carrier' in pjsip_wizard.conf:9\n"
		"203.0.113.21 proxy trunk 'carrier' in pjsip_wizard.conf:10\n"
		"proxy.oldcarrier.example proxy trunk 'general' in sip.conf:7\n"
		"sip.oldcarrier.example register trunk 'general' in sip.conf:8\n"
		"203.0.113.40 register trunk 'general' in sip.conf:9\n"
		"203.0.113.41 host trunk 'oldcarrier' in sip.conf:15\n"
		"203.0.113.48/29 permit trunk 'oldcarrier' in sip.conf:17\n",
		"SIP udp 192.0.2.10 5070 pjsip.conf:4\n"
		"SIP tcp 5061 pjsip.conf:9\n"
		"SIP udp 5160 sip.conf:2\n"
		"SIP tcp 5160 sip.conf:2\n"
		"SIP tcp 5161 sip.conf:6\n" OTHER_DEFAULT,
		"");
}

/* ---- files and their changes ---- */

/* What could not be read may have said more: the defaults are there, too. */
static void unreadable_files(void **state)
{
	struct findings findings = { 0 };
	char out[OUT_BYTES];
	char dir[DIR_BYTES];
	const struct pbx_file *second;
	struct pbx *pbx;

	(void)state;
	dir_make(dir);
	put_bytes(dir, "more.conf", "\0", 1);
	put(dir, "pjsip.conf", "[u]\ntype=transport\nbind=0.0.0.0:5099\n#include more.conf\n");
	put(dir, "iax.conf", "#tryinclude none.conf\n");
	put(dir, "pjsip_wizard.conf", "#include peers.d/*.conf\n");
	put(dir, "peers.d", "no directory\n");
	pbx = pbx_read(dir, &findings);
	listeners_text(pbx, out);
	compare("the listeners", out,
		"SIP udp 5099 pjsip.conf:3\nIAX udp 4569 default\n" SIP_DEFAULT AMI_DEFAULT
			HTTP_DEFAULT);
	assert_string_equal(strrchr(pbx_unreadable(pbx, NULL)->path, '/'), "/more.conf");
	assert_int_equal(pbx_unreadable(pbx, NULL)->error, EILSEQ);
	second = pbx_unreadable(pbx, pbx_unreadable(pbx, NULL));
	assert_string_equal(strrchr(second->path, '/'), "/peers.d");
	assert_int_equal(second->error, ENOTDIR);
	assert_null(pbx_unreadable(pbx, second));
	out[0] = '\0';
	for (size_t i = 0; i < pbx->n_files; i++)
		add_text(out, "%s %d\n", strrchr(pbx->files[i].path, '/') + 1, pbx->files[i].error);
	compare("the files", out,
		"pjsip.conf 0\nmore.conf 84\npjsip_wizard.conf 0\npeers.d 20\nsip.conf 2\niax.conf 0\n"
		"none.conf 2\nmanager.conf 2\nhttp.conf 2\n");
	pbx_free(pbx);
	findings_done(&findings);
	dir_remove(dir);
}

static bool is_changed(const struct pbx *pbx)
{
	return pbx_stamp(pbx) != pbx_stamp_now(pbx);
}

static struct pbx *read_again(struct pbx *pbx, const char *dir)
{
	struct findings findings = { 0 };

	pbx_free(pbx);
	pbx = pbx_read(dir, &findings);
	findings_done(&findings);
	assert_false(is_changed(pbx));
	return pbx;
}

static void changes_are_seen(void **state)
{
	struct pbx *pbx;
	char dir[DIR_BYTES];
	char path[128];

	(void)state;
	dir_make(dir);
	put(dir, "pjsip.conf", "#tryinclude none.conf\n#include sub/*.conf\n");
	put(dir, "sub/a.conf", "");
	pbx = read_again(NULL, dir);
	put(dir, "other.conf", "");
	assert_false(is_changed(pbx));
	put(dir, "sub/a.conf", "[x]\n");
	assert_true(is_changed(pbx));
	pbx = read_again(pbx, dir);
	put(dir, "none.conf", "");
	assert_true(is_changed(pbx));
	pbx = read_again(pbx, dir);
	put(dir, "sub/b.conf", ""); /* a new name that the wildcard takes */
	assert_true(is_changed(pbx));
	pbx = read_again(pbx, dir);
	put(dir, "iax.conf", "");
	assert_true(is_changed(pbx));
	pbx = read_again(pbx, dir);
	(void)snprintf(path, sizeof(path), "%s/pjsip.conf", dir);
	assert_int_equal(chmod(path, 0400), 0);
	assert_true(is_changed(pbx));
	pbx = read_again(pbx, dir);
	assert_int_equal(unlink(path), 0);
	assert_true(is_changed(pbx));
	pbx_free(pbx);
	dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_give_trunks),
		cmocka_unit_test(trunks_have_a_limit),
		cmocka_unit_test(rows_give_listeners),
		cmocka_unit_test(a_directory_that_is_not_there),
		cmocka_unit_test(as_freepbx_writes_it),
		cmocka_unit_test(as_a_person_writes_it),
		cmocka_unit_test(unreadable_files),
		cmocka_unit_test(changes_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
