#include "pbx/listeners.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "pbx/conf.h"
#include "pbx/host_port.h"

enum {
	SIP_PORT = 5060,
	SIP_TLS_PORT = 5061,
	IAX_PORT = 4569,
	AMI_PORT = 5038,
	AMI_TLS_PORT = 5039,
	HTTP_PORT = 8088,
	HTTP_TLS_PORT = 8089,
};

static bool listener_add(struct pbx *pbx, const struct pbx_listener *listener)
{
	for (size_t i = 0; i < pbx->n_listeners; i++) {
		const struct pbx_listener *known = &pbx->listeners[i];

		if (known->service == listener->service && known->port == listener->port &&
			known->protocol == listener->protocol &&
			ip_equal(&known->address, &listener->address))
			return true;
	}
	if (pbx->n_listeners == PBX_LISTENERS_MAX)
		return false;
	if (!pbx->listeners)
		pbx->listeners = alloc_array(PBX_LISTENERS_MAX, sizeof(*pbx->listeners));
	pbx->listeners[pbx->n_listeners++] = *listener;
	return true;
}

/* Sets address and, if it is named, port from "ADDRESS[:PORT]". A name, or what cannot be read,
 * changes the port alone; 0.0.0.0 and :: are any address. */
static void bind_read(struct pbx_listener *listener, const struct conf_value *value)
{
	struct host_port host;

	if (!value)
		return;
	listener->at = value->at;
	if (host_port_parse(value->text, strlen(value->text), &host) < 0)
		return;
	if (host.port)
		listener->port = host.port;
	if (host.ip.family && ip_is_host(&host.ip))
		listener->address = host.ip;
	for (size_t i = 0; i < sizeof(host.ip.bytes); i++)
		if (host.ip.bytes[i])
			return;
	listener->address = (struct ip){ 0 };
}

/* Sets the port from a setting that is a port alone. */
static void port_read(struct pbx_listener *listener, const struct conf_value *value)
{
	cleanup_free char *text = alloc_format("0.0.0.0:%s", value ? value->text : "");
	struct host_port host;

	if (!value)
		return;
	listener->at = value->at;
	if (host_port_parse(text, strlen(text), &host) == 0 && host.port)
		listener->port = host.port;
}

/* The listener that the keys `address` and `port` of a section describe, over `base`. */
static struct pbx_listener listener_of(const struct conf_section *section, struct pbx_listener base,
	enum conf_key address, enum conf_key port)
{
	port_read(&base, conf_last(section, port));
	bind_read(&base, conf_last(section, address));
	return base;
}

/* Where a section stands that says nothing else about a listener: its first setting. */
static struct position position_of(const struct conf_section *section)
{
	return section->n_values ? section->values[0].at : (struct position){ 0 };
}

/* A file without [general] says what an empty one would say. */
static const struct conf_section *general(const struct conf *conf)
{
	static const struct conf_section empty;
	const struct conf_section *section = conf_find(conf, "general");

	return section ? section : &empty;
}

/* protocol = udp, tcp or tls; ws, wss and flow have no socket of their own. */
bool listeners_of_pjsip(struct pbx *pbx, const struct conf *conf)
{
	bool fits = true;

	for (size_t i = 0; i < conf->n_sections; i++) {
		const struct conf_section *section = conf->sections[i];
		const char *protocol = conf_text(section, CONF_PROTOCOL);
		bool is_tls = strcasecmp(protocol, "tls") == 0;
		bool is_udp = !protocol[0] || strcasecmp(protocol, "udp") == 0;
		struct pbx_listener listener = { .service = PBX_SIP,
			.protocol = is_udp ? IPPROTO_UDP : IPPROTO_TCP,
			.port = is_tls ? SIP_TLS_PORT : SIP_PORT };

		if (section->is_template || !conf_last(section, CONF_BIND) ||
			strcasecmp(conf_text(section, CONF_TYPE), "transport") != 0 ||
			(!is_udp && !is_tls && strcasecmp(protocol, "tcp") != 0))
			continue;
		bind_read(&listener, conf_last(section, CONF_BIND));
		fits = listener_add(pbx, &listener) && fits;
	}
	return fits;
}

bool listeners_of_sip(struct pbx *pbx, const struct conf *conf)
{
	const struct conf_section *section = general(conf);
	struct pbx_listener udp = { .service = PBX_SIP,
		.protocol = IPPROTO_UDP,
		.port = SIP_PORT,
		.at = position_of(section) };
	struct pbx_listener tcp;
	struct pbx_listener tls;
	bool fits;

	if (!conf->is_read)
		return true;
	udp = listener_of(section, udp, CONF_BINDADDR, CONF_BINDPORT);
	tcp = tls = udp;
	tcp.protocol = tls.protocol = IPPROTO_TCP;
	tls.port = SIP_TLS_PORT;
	bind_read(&tcp, conf_last(section, CONF_TCPBINDADDR));
	bind_read(&tls, conf_last(section, CONF_TLSBINDADDR));
	fits = listener_add(pbx, &udp);
	if (conf_is_on(section, CONF_TCPENABLE))
		fits = listener_add(pbx, &tcp) && fits;
	if (conf_is_on(section, CONF_TLSENABLE))
		fits = listener_add(pbx, &tls) && fits;
	return fits;
}

