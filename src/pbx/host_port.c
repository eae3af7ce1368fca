#include "pbx/host_port.h"

#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/error.h"
#include "base/host_name.h"
#include "base/text.h"

static int port_parse(const char *text, uint16_t *ret_port)
{
	unsigned port = 0;
	size_t length = strspn(text, "0123456789");

	if (!length || length > 5 || text[length])
		return -1;
	for (size_t i = 0; i < length; i++)
		port = port * 10 + (unsigned)(text[i] - '0');
	if (!port || port > UINT16_MAX)
		return -1;
	*ret_port = (uint16_t)port;
	return 0;
}

/* Cuts the port off the host, and the brackets of an IPv6 address. *ret_host is what is left. */
static int port_cut(char *text, char **ret_host, uint16_t *ret_port)
{
	char *close = text[0] == '[' ? strchr(text, ']') : NULL;
	char *colon = close ? close + 1 : strchr(text, ':');

	*ret_host = text;
	if (text[0] == '[' && !close)
		return -1;
	if (close) {
		*close = '\0';
		*ret_host = text + 1;
		if (!colon[0])
			return 0;
		if (colon[0] != ':')
			return -1;
	} else if (!colon || strchr(colon + 1, ':')) {
		return 0; /* no port, or an IPv6 address without brackets */
	}
	*colon = '\0';
	return port_parse(colon + 1, ret_port);
}

int host_port_parse(const char *text, size_t length, struct host_port *ret)
{
	char copy[HOST_PORT_BYTES_MAX];
	char whole[HOST_PORT_BYTES_MAX + 1];
	struct host_port found = { 0 };
	size_t name_length;
	const char *mask;
	char *slash;
	char *host;

	if (length >= sizeof(copy) || memchr(text, '\0', length))
		return -1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	slash = strchr(copy, '/');
	mask = slash ? slash + 1 : NULL;
	if (slash)
		*slash = '\0';
	if (port_cut(copy, &host, &found.port) < 0)
		return -1;
	if (mask)
		text_format(whole, sizeof(whole), "%s/%s", host, mask);
	if (ip_parse_prefix(mask ? whole : host, &found.ip, NULL) == 0) {
		*ret = found;
		return 0;
	}
	name_length = strlen(host);
	if (mask || !host_name_is_valid(host, name_length))
		return -1;
	if (host[name_length - 1] == '.')
		name_length--;
	memcpy(found.name, host, name_length); /* a valid name fits */
	(void)ascii_lower_string(found.name);
	*ret = found;
	return 0;
}

const char *host_port_of_uri(const char *text, size_t *ret_length)
{
	const char *bracket = strchr(text, '<');
	const char *at;

	if (bracket)
		text = bracket + 1;
	if (strncasecmp(text, "sip:", 4) == 0)
		text += 4;
	else if (strncasecmp(text, "sips:", 5) == 0)
		text += 5;
	else
		return NULL;
	at = strrchr(text, '@');
	if (at)
		text = at + 1;
	*ret_length = strcspn(text, ";?> \t");
	return text;
}
