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

enum message_type {
	MESSAGE_NONE,
	/* engine to firewall */
	MESSAGE_SCOPE,        /* number: its index in this engine's records; scope */
	MESSAGE_PROTECT,      /* ip, text: because; ttl_s: for how long, 0: for ever */
	MESSAGE_LIFT_ON_STOP, /* [voipguard] on_stop = lift */
	MESSAGE_SEAL,         /* protection is complete, the configuration stands: may take over */
	MESSAGE_BAN,          /* number: scope; ip; ttl_s (0 permanent); answered by MESSAGE_HELD */
	MESSAGE_LIFT,         /* number: scope; ip; answered by MESSAGE_HELD */
	MESSAGE_QUERY,        /* number: scope; ip; answered by MESSAGE_COUNTERS, same serial */
	MESSAGE_READY,        /* logs are open, bans of the database have been sent */
	MESSAGE_RELOAD,       /* with the client's descriptor: start the next engine */
	MESSAGE_ALIVE,        /* every MESSAGE_ALIVE_S seconds, from engine and notifier */
	MESSAGE_STATUS,       /* text: one line for the service manager */
	/* firewall to engine */
	MESSAGE_GO,       /* open the database and the logs; failure != 0: dry run */
	MESSAGE_HELD,     /* number: scope; ip; ttl_s as asked (-1: a lift); failure: errno, EPERM =
			   * protected, text: because */
	MESSAGE_COUNTERS, /* serial, number, ip, packets, bytes; failure ENOENT: not in the set */
	MESSAGE_OWN_ADDRESS,  /* number: kind; ip; text: because */
	MESSAGE_ADOPT,        /* number: scope; ip; ttl_s: an element without a ban */
	MESSAGE_ADMIN_LIFT,   /* number: scope; ip: deleted in the kernel by somebody else */
	MESSAGE_CLIENT,       /* with the descriptor of an accepted control connection */
	MESSAGE_HEALTH,       /* number: enum message_part; failure 0: ok; text */
	MESSAGE_RELOAD_ENDED, /* the next engine gave up: another reload may be asked */
	MESSAGE_STOP,         /* commit and exit; to the notifier too */
	/* firewall to engine and notifier */
	MESSAGE_PEER, /* with a descriptor: the pair between these two */
	MESSAGE_TYPES,
};

enum message_part { MESSAGE_PART_FIREWALL, MESSAGE_PART_NOTIFIER, MESSAGE_PARTS };

enum { MESSAGE_TEXT_MAX = 128, MESSAGE_ALIVE_S = 5 };

struct message {
	uint32_t type;
	uint32_t number;
	int32_t failure;
	uint32_t serial;
	int64_t ttl_s; /* -1 to INT64_MAX / 2: any clock can be added */
	uint64_t packets;
	uint64_t bytes;
	struct ip ip;                /* canonical, or empty */
	struct scope scope;          /* valid */
	char text[MESSAGE_TEXT_MAX]; /* rendered, NUL-ended; nobody reads what is behind the NUL */
};

/* A connected pair, close-on-exec, non-blocking. */
int message_pair(int ret_fds[2], struct error *err);

/* 1: sent; 0: the pair is full (EAGAIN), keep it; -1: broken. passed_fd: -1 or a descriptor to
 * go along (the caller keeps and closes its own). */
int message_send(int fd, const struct message *record, int passed_fd, struct error *err);

/* 1: a valid record, *ret_fd a descriptor that came along (close-on-exec, caller closes) or -1;
 * 0: nothing there; -1: the other end is gone (text "closed") or sent nonsense. */
int message_receive(int fd, struct message *ret_record, int *ret_fd, struct error *err);

/* Engine and notifier: a fixed header and up to MESSAGE_MAIL_BYTES_MAX of NUL-ended texts. */
enum message_mail_type {
	MESSAGE_MAIL_SETTINGS, /* texts: host, user, password ("" = none); port, tls */
	MESSAGE_MAIL_ALERT,    /* id, date_s; texts: sender ("" = default), dest, subject, body */
	MESSAGE_MAIL_DONE,     /* to the engine: id; outcome; texts: what the server said */
	MESSAGE_MAIL_NAME,     /* not a mail: a struct message_name, either way */
	MESSAGE_MAIL_TYPES,
};
enum message_mail_outcome { MESSAGE_MAIL_SENT, MESSAGE_MAIL_FAILED, MESSAGE_MAIL_REFUSED };
enum { MESSAGE_MAIL_TEXTS_MAX = 4, MESSAGE_MAIL_BYTES_MAX = 16384 };

struct message_mail {
	uint32_t type;
	uint32_t outcome;
	uint32_t port;
	uint32_t tls;
	int64_t id;
	int64_t date_s;
};

/* A received packet: texts[] point into bytes and are never NULL ("" where there is none). */
struct message_mail_packet {
	struct message_mail head;
	const char *texts[MESSAGE_MAIL_TEXTS_MAX];
	size_t length;
	char bytes[sizeof(struct message_mail) + MESSAGE_MAIL_BYTES_MAX];
};

/* As message_send. A last text that is too long is cut, with "..." at its end. */
int message_mail_send(int fd, const struct message_mail *head, const char *const *texts,
	size_t n_texts, struct error *err);
int message_mail_receive(int fd, struct message_mail_packet *ret_packet, struct error *err);

/* Over the same pair: a host name to be looked up, and the same record back with what came of it.
 * A question that gets no record back within MESSAGE_NAME_WAIT_S is lost, and may be asked again.
 */
enum message_name_kind {
	MESSAGE_NAME_PROTECT, /* the operator wrote it: the host's search domains count */
	MESSAGE_NAME_COUNT,   /* from a log */
};
enum message_name_outcome {
	MESSAGE_NAME_NO_ANSWER, /* nobody could say; also in a question */
	MESSAGE_NAME_NONE,      /* there is no such name, or it has no address */
	MESSAGE_NAME_FOUND,
	MESSAGE_NAME_OUTCOMES,
};
enum { MESSAGE_NAME_BYTES_MAX = 256, MESSAGE_NAME_ADDRESSES_MAX = 32, MESSAGE_NAME_WAIT_S = 20 };

struct message_name {
	uint32_t type; /* MESSAGE_MAIL_NAME, set by message_name_send */
	uint32_t kind;
	uint32_t serial; /* the asker's */
	uint32_t outcome;
	uint32_t ttl_s;
	uint32_t count; /* > 0 if and only if the outcome is found */
	/* canonical, each one host */
	struct ip addresses[MESSAGE_NAME_ADDRESSES_MAX];
	char name[MESSAGE_NAME_BYTES_MAX]; /* NUL-ended and filled up with NUL */
};

/* As message_send. */
int message_name_send(int fd, const struct message_name *name, struct error *err);
/* Reads a packet of type MESSAGE_MAIL_NAME. -1: it is not whole; the pair is as good as before. */
int message_name_read(const struct message_mail_packet *packet, struct message_name *ret_name);

#endif
