#ifndef VG_PROTECT_PARTS_H
#define VG_PROTECT_PARTS_H

/* What the files of the protection share with each other and nobody else. The protection
 * (protect.h) is one object in several files, and each file calls only those above it in this list.
 *
 *   telling       protects addresses here and queues them for the firewall role
 *   hosts         the protected host names and their addresses
 *   ignore_files  reads the files that ignoreip names
 *   pbx_trunks    the trunks that Asterisk's own configuration names
 *   by_hand       what "voipguard allow" protects
 *   protect       begins and ends all of it, asks for names and takes answers; ticks, health */

#include "protect/protect.h"

#include <sys/stat.h>

#include "base/protected.h"
#include "dialect/ignore_words.h"
#include "process/messages.h"

enum { PROTECT_TROUBLE_MAX = 256 };

/* An address of a host name. until_s 0: the last answer has it; else the last answer lacks it, and
 * it stays protected until then. */
struct protect_address {
	struct ip ip;
	int64_t until_s;
};

struct protect_host {
	char *name;                     /* owned; in lower case */
	bool wanted;                    /* ignoreip names it, in a jail or in a file */
	const char *trunk;              /* borrowed; why it is a trunk's name; NULL: it is none */
	bool allowed;                   /* a person has allowed it by hand */
	int64_t allowed_until_s;        /* of `allowed`; 0: for ever */
	enum message_name_outcome last; /* the last answer's; FOUND before the first */
	uint32_t serial;                /* of the question that has no answer yet; 0: none */
	int64_t lost_s;                 /* from then on that question counts as lost */
	int64_t next_ask_s;
	struct protect_address addresses[PROTECT_HOST_ADDRESSES_MAX];
	size_t n_addresses;
};

struct protect_file {
	const char *path;                  /* borrowed from the configuration */
	bool seen;                         /* it could be read the last time */
	struct stat status;                /* of the file that was read last */
	struct ignore_words list;          /* its entries, as it could be read last */
	char trouble[PROTECT_TROUBLE_MAX]; /* why some are not protected, rendered, or "" */
};

/* An address that the firewall role is to be told. until_s 0: for ever. */
struct telling {
	struct ip ip;
	int64_t until_s;
	char because[MESSAGE_TEXT_MAX];
};

struct protect {
	const struct config *config; /* borrowed */
	struct guard *guard;         /* borrowed */
	struct protected *protected; /* borrowed */
	struct store *store;         /* borrowed; NULL before protect_attach */
	struct protect_events events;
	struct protect_host *hosts; /* owned */
	size_t n_hosts;
	struct protect_file files[PROTECT_FILES_MAX];
	size_t n_files;
	size_t n_left_out;  /* names and entries by hand beyond the caps */
	bool is_full;       /* `protected` had no room for an address */
	struct pbx *pbx;    /* owned; NULL: Asterisk's configuration is not read */
	uint64_t pbx_seen;  /* the state of its files at the last look */
	unsigned pbx_waits; /* looks that found them changed since the look before */
	uint64_t pbx_tried; /* the state in which they were read last, 0: none since the start */
	char pbx_trouble[PROTECT_TROUBLE_MAX]; /* as `trouble` of a file */
	int64_t next_files_s;
	uint32_t last_serial;
	struct store_allow *allows; /* owned, with their texts; oldest first */
	size_t n_allows;
	struct ipmap *known;     /* owned; address → until when the firewall role protects it */
	struct telling *telling; /* owned queue; the first n_told of it have been told */
	size_t n_telling;
	size_t n_told;
};

/* Queues an address for the firewall role, which protects it until until_s (0: until the next
 * engine) and cannot be told otherwise before. because is copied. */
void telling_add(struct protect *protect, const struct ip *ip, const char *because,
	int64_t until_s);
/* Protects ip in this process, until the caller clears that source in the list. Queues it for the
 * firewall role if that has not heard of it, or only for a shorter time. because is copied. */
void telling_protect(struct protect *protect, const struct ip *ip, const char *because,
	enum protected_source source, int64_t until_s);
/* Frees the queue and the list of what the firewall role has heard. */
void telling_done(struct protect *protect);

/* The host of that name, which is in lower case; NULL: there is none. */
struct protect_host *hosts_find(const struct protect *protect, const char *name);
/* Protects all addresses of a host, and queues them for the firewall role. */
void hosts_protect(struct protect *protect, const struct protect_host *host);
/* Builds the protection by names anew from the addresses that all hosts have now. To be called when
 * some have gone: the list cannot remove single addresses. */
void hosts_protect_again(struct protect *protect);
/* Takes in the names that ignoreip has in the configuration and in files, and those of trunks, and
 * drops those that nobody names any more. */
void hosts_collect(struct protect *protect);
/* A person allows a name (in lower case) until until_s (0: for ever). False: there is no room. */
bool hosts_allow(struct protect *protect, const char *name, int64_t until_s);
/* A person no longer allows it. The caller calls hosts_sweep when all such names are done. */
void hosts_disallow(struct protect *protect, const char *name);
/* Drops hosts that nobody names any more, also from the database, and protects what is left. */
void hosts_sweep(struct protect *protect);
/* Frees all hosts. */
void hosts_done(struct protect *protect);

/* Reads the files that have changed, and protects their addresses. True: one was read, and may name
 * other hosts than before (see hosts_collect). */
bool ignore_files_read(struct protect *protect);
/* Frees the entries of all files. */
void ignore_files_done(struct protect *protect);

/* Reads Asterisk's configuration again if it has changed and stays so since the last call. */
void pbx_trunks_read(struct protect *protect);
/* Frees what was read of it. */
void pbx_trunks_done(struct protect *protect);

/* Ends the entries whose time is over. */
void by_hand_tick(struct protect *protect, int64_t now_s);
/* Frees all entries. */
void by_hand_done(struct protect *protect);

#endif
