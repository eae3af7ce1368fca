#ifndef VG_HOST_NAME_H
#define VG_HOST_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
	HOST_NAME_BYTES_MAX = 253, /* without a final dot and length bytes (RFC 1035 2.3.4) */
	HOST_NAME_LABEL_BYTES_MAX = 63,
};

/* Says whether these bytes have the form of a host name, so that a name server could know it. They
 * are labels of letters, digits, - and _ with dots between them; a label does not begin with -, and
 * the last one is not all digits, so that a mistyped address ("192.0.2.256") is no name. A final
 * dot is allowed. */
bool host_name_is_valid(const char *text, size_t length);

#endif
