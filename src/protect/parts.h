#ifndef VG_PROTECT_PARTS_H
#define VG_PROTECT_PARTS_H

/* Inside protect: protect.c asks for names and protects, protect_names.c knows which names there
 * are, ignore_files.c reads the files. */

#include "protect/protect.h"

#include <sys/types.h>

#include "dialect/ignore_words.h"
#include "process/messages.h"

/* Sources in the list of the protected. */
enum { PROTECT_NAME_SOURCE = 3, PROTECT_FILE_SOURCE = 4 };
enum { PROTECT_TROUBLE_MAX = 256 };

/* until_s 0: in the last answer; else a former address, let go then. */
struct protect_address {
	struct ip ip;
	int64_t until_s;
};

struct protect_host {
	char *name;   /* owned; lower case */
	bool wanted;  /* by ignoreip */
	bool allowed; /* by hand: at_s, until_s (0: for ever) and note are of that */
	int64_t at_s;
	int64_t until_s;
	char *note;                     /* owned; NULL if not allowed by hand */
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

/* What the firewall role has heard of an address, or will: until when it is protected, 0: for ever.
 * It is told again only what is later. */
struct protect_known {
	int64_t until_s;
};

/* An address that the firewall role is to hear of. */
struct protect_telling {
	struct ip ip;
	unsigned source;
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
	struct ipmap
		*known; /* owned, and its struct protect_known; of what is or was in the queue */
	struct protect_telling *telling; /* owned queue; told up to n_told */
	size_t n_telling;
	size_t n_told;
};

/* Protects ip, and queues it for the firewall role, which takes nothing back, once, and again if it
 * is for longer. until_s: when that lets it go by itself, 0: never. Here the caller does. */
void protect_address(struct protect *protect, const struct ip *ip, const char *because,
	unsigned source, int64_t until_s);
/* Protects anew what all names have; for when there are fewer. */
void protect_names_again(struct protect *protect);
void __attribute__((format(printf, 3, 4)))
protect_note(const struct protect *protect, int priority, const char *format, ...);
/* name in lower case. NULL: there is none. */
struct protect_host *hosts_find(const struct protect *protect, const char *name);
/* Takes in the names of the configuration and of the files; what nobody names any more goes. */
void hosts_collect(struct protect *protect);
/* Ends what was allowed by hand for a time. */
void hosts_expire(struct protect *protect, int64_t now_s);
void hosts_done(struct protect *protect);
/* Reads files that have changed. True if any was read anew: names may have changed. */
bool ignore_files_read(struct protect *protect);
void ignore_files_done(struct protect *protect);

#endif