/* bindaddr may stand several times. */
bool listeners_of_iax(struct pbx *pbx, const struct conf *conf)
{
	const struct conf_section *section = general(conf);
	struct pbx_listener base = { .service = PBX_IAX,
		.protocol = IPPROTO_UDP,
		.port = IAX_PORT,
		.at = position_of(section) };
	bool fits = true;

	if (!conf->is_read)
		return true;
	port_read(&base, conf_last(section, CONF_BINDPORT));
	if (!conf_last(section, CONF_BINDADDR))
		return listener_add(pbx, &base);
	for (size_t i = 0; i < section->n_values; i++) {
		struct pbx_listener listener = base;

		if (section->values[i].key != CONF_BINDADDR)
			continue;
		bind_read(&listener, &section->values[i]);
		fits = listener_add(pbx, &listener) && fits;
	}
	return fits;
}

/* manager.conf and http.conf: a plain listener, and a second one for TLS on the same address. */
static bool pair_add(struct pbx *pbx, const struct conf_section *section, struct pbx_listener plain,
	bool plain_on, uint16_t tls_port, bool tls_on)
{
	struct pbx_listener tls;
	bool fits = true;

	plain.protocol = IPPROTO_TCP;
	plain.at = position_of(section);
	plain = listener_of(section, plain, CONF_BINDADDR, CONF_BINDPORT);
	tls = plain;
	tls.port = tls_port;
	tls = listener_of(section, tls, CONF_TLSBINDADDR, CONF_TLSBINDPORT);
	if (plain_on)
		fits = listener_add(pbx, &plain);
	if (tls_on)
		fits = listener_add(pbx, &tls) && fits;
	return fits;
}

bool listeners_of_manager(struct pbx *pbx, const struct conf *conf)
{
	const struct conf_section *section = general(conf);
	bool is_on = conf_is_on(section, CONF_ENABLED);

	return pair_add(pbx, section, (struct pbx_listener){ .service = PBX_AMI, .port = AMI_PORT },
		is_on, AMI_TLS_PORT, is_on && conf_is_on(section, CONF_TLSENABLE));
}

bool listeners_of_http(struct pbx *pbx, const struct conf *conf)
{
	const struct conf_section *section = general(conf);

	return pair_add(pbx, section,
		(struct pbx_listener){ .service = PBX_HTTP, .port = HTTP_PORT },
		conf_is_on(section, CONF_ENABLED), HTTP_TLS_PORT,
		conf_is_on(section, CONF_TLSENABLE));
}

/* FreePBX has chan_sip on 5160 and 5161 beside pjsip. */
bool listeners_default(struct pbx *pbx, enum pbx_service service)
{
	static const struct pbx_listener defaults[] = {
		{ PBX_SIP, IPPROTO_UDP, SIP_PORT, { 0 }, { 0 } },
		{ PBX_SIP, IPPROTO_UDP, SIP_TLS_PORT, { 0 }, { 0 } },
		{ PBX_SIP, IPPROTO_UDP, 5160, { 0 }, { 0 } },
		{ PBX_SIP, IPPROTO_UDP, 5161, { 0 }, { 0 } },
		{ PBX_SIP, IPPROTO_TCP, SIP_PORT, { 0 }, { 0 } },
		{ PBX_SIP, IPPROTO_TCP, SIP_TLS_PORT, { 0 }, { 0 } },
		{ PBX_SIP, IPPROTO_TCP, 5160, { 0 }, { 0 } },
		{ PBX_SIP, IPPROTO_TCP, 5161, { 0 }, { 0 } },
		{ PBX_IAX, IPPROTO_UDP, IAX_PORT, { 0 }, { 0 } },
		{ PBX_AMI, IPPROTO_TCP, AMI_PORT, { 0 }, { 0 } },
		{ PBX_AMI, IPPROTO_TCP, AMI_TLS_PORT, { 0 }, { 0 } },
		{ PBX_HTTP, IPPROTO_TCP, HTTP_PORT, { 0 }, { 0 } },
		{ PBX_HTTP, IPPROTO_TCP, HTTP_TLS_PORT, { 0 }, { 0 } },
	};
	bool fits = true;

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (defaults[i].service == service)
			fits = listener_add(pbx, &defaults[i]) && fits;
	return fits;
}
