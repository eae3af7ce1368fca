#ifndef VG_NONCES_H
#define VG_NONCES_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which address a nonce of ours was sent to, and what follows from it. Anybody can send a UDP
 * datagram with a forged source; but the challenge then goes to the address that was forged, and
 * the forger does not see it. So a failed answer to the challenge, which names the nonce, proves
 * that its source address is real: if it comes from the only address that the nonce was sent to.
 *
 * A nonce that was sent to a second address proves nothing from then on, for either may have sent
 * the failure with a forged source; what it has proven before is withdrawn. This happens: a request
 * can ask, by the maddr parameter of its Via, for the answer to go elsewhere, and Asterisk gives
 * all requests of one second with the same source the same nonce. Ports do not count, an address
 * has many; IPv6 addresses are compared as a whole, not by their /64.
 *
 * So it is important to see all copies, and each of these is kept:
 * - After a lost copy, or a start, an unseen copy may have gone to another address: all nonces are
 *   forgotten, and those seen in the next NONCES_DOUBT_S prove nothing, ever. The server repeats an
 *   answer for 32 s at most (RFC 3261, 64 * T1), and copies are read within a second or two: a
 *   nonce that is seen for the first time after that was made after the loss.
 * - A nonce is remembered for NONCES_KEEP_S after it was seen last.
 * - There are at most NONCES_MAX of them. One more takes the place of the one that was not seen for
 *   the longest time; if that is shorter than NONCES_DOUBT_S ago, it counts as a lost copy.
 * Somebody who floods the server can take proofs away by this, and never make a false one.
 *
 * Asterisk's nonces have 43 bytes, "1795423865/4477...": the time and an MD5 sum over a secret. Of
 * what a sender calls the nonce ("Challenge" in a record of PJSIP) its log shows the first 63 bytes
 * only. Nonces of NONCES_BYTES_MIN to NONCES_BYTES_MAX bytes can prove, and only as a whole: a
 * value of 63 bytes in the log may have been longer, but whoever sent it knew all 63. Of a longer
 * nonce the log does not show all, and nobody can say where in it the secret stands. A shorter one
 * (chan_sip's have 8 bytes) can be guessed.
 *
 * An address that has proven itself is proven for NONCES_PROVEN_S, for the records without a nonce
 * (InvalidAccountID, FailedACL). At most NONCES_PROVEN_MAX are: one more takes the place of the one
 * that proved itself the longest time ago.
 *
 * All times are CLOCK_BOOTTIME in seconds. */
enum {
	NONCES_BYTES_MIN = 32,
	NONCES_BYTES_MAX = 63,
	NONCES_MAX = 65536,
	NONCES_KEEP_S = 300,
	NONCES_DOUBT_S = 40,
	NONCES_PROVEN_MAX = 16384,
	NONCES_PROVEN_S = 300,
};

struct nonces;

/* withdrawn: called when nonces_seen() or nonces_forget() find out that nonces_prove() may have
 * been wrong about ip: what was held against ip for that reason is not proven. */
struct nonces *nonces_new(int64_t now_s, void (*withdrawn)(void *context, const struct ip *ip),
	void *context);
void nonces_free(struct nonces *nonces);

/* The nonce was sent to this address. is_ours false: it came from another program of this host than
 * the server whose log is read; it can withdraw a proof, but becomes none. */
void nonces_seen(struct nonces *nonces, const struct ip *to, bool is_ours, const void *nonce,
	size_t length, int64_t now_s);
/* A copy was lost: a nonce may have been sent to an address that nonces_seen() was not told of. */
void nonces_forget(struct nonces *nonces, int64_t now_s);

/* Whether the failure proves that its source address, ip, is real. challenge: the nonce that the
 * sender of the failure names; never a value that the server has put into the record by itself.
 * Every answer that was sent before the record was written must have been told. */
bool nonces_prove(struct nonces *nonces, const struct ip *ip, const void *challenge, size_t length,
	int64_t now_s);
/* Whether the address has proven itself in the last NONCES_PROVEN_S. */
bool nonces_is_proven(struct nonces *nonces, const struct ip *ip, int64_t now_s);

/* Whether nonces that are seen now can prove: the doubt after a start or a lost copy is over. */
bool nonces_can_prove(const struct nonces *nonces, int64_t now_s);
size_t nonces_count(const struct nonces *nonces);
size_t nonces_proven_count(const struct nonces *nonces);
/* Aborts the program if an invariant is broken; for tests. */
void nonces_check(const struct nonces *nonces);

#endif
