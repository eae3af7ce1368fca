#ifndef VG_MESSAGES_H
#define VG_MESSAGES_H

#include "base/ip.h"
#include "base/ports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* What the roles say to each other: one record in each packet of a SOCK_SEQPACKET socket pair. The
 * records between the firewall role and the others have one fixed size, so that the role with the
 * privilege parses nothing. A record that is not valid ends the connection.
 *
 * Below, each type is followed by the fields of struct message that it uses, and what they mean.
 * "scope" is the number that the engine gave to a scope by MESSAGE_SCOPE. "because" is a reason for
 * people, such as "default gateway". */

enum message_type {
	MESSAGE_NONE,
	/* engine to firewall */
	MESSAGE_SCOPE,        /* number: scope, counted from 0; scope: protocol and ports */
	MESSAGE_PROTECT,      /* ip must not be banned; text: because; ttl_s: 0 for ever */
	MESSAGE_LIFT_ON_STOP, /* the configuration says [voipguard] on_stop = lift */
	MESSAGE_SEAL,         /* the configuration is valid and all is protected: may take over */
	MESSAGE_BAN,          /* number: scope; ip; ttl_s: 0 permanent; answer: MESSAGE_HELD */
	MESSAGE_LIFT,         /* number: scope; ip; answer: MESSAGE_HELD */
	MESSAGE_QUERY,        /* serial; number: scope; ip; answer: MESSAGE_COUNTERS */
	MESSAGE_READY,        /* the logs are open, and the bans of the database are sent */
	MESSAGE_RELOAD,       /* start the next engine; with the descriptor of the client */
	MESSAGE_ALIVE,        /* every MESSAGE_ALIVE_S seconds, from engine and notifier */
	MESSAGE_STATUS,       /* text: the status line for the service manager */
	/* firewall to engine */
	MESSAGE_GO,   /* take over: open database and logs */
	MESSAGE_HELD, /* number: scope; ip; ttl_s as asked, -1 for a lift; failure: 0 or an errno
		       * value; EPERM: ip is protected, text: because */
	MESSAGE_COUNTERS,     /* serial, number, ip as asked; packets, bytes; or failure: ENOENT */
	MESSAGE_OWN_ADDRESS,  /* ip; text: because. Without an ip: forget those told before, a
			       * new list begins */
	MESSAGE_ADOPT,        /* number: scope; ip; ttl_s: the kernel has it without a ban */
	MESSAGE_ADMIN_LIFT,   /* number: scope; ip: somebody else deleted it in the kernel */
	MESSAGE_CLIENT,       /* with the descriptor of a new control connection */
	MESSAGE_HEALTH,       /* number: enum message_part; failure: 0, or errno; text: what */
	MESSAGE_RELOAD_ENDED, /* the next engine has failed; a new reload may be asked for */
	MESSAGE_STOP,         /* commit and exit; the notifier obeys it too */
	/* firewall to engine and notifier */
	MESSAGE_PEER, /* with a descriptor: one end of the pair between these two */
	/* engine to firewall, before MESSAGE_SEAL */
	MESSAGE_WIRE_WANTED, /* number: the NFLOG group for the copies of SIP challenges; an engine
			      * that does not ask gets none */
	/* firewall to engine */
	MESSAGE_WIRE, /* with a descriptor: the copies come from it. Without, failure 0: some may be
		       * missing; failure not 0: there are none, text: why */
	/* engine to firewall: _WANTED before MESSAGE_SEAL, an engine that does not ask gets none */
	MESSAGE_CONNECTIONS_WANTED, /* scope: the TCP ports whose remote ends are to be noted */
	MESSAGE_CONNECTION,         /* serial; ip: one host; number: its port; answer:
				       MESSAGE_CONNECTION_SEEN */
	/* firewall to engine */
	MESSAGE_CONNECTION_SEEN, /* serial, ip, number as asked; failure 0: the kernel has sent data
				  * to this remote end lately; ENOENT: it knows of none */
	MESSAGE_TYPES,
};

enum message_part {
	MESSAGE_PART_FIREWALL,
	MESSAGE_PART_NOTIFIER,
	MESSAGE_PART_CONNECTIONS, /* ENFILE: so many are known that newcomers are not noted */
	MESSAGE_PARTS,
};

/* MESSAGE_ALIVE_S: a role that is silent for three times as long is taken for hung. */
enum { MESSAGE_TEXT_MAX = 128, MESSAGE_ALIVE_S = 5 };

struct message {
	uint32_t type; /* enum message_type */
	uint32_t number;
	int32_t failure;
	uint32_t serial; /* of a question, chosen by the asker; the answer repeats it */
	int64_t ttl_s;   /* -1 to INT64_MAX / 2, so that the time of day can be added */
	uint64_t packets;
	uint64_t bytes;
	struct ip ip;                /* canonical, or empty (all zero) */
	struct scope scope;          /* valid */
	char text[MESSAGE_TEXT_MAX]; /* NUL-ended, no control characters */
};

