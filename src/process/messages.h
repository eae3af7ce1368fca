#ifndef VG_MESSAGES_H
#define VG_MESSAGES_H

#include "base/ip.h"
#include "base/ports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* What the roles say to each other: one record a packet over a SOCK_SEQPACKET pair. Records
 * between firewall and the others have one fixed size, so that the role with the privilege parses
 * nothing; a record that is not valid ends the connection. */

enum proto_type {
	PROTO_NONE,
	/* engine to firewall */
	PROTO_SCOPE,        /* number: its index in this engine's records; scope */
	PROTO_PROTECT,      /* ip, text: because; ttl_s: for how long, 0: for ever */
	PROTO_LIFT_ON_STOP, /* [voipguard] on_stop = lift */
	PROTO_SEAL,         /* protection is complete, the configuration stands: may take over */
	PROTO_BAN,          /* number: scope; ip; ttl_s (0 permanent); answered by PROTO_HELD */
	PROTO_LIFT,         /* number: scope; ip; answered by PROTO_HELD */
	PROTO_QUERY,        /* number: scope; ip; answered by PROTO_COUNTERS with the same serial */
	PROTO_READY,        /* logs are open, bans of the database have been sent */
	PROTO_RELOAD,       /* with the client's descriptor: start the next engine */
	PROTO_ALIVE,        /* every PROTO_ALIVE_S seconds, from engine and notifier */
	PROTO_STATUS,       /* text: one line for the service manager */
	/* firewall to engine */
	PROTO_GO,         /* open the database and the logs; failure != 0: dry run */
	PROTO_HELD,       /* number: scope; ip; ttl_s as asked (-1: a lift); failure: errno, EPERM =
			   * protected, text: because */
	PROTO_COUNTERS,   /* serial, number, ip, packets, bytes; failure ENOENT: not in the set */
	PROTO_HOSTNET,    /* number: kind; ip; text: because */
	PROTO_ADOPT,      /* number: scope; ip; ttl_s: an element without a ban */
	PROTO_ADMIN_LIFT, /* number: scope; ip: deleted in the kernel by somebody else */
	PROTO_CLIENT,     /* with the descriptor of an accepted control connection */
	PROTO_HEALTH,     /* number: enum proto_part; failure 0: ok; text */
	PROTO_RELOAD_ENDED, /* the next engine gave up: another reload may be asked */
	PROTO_STOP,         /* commit and exit; to the notifier too */
	/* firewall to engine and notifier */
	PROTO_PEER, /* with a descriptor: the pair between these two */
	PROTO_TYPES,
};

enum proto_part { PROTO_PART_FIREWALL, PROTO_PART_NOTIFIER, PROTO_PARTS };

enum { PROTO_TEXT_MAX = 128, PROTO_ALIVE_S = 5 };

struct proto_record {
	uint32_t type;
	uint32_t number;
	int32_t failure;
	uint32_t serial;
	int64_t ttl_s; /* -1 to INT64_MAX / 2: any clock can be added */
	uint64_t packets;
	uint64_t bytes;
	struct ip ip;              /* canonical, or empty */
	struct scope scope;        /* valid */
	char text[PROTO_TEXT_MAX]; /* rendered, NUL-ended; nobody reads what is behind the NUL */
};

/* A connected pair, close-on-exec, non-blocking. */
int proto_pair(int ret_fds[2], struct error *err);

/* 1: sent; 0: the pair is full (EAGAIN), keep it; -1: broken. passed_fd: -1 or a descriptor to
 * go along (the caller keeps and closes its own). */
int proto_send(int fd, const struct proto_record *record, int passed_fd, struct error *err);

/* 1: a valid record, *ret_fd a descriptor that came along (close-on-exec, caller closes) or -1;
 * 0: nothing there; -1: the other end is gone (text "closed") or sent nonsense. */
int proto_receive(int fd, struct proto_record *ret_record, int *ret_fd, struct error *err);

/* Engine and notifier: a fixed header and up to PROTO_MAIL_BYTES_MAX of NUL-ended texts. */
enum proto_mail_type {
	PROTO_MAIL_SETTINGS, /* texts: host, user, password ("" = none); port, tls */
	PROTO_MAIL_ALERT,    /* id, date_s; texts: sender ("" = default), dest, subject, body */
	PROTO_MAIL_DONE,     /* to the engine: id; outcome; texts: what the server said */
	PROTO_MAIL_NAME,     /* not a mail: a struct proto_name, either way */
	PROTO_MAIL_TYPES,
};
enum proto_mail_outcome { PROTO_MAIL_SENT, PROTO_MAIL_FAILED, PROTO_MAIL_REFUSED };
enum { PROTO_MAIL_TEXTS_MAX = 4, PROTO_MAIL_BYTES_MAX = 16384 };

struct proto_mail {
	uint32_t type;
	uint32_t outcome;
	uint32_t port;
	uint32_t tls;
	int64_t id;
	int64_t date_s;
};

/* A received packet: texts[] point into bytes and are never NULL ("" where there is none). */
struct proto_mail_packet {
	struct proto_mail head;
	const char *texts[PROTO_MAIL_TEXTS_MAX];
	size_t length;
	char bytes[sizeof(struct proto_mail) + PROTO_MAIL_BYTES_MAX];
};

/* As proto_send. A last text that is too long is cut, with "..." at its end. */
int proto_mail_send(int fd, const struct proto_mail *head, const char *const *texts, size_t n_texts,
	struct error *err);
int proto_mail_receive(int fd, struct proto_mail_packet *ret_packet, struct error *err);

/* Over the same pair: a host name to be looked up, and the same record back with what came of it.
 * A question that gets no record back within PROTO_NAME_WAIT_S is lost, and may be asked again. */
enum proto_name_kind {
	PROTO_NAME_PROTECT, /* the operator wrote it: the host's search domains count */
	PROTO_NAME_COUNT,   /* from a log */
};
enum proto_name_outcome {
	PROTO_NAME_NO_ANSWER, /* nobody could say; also in a question */
	PROTO_NAME_NONE,      /* there is no such name, or it has no address */
	PROTO_NAME_FOUND,
	PROTO_NAME_OUTCOMES,
};
enum { PROTO_NAME_BYTES_MAX = 256, PROTO_NAME_ADDRESSES_MAX = 32, PROTO_NAME_WAIT_S = 20 };

struct proto_name {
	uint32_t type; /* PROTO_MAIL_NAME, set by proto_name_send */
	uint32_t kind;
	uint32_t serial; /* the asker's */
	uint32_t outcome;
	uint32_t ttl_s;
	uint32_t count; /* > 0 if and only if the outcome is found */
	/* canonical, each one host */
	struct ip addresses[PROTO_NAME_ADDRESSES_MAX];
	char name[PROTO_NAME_BYTES_MAX]; /* NUL-ended and filled up with NUL */
};

/* As proto_send. */
int proto_name_send(int fd, const struct proto_name *name, struct error *err);
/* Reads a packet of type PROTO_MAIL_NAME. -1: it is not whole; the pair is as good as before. */
int proto_name_read(const struct proto_mail_packet *packet, struct proto_name *ret_name);

#endif
