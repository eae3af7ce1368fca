#ifndef VG_NETLINK_H
#define VG_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct nlmsghdr;

/* Talking to the kernel by netlink: how to send, how to read answers, events and whole lists, for
 * the files of this folder that know what the messages mean. Functions that return an int return
 * 0 or an errno value unless they take a struct error. A reader gets one message of the kernel,
 * which lives until it returns; true: it has enough, and reading ends. */

/* Zeroed, or after netlink_close: not open. */
struct netlink {
	int fd;            /* owned */
	uint32_t port;     /* ours; the kernel names it in the events that our requests cause */
	uint32_t seq;      /* of the last request; whoever makes one takes the next */
	uint8_t *received; /* owned */
};

/* protocol: NETLINK_NETFILTER or another. groups: bits of those whose events are wanted. */
int netlink_open(struct netlink *link, int protocol, uint32_t groups, struct error *err);
void netlink_close(struct netlink *link);
/* Asks for this much room for what waits in the socket; what the kernel grants is enough. */
void netlink_buffers(struct netlink *link, int send_bytes, int receive_bytes);

/* Sends one or more messages and waits for nothing. */
int netlink_send(struct netlink *link, const void *bytes, size_t length);
/* Reads up to reads_max datagrams that are there. EAGAIN: no more are there; ENOBUFS: the kernel
 * had to throw some away; EBUSY: more than reads_max are there. */
int netlink_read(struct netlink *link, uint32_t reads_max,
	bool (*reader)(void *context, const struct nlmsghdr *message), void *context);
/* Throws away what is there. */
void netlink_drain(struct netlink *link);
/* Sends, and waits for the answers: those to the numbers from first_seq to link->seq. ETIMEDOUT:
 * one did not come within two seconds. */
int netlink_ask(struct netlink *link, const void *bytes, size_t length, uint32_t first_seq,
	bool (*reader)(void *context, const struct nlmsghdr *message), void *context);

/* Asks for a list (NLM_F_DUMP). restart (NULL: nothing) is called before each try. A list that
 * changed while it was read is read again; EAGAIN: each time, the last one was handed out. */
struct netlink_lister {
	void (*restart)(void *context);
	void (*each)(void *context, const struct nlmsghdr *message);
	void *context;
};
int netlink_list(struct netlink *link, struct nlmsghdr *request,
	const struct netlink_lister *lister);

/* The same step by step, for a list that is read in the background: what an answer means. */
enum netlink_step { NETLINK_ITEM, NETLINK_DONE, NETLINK_AGAIN, NETLINK_FAILED };
/* *changed: false before the first answer; *ret_number: of a failure. */
enum netlink_step netlink_list_step(const struct nlmsghdr *message, bool *changed, int *ret_number);

#endif
