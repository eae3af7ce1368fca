#ifndef VG_NETLINK_H
#define VG_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct nlattr;
struct nlmsghdr;

/* Talking to the kernel by netlink: how to send requests, and how to read answers, events and whole
 * lists. What the messages mean is known by the callers: nft_*.c and own_addresses.c. A function
 * with a struct error returns 0, or -1 with a sentence; any other that returns an int returns 0 or
 * an errno value. A reader is called with one message of the kernel, which is valid until the
 * reader returns; it returns true when it needs no further message, which ends the reading. */

/* One socket. Zeroed, or after netlink_close(): not open. */
struct netlink {
	int fd;            /* owned */
	uint32_t port;     /* the socket's address; events that its requests cause carry it */
	uint32_t seq;      /* number of the last request; whoever makes one takes the next */
	uint8_t *received; /* owned; the datagram being read */
};

/* protocol: NETLINK_NETFILTER or NETLINK_ROUTE. groups: the multicast groups whose events are
 * wanted, bit n - 1 for group n; 0: none. */
int netlink_open(struct netlink *link, int protocol, uint32_t groups, struct error *err);
void netlink_close(struct netlink *link);
/* Sets the sizes of the socket's buffers. Without a privilege the kernel grants less, which is no
 * failure. */
void netlink_buffers(struct netlink *link, int send_bytes, int receive_bytes);

/* Sends one or more messages and waits for nothing. */
int netlink_send(struct netlink *link, const void *bytes, size_t length);
/* Reads up to reads_max datagrams without waiting. 0: the reader had enough. EAGAIN: all that was
 * there is read. ENOBUFS: the socket's buffer was full, and the kernel has thrown messages away.
 * EBUSY: reads_max datagrams were read, and there may be more. */
int netlink_read(struct netlink *link, uint32_t reads_max,
	bool (*reader)(void *context, const struct nlmsghdr *message), void *context);
/* Reads what waits in the socket, and throws it away. */
void netlink_drain(struct netlink *link);
/* Sends one or more requests, numbered first_seq to link->seq, and reads the answers to them until
 * the reader returns true. ETIMEDOUT: two seconds passed without a message. */
int netlink_ask(struct netlink *link, const void *bytes, size_t length, uint32_t first_seq,
	bool (*reader)(void *context, const struct nlmsghdr *message), void *context);

/* The first attribute of this type behind the message's own header (a struct ifaddrmsg, nfgenmsg or
 * the like, of header_bytes). NULL: there is none, or the message is too short for the header. */
const struct nlattr *netlink_attribute(const struct nlmsghdr *message, size_t header_bytes,
	uint16_t type);

/* Asks for a list (NLM_F_DUMP) and calls each() for every item. A list that changed while it was
 * read is read again, up to 8 times in all; restart (NULL: none) is called before each try, so that
 * the caller can forget the items of the try before. EAGAIN: the list changed each time; each() was
 * called for the items of the last try. */
struct netlink_lister {
	void (*restart)(void *context);
	void (*each)(void *context, const struct nlmsghdr *message);
	void *context;
};
int netlink_list(struct netlink *link, struct nlmsghdr *request,
	const struct netlink_lister *lister);

/* For a list that the caller reads by itself, in the background: what a message of it means. ITEM:
 * one item. DONE: the list is complete. AGAIN: it changed meanwhile, and should be read again.
 * FAILED: the kernel refused. */
enum netlink_step { NETLINK_ITEM, NETLINK_DONE, NETLINK_AGAIN, NETLINK_FAILED };
/* *changed: the caller sets it to false before the first message of a list. *ret_number: the errno
 * value of NETLINK_FAILED. */
enum netlink_step netlink_list_step(const struct nlmsghdr *message, bool *changed, int *ret_number);

#endif
