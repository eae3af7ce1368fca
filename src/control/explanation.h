#ifndef VG_EXPLANATION_H
#define VG_EXPLANATION_H

#include <stdint.h>

struct control_engine;
struct ip;
struct json_t;

enum {
	EXPLANATION_LINES_MAX = 10,  /* log lines, and accounts, of a window, the newest */
	EXPLANATION_BANS_MAX = 1000, /* bans inside a network; more are left out */
};

/* The answer to `explain`, from memory, a new reference: what protects ip, the bans that cover it,
 * and what each jail has counted for it within its findtime. voipguard(8) documents the JSON. ip is
 * one address or a network; counted is what guard_unit() says, the /64 of an IPv6 address. now_s:
 * wall seconds. */
struct json_t *explanation_json(const struct control_engine *engine, const struct ip *ip,
	int64_t now_s);

#endif
