/* Copies of packets as the kernel sends them, down to the nonces. Input: a datagram of netlink. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "wire/nflog.h"
#include "wire/nonces.h"
#include "wire/sip_answer.h"

enum { DATAGRAM_BYTES_MAX = 128 * 1024, NOW_S = NONCES_DOUBT_S };

static void on_withdrawn(void *context, const struct ip *ip)
{
	(void)context;
	fuzz_need(ip_is_host(ip), "an address");
}

static void answer_check(struct nonces *nonces, const struct sip_answer *answer,
	const uint8_t *packet, size_t length)
{
	fuzz_need(ip_is_canonical(&answer->to) && ip_is_host(&answer->to), "an address");
	fuzz_need(answer->n_nonces <= SIP_ANSWER_NONCES_MAX, "no more than there is room for");
	for (size_t i = 0; i < answer->n_nonces; i++) {
		const struct sip_nonce *nonce = &answer->nonces[i];
		bool proven;

		fuzz_need(nonce->bytes >= packet && nonce->length <= length &&
				  (size_t)(nonce->bytes - packet) <= length - nonce->length,
			"it is in the packet");
		fuzz_need(!memmem(nonce->bytes, nonce->length, "\r\n", 2), "it is in one line");
		nonces_seen(nonces, &answer->to, true, nonce->bytes, nonce->length, NOW_S);
		proven = nonces_prove(nonces, &answer->to, nonce->bytes, nonce->length, NOW_S);
		fuzz_need(!proven || (nonce->length >= NONCES_BYTES_MIN &&
					     nonce->length <= NONCES_BYTES_MAX),
			"only a nonce of some length proves");
	}
}

static void on_packet(void *context, const void *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);
	struct sip_answer answer;

	fuzz_need(copy, "memory");
	memcpy(copy, bytes, length);
	if (sip_answer_read(copy, length, &answer) == SIP_ANSWER_READ)
		answer_check(context, &answer, copy, length);
	free(copy);
}

static void on_lost(void *context)
{
	nonces_forget(context, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct nonces *nonces = nonces_new(0, on_withdrawn, NULL);
	const struct nflog_reader reader = { on_packet, on_lost, nonces };
	uint8_t *datagram = malloc(length ? length : 1);
	struct nflog nflog = { 0 };

	fuzz_need(datagram, "memory");
	if (length)
		memcpy(datagram, bytes, length);
	if (length <= DATAGRAM_BYTES_MAX)
		nflog_datagram(&nflog, datagram, length, &reader);
	/* and as a packet without the kernel's envelope */
	on_packet(nonces, bytes, length);
	nonces_check(nonces);
	nonces_free(nonces);
	nflog_done(&nflog);
	free(datagram);
	return 0;
}
