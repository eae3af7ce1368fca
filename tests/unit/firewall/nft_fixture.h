#ifndef VG_NFT_FIXTURE_H
#define VG_NFT_FIXTURE_H

/* For the nft_*_test programs: the program `nft` as the judge, and a namespace for each test. */

#include "firewall/namespace.h"

#include "base/error.h"
#include "firewall/nft_table.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

struct seen {
	struct nft_element elements[64];
	size_t n_elements;
	size_t n_all;
	size_t n_lifted;
	uint8_t scope;
	struct ip ip;
};

static inline int nft_run(const char *arguments)
{
	char command[4096];

	assert_true(snprintf(command, sizeof(command), "nft %s", arguments) < (int)sizeof(command));
	return command_run(command);
}

static inline size_t times(const char *text)
{
	size_t n = 0;

	for (const char *at = output; (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

/* Whether `nft` lists the element in the set. */
static inline bool listed(const char *set, const char *element)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "get element inet voipguard %s { %s }", set,
		element);
	return nft_run(command) == 0;
}

static inline struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	assert_int_equal(ip_parse_prefix(text, &ip, NULL), 0);
	return ip;
}

static inline struct nft_change ban(const char *text, int64_t ttl_s)
{
	return (struct nft_change){ .op = NFT_BAN, .ip = ip_of(text), .ttl_s = ttl_s };
}

static inline struct nft_change lift(const char *text)
{
	return (struct nft_change){ .op = NFT_LIFT, .ip = ip_of(text) };
}

static inline void must_apply(struct nft *nft, struct nft_change *changes, size_t count)
{
	struct error err = { "" };

	if (nft_apply(nft, changes, count, &err) < 0)
		fail_msg("nft_apply: %s", err.text);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(changes[i].failure, 0);
}

static inline void must_scope(struct nft *nft, uint8_t index, uint8_t protocol, const char *ports)
{
	struct scope scope = { 0 };
	struct error err = { "" };

	if (protocol)
		assert_int_equal(scope_parse(protocol, ports, &scope, &err), 0);
	if (nft_scope(nft, index, &scope, &err) < 0)
		fail_msg("nft_scope: %s", err.text);
}

static inline void must_ensure(struct nft *nft)
{
	struct error err = { "" };

	if (nft_ensure(nft, &err) < 0)
		fail_msg("nft_ensure: %s", err.text);
}

static inline struct nft_element query(struct nft *nft, uint8_t scope, const char *text)
{
	struct nft_element element = { .scope = scope, .ip = ip_of(text) };
	struct error err = { "" };

	if (nft_query(nft, &element, &err) < 0)
		fail_msg("nft_query: %s", err.text);
	return element;
}

static inline void note_element(void *context, const struct nft_element *element)
{
	struct seen *seen = context;

	if (seen->n_elements < 64)
		seen->elements[seen->n_elements++] = *element;
	seen->n_all++;
}

static inline void note_lifted(void *context, uint8_t scope, const struct ip *ip)
{
	struct seen *seen = context;

	seen->n_lifted++;
	seen->scope = scope;
	seen->ip = *ip;
}

static inline enum nft_event watch(struct nft *nft, char who[64], struct seen *seen)
{
	*seen = (struct seen){ 0 };
	return nft_watch_read(nft, who, note_lifted, seen);
}

/* Every test has a network namespace of its own, with the scope "all" as number 0. */
static inline int setup(void **state)
{
	struct nft *nft = NULL;
	struct error err = { "" };

	*state = NULL;
	if (!namespace_enter())
		return 0;
	if (nft_open(&nft, &err) < 0 || nft_ensure(nft, &err) < 0) {
		print_message("%s\n", err.text);
		return -1;
	}
	must_scope(nft, 0, 0, NULL);
	*state = nft;
	return 0;
}

static inline int teardown(void **state)
{
	nft_close(*state);
	return 0;
}

static inline struct nft *need(void **state)
{
	if (!*state)
		skip();
	return *state;
}

#endif
