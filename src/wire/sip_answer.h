#ifndef VG_SIP_ANSWER_H
#define VG_SIP_ANSWER_H

#include "base/ip.h"

#include <stddef.h>
#include <stdint.h>

/* Reads what an answer 401 or 407 that this host sends over UDP gives away: the nonces, which
 * whoever receives the answer knows from then on, and who that is. The answer is read from its IP
 * packet, as the kernel hands out a copy.
 *
 * A sender chooses much of the answer to his request: Via, Record-Route, From, To and Call-ID are
 * repeated to him. If he could also write a line that looks like the server's challenge, he would
 * choose the nonce. He cannot, as an answer is read only if it has this shape:
 * - it ends with the first empty line, so it has no body;
 * - exactly one of its lines, which end with CR LF, is a CSeq, and all lines with a challenge
 *   (WWW-Authenticate, Proxy-Authenticate) stand behind it;
 * - no line is folded (begins with a space or tab).
 * The values that Asterisk repeats have no line end inside, and even if one had: Asterisk, with
 * PJSIP and with chan_sip, writes them before the CSeq, of which it repeats a number and one word,
 * and writes its challenges behind. A forged challenge would therefore stand before the true CSeq,
 * or behind a forged one, which makes two of them, or behind a forged empty line, and then the true
 * rest follows it. A CR or LF alone ends no line and means nothing. */

enum {
	/* Nonces of one answer: Asterisk writes one challenge for each realm and algorithm of an
	 * endpoint. */
	SIP_ANSWER_NONCES_MAX = 8,
};

enum sip_answer_kind {
	SIP_ANSWER_OTHER, /* no 401 or 407 over UDP */
	SIP_ANSWER_READ,  /* the struct has all its nonces; perhaps none */
	/* One that has another shape, is not complete, or has more nonces. Its nonces are known to
	 * its receiver all the same: the caller is to take it for a copy that was lost. */
	SIP_ANSWER_UNREADABLE,
};

struct sip_nonce {
	const uint8_t *bytes; /* points into the packet; what stands between the quotes */
	size_t length;
};

struct sip_answer {
	struct ip to; /* the packet's destination */
	uint16_t from_port;
	struct sip_nonce nonces[SIP_ANSWER_NONCES_MAX];
	size_t n_nonces;
};

/* packet: an IPv4 or IPv6 packet from its first byte; length: how much of it there is. ret_answer
 * is filled for SIP_ANSWER_READ only. */
enum sip_answer_kind sip_answer_read(const void *packet, size_t length,
	struct sip_answer *ret_answer);

#endif
