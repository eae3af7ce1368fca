#ifndef VG_PROTECT_PARTS_H
#define VG_PROTECT_PARTS_H

/* Inside the protection, each file uses those before it:
 *   telling       the queue to the firewall role
 *   hosts         host names and their addresses
 *   ignore_files  the files of ignoreip
 *   by_hand       what a person protects
 *   protect       asks for names; time, health */

#include "protect/protect.h"

#include <sys/types.h>

#include "base/protected.h"
#include "dialect/ignore_words.h"
#include "process/messages.h"

enum { PROTECT_TROUBLE_MAX = 256 };

/* until_s 0: in the last answer; else a former address, let go then. */
struct protect_address {
	struct ip ip;
	int64_t until_s;
};

struct protect_host {
	char *name;                     /* owned; lower case */
	bool wanted;                    /* by ignoreip */
	bool allowed;                   /* by hand */
	int64_t allowed_until_s;        /* 0: for ever */
	enum message_name_outcome last; /* of the last answer; FOUND before the first */
	uint32_t serial;                /* of the question on its way; 0: none */
	int64_t lost_s;                 /* when that question counts as lost */
	int64_t next_ask_s;
	struct protect_address addresses[PROTECT_HOST_ADDRESSES_MAX];
	size_t n_addresses;
};

struct protect_file {
	const char *path; /* borrowed from the configuration */
	bool seen;        /* the fields below are of a file that was there */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
	struct ignore_words list;          /* the last that could be read */
	char trouble[PROTECT_TROUBLE_MAX]; /* rendered; "": all of it is protected */
};

/* An address that the firewall role is to hear of. */
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
	size_t n_left_out; /* names and files beyond the caps */
	bool is_full;      /* the list of the protected takes no more */
	int64_t next_files_s;
	uint32_t last_serial;
	struct store_allow *allows; /* owned, with their texts; by hand, oldest first */
	size_t n_allows;
	struct ipmap *known;     /* owned; of an address: until when the firewall role has heard */
	struct telling *telling; /* owned queue; told up to n_told */
	size_t n_telling;
	size_t n_told;
};

/* Queues an address for the firewall role, which takes nothing back. until_s: when that lets it go
 * by itself, 0: never. */
void telling_add(struct protect *protect, const struct ip *ip, const char *because,
	int64_t until_s);
/* Protects ip here, until the caller takes it out of the list, and queues it once, and again if it
 * is for longer. */
void telling_protect(struct protect *protect, const struct ip *ip, const char *because,
	enum protected_source source, int64_t until_s);
void telling_done(struct protect *protect);

/* name in lower case. NULL: there is none. */
struct protect_host *hosts_find(const struct protect *protect, const char *name);
/* Protects the addresses of a name. */
void hosts_protect(struct protect *protect, const struct protect_host *host);
/* Protects anew what all names have; for when there are fewer. */
void hosts_protect_again(struct protect *protect);
/* Takes in the names of the configuration and of the files; what nobody names any more goes. */
void hosts_collect(struct protect *protect);
/* A name of by_hand. False: there is no room. After hosts_disallow: hosts_sweep. */
bool hosts_allow(struct protect *protect, const char *name, int64_t until_s);
void hosts_disallow(struct protect *protect, const char *name);
/* Lets go what nobody names any more. */
void hosts_sweep(struct protect *protect);
void hosts_done(struct protect *protect);

/* Reads files that have changed. True if any was read anew: names may have changed. */
bool ignore_files_read(struct protect *protect);
void ignore_files_done(struct protect *protect);

/* Ends what was allowed for a time. */
void by_hand_tick(struct protect *protect, int64_t now_s);
void by_hand_done(struct protect *protect);

#endif