/* Makes a connected pair, close-on-exec and non-blocking; the caller closes both. -1 with a
 * sentence. */
int message_pair(int ret_fds[2], struct error *err);

/* 1: sent. 0: the socket is full, and the caller may try again later. -1 with a sentence: the other
 * end is gone. passed_fd: a descriptor to go along, of which the other end gets a copy, or -1. */
int message_send(int fd, const struct message *record, int passed_fd, struct error *err);

/* 1: a valid record. *ret_fd: the descriptor that came along (close-on-exec; the caller closes it)
 * or -1. 0: there is none yet. -1 with a sentence: the other end is gone (exactly "closed"), or it
 * sent something invalid; the caller ends the connection. */
int message_receive(int fd, struct message *ret_record, int *ret_fd, struct error *err);

/* Between engine and notifier a packet is a struct message_mail followed by up to
 * MESSAGE_MAIL_BYTES_MAX bytes of texts, each with its NUL. Each type is followed by what it uses.
 */
enum message_mail_type {
	MESSAGE_MAIL_SETTINGS, /* port, tls; texts: host, user, password ("": none) */
	MESSAGE_MAIL_ALERT,    /* id, date_s; texts: sender ("": default), dest, subject, body */
	MESSAGE_MAIL_DONE,     /* to the engine: id, outcome; texts: what the server answered */
	MESSAGE_MAIL_NAME,     /* no mail: the packet is a struct message_name; both ways */
	MESSAGE_MAIL_TYPES,
};
/* FAILED: a later try may succeed. REFUSED: a later try would end the same. */
enum message_mail_outcome { MESSAGE_MAIL_SENT, MESSAGE_MAIL_FAILED, MESSAGE_MAIL_REFUSED };
enum { MESSAGE_MAIL_TEXTS_MAX = 4, MESSAGE_MAIL_BYTES_MAX = 16384 };

struct message_mail {
	uint32_t type;    /* enum message_mail_type */
	uint32_t outcome; /* enum message_mail_outcome */
	uint32_t port;
	uint32_t tls;   /* not 0: no mail without TLS */
	int64_t id;     /* chosen by the engine, from 1; the answer repeats it */
	int64_t date_s; /* seconds since 1970 */
};

/* A received packet. texts[] point into bytes, so a copy of the struct points into the original;
 * they are never NULL ("": not sent). length: of the packet, in bytes. */
struct message_mail_packet {
	struct message_mail head;
	const char *texts[MESSAGE_MAIL_TEXTS_MAX];
	size_t length;
	char bytes[sizeof(struct message_mail) + MESSAGE_MAIL_BYTES_MAX];
};

/* Send and receive as message_send() and message_receive() do, but no descriptor goes along. If the
 * last text is too long it is cut and ends in "..."; if another one is, -1 with a sentence, and
 * nothing is sent. */
int message_mail_send(int fd, const struct message_mail *head, const char *const *texts,
	size_t n_texts, struct error *err);
int message_mail_receive(int fd, struct message_mail_packet *ret_packet, struct error *err);

/* Over the same pair the engine asks for the addresses of a host name, and the notifier sends the
 * same record back with the outcome. A question without an answer after MESSAGE_NAME_WAIT_S seconds
 * is lost, and may be asked again. */
enum message_name_kind {
	MESSAGE_NAME_PROTECT, /* the operator wrote it; resolv.conf's search domains apply */
	MESSAGE_NAME_COUNT,   /* it is from a log; no search domain applies */
};
enum message_name_outcome {
	MESSAGE_NAME_NO_ANSWER, /* no server could tell; a question has this, too */
	MESSAGE_NAME_NONE,      /* the name does not exist or has no address */
	MESSAGE_NAME_FOUND,
	MESSAGE_NAME_OUTCOMES,
};
enum { MESSAGE_NAME_BYTES_MAX = 256, MESSAGE_NAME_ADDRESSES_MAX = 32, MESSAGE_NAME_WAIT_S = 20 };

struct message_name {
	uint32_t type;    /* MESSAGE_MAIL_NAME, set by message_name_send */
	uint32_t kind;    /* enum message_name_kind */
	uint32_t serial;  /* chosen by the asker; the answer repeats it */
	uint32_t outcome; /* enum message_name_outcome */
	uint32_t ttl_s;   /* how long the answer may be kept; 0: not told */
	uint32_t count;   /* of addresses; > 0 if and only if the outcome is FOUND */
	/* canonical, and each a single host (/32 or /128) */
	struct ip addresses[MESSAGE_NAME_ADDRESSES_MAX];
	char name[MESSAGE_NAME_BYTES_MAX]; /* not empty, filled up with NULs */
};

/* As message_send(). Sets the type. */
int message_name_send(int fd, const struct message_name *name, struct error *err);
/* Reads a packet of type MESSAGE_MAIL_NAME. -1: it is not valid; the caller drops it and may go on
 * using the connection. */
int message_name_read(const struct message_mail_packet *packet, struct message_name *ret_name);

#endif
