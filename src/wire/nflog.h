#ifndef VG_NFLOG_H
#define VG_NFLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the copies of packets that the kernel sends for the `log group N` rules of nftables, by
 * netlink (linux/netfilter/nfnetlink_log.h). The socket is made and bound to its group by the role
 * that has the privilege; reading it needs none. */

struct nflog_reader {
	/* One packet, from its IP header on. It may be shorter than the packet was. */
	void (*packet)(void *context, const void *bytes, size_t length);
	/* One or more copies are missing here: the socket's buffer was full, or their numbers have
	 * a gap, or what came is no copy of a packet as it was asked for. */
	void (*lost)(void *context);
	void *context;
};

/* Zeroed: no socket; the first copy may have any number. */
struct nflog {
	uint8_t *received; /* owned; the datagram being read */
	uint32_t next_seq; /* the number that the next copy should have */
	bool has_seq;      /* a copy was read */
};

enum nflog_result {
	NFLOG_EMPTY,  /* all that was there is read */
	NFLOG_MORE,   /* there may be more */
	NFLOG_BROKEN, /* the socket cannot be read */
};

/* Reads up to datagrams_max datagrams without waiting; fd stays the caller's. */
enum nflog_result nflog_read(struct nflog *nflog, int fd, uint32_t datagrams_max,
	const struct nflog_reader *reader);
/* Reads the messages of one datagram of the kernel; for nflog_read() and for tests. bytes are
 * aligned for a struct nlmsghdr. */
void nflog_datagram(struct nflog *nflog, const void *bytes, size_t length,
	const struct nflog_reader *reader);
void nflog_done(struct nflog *nflog);

#endif
