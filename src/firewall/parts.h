#ifndef VG_FIREWALL_PARTS_H
#define VG_FIREWALL_PARTS_H

/* Inside the firewall role: firewall.c is its set-up and loop, engines.c the life of the engines
 * and the notifier, kernel.c what they want done in the kernel, engine_link.c what an engine is
 * told. Each calls only those behind it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "firewall/nft_table.h"
#include "process/child.h"
#include "process/messages.h"

struct elements;
struct error;
struct own_addresses;
struct protected;
struct run_options;

enum { BATCH_MAX = 1024 }; /* records of one wake-up */

enum link_state { LINK_NONE, LINK_PREPARING, LINK_SEALED, LINK_RUNNING, LINK_STOPPING };

/* One engine. scopes[] translates its scope numbers; protected is its list until it is sealed. */
struct link {
	struct firewall *firewall; /* borrowed */
	struct child child;
	enum link_state state;
	uint32_t number; /* of the engine, from 1 */
	int64_t started_s;
	struct protected *protected; /* owned */
	uint8_t scopes[NFT_SCOPES_MAX];
	size_t n_scopes;
	bool lift_on_stop;
	bool ready;
	sd_event_source *io;
	sd_event_source *exit;
};

/* How a part of this role is, for engines that come later. */
struct health {
	int failure; /* errno value; 0: well */
	char text[MESSAGE_TEXT_MAX];
};

/* current is the engine that counts; next, during a reload, the one that gets ready. The engine
 * and the notifier share a pair made by firewall_join(). */
struct firewall {
	const struct run_options *options;
	sd_event *event;
	struct nft *nft; /* NULL: dry run */
	struct own_addresses *own_addresses;
	struct elements *elements; /* NULL: dry run */
	struct protected *hosts;   /* what the host must not be cut off from, SSH peers too */
	size_t n_peers;            /* of SSH, when last asked */
	bool peers_unread;         /* they could not be read */
	struct link links[2];
	struct link *current;
	struct link *next;
	uint32_t engines;
	struct child notifier;
	sd_event_source *notifier_io;
	sd_event_source *notifier_exit;
	int64_t notifier_started_s;
	int64_t notifier_again_s;
	int64_t notifier_delay_s;
	int listen_fd;
	sd_event_source *accept_io;
	sd_event_source *dump_io; /* NULL: no dump is running */
	struct health health[MESSAGE_PARTS];
	bool to_join;    /* a pair is due: once the engine's queue is empty */
	bool to_restore; /* the kernel refused; tried again by the tick */
	bool told_ready;
	bool stopping;
	int64_t stop_limit_s;
	int64_t next_ssh_s;
	int64_t next_generation_s;
	int exit_status;
};

/* One wake-up's changes with the records they answer. */
struct batch {
	struct nft_change changes[BATCH_MAX];
	struct message answers[BATCH_MAX];
	size_t count;
};

/* engine_link.c. Tells the engine that counts, if there is one. */
void firewall_tell(struct firewall *firewall, const struct message *record);
/* Tells the engine how a part is doing, and each one that comes later; failure: errno value, 0
 * ok. */
void firewall_tell_health(struct firewall *firewall, enum message_part part, int failure,
	const char *text);
/* Tells a new engine which parts are not well. */
void firewall_tell_failures(struct firewall *firewall);
/* A record of this type about one element; scope is our number. An engine that has no such scope
 * hears nothing: a later one adopts the element. */
void firewall_tell_element(struct firewall *firewall, enum message_type type, uint8_t scope,
	const struct ip *ip, int64_t ttl_s);

/* kernel.c. Reads the host's own addresses afresh; an engine that runs hears of them. */
void firewall_refresh_hosts(struct firewall *firewall);
/* Only the SSH sessions. */
void firewall_refresh_ssh(struct firewall *firewall);
/* Takes a MESSAGE_BAN or MESSAGE_LIFT into the batch, or refuses it. */
void firewall_batch_add(struct firewall *firewall, struct link *link, struct batch *batch,
	const struct message *record);
/* Does what the batch holds and answers it. */
void firewall_batch_apply(struct firewall *firewall, struct link *link, struct batch *batch);
void firewall_answer_query(struct firewall *firewall, struct link *link,
	const struct message *record);
/* Makes the table as it should be; why: what happened to it, for the journal. */
void firewall_restore(struct firewall *firewall, const char *why);
int firewall_on_nft_event(sd_event_source *source, int fd, uint32_t revents, void *context);
/* Lists the kernel's elements in the background; those without a ban are adopted. */
void firewall_adopt_start(struct firewall *firewall);
/* Before the loop sleeps: the list is read on only while somebody can take what it brings. */
void firewall_adopt_pace(struct firewall *firewall);

/* engines.c. Gives engine and notifier a new pair of their own, if one is due. */
void firewall_join(struct firewall *firewall);
/* Before the loop sleeps: clients wait in the backlog unless the engine can take them. */
void firewall_accept_pace(struct firewall *firewall);
/* Ends a next engine that does not get ready. */
void firewall_limit_next(struct firewall *firewall);
/* client_fd: who asked for a reload, or -1. */
int firewall_start_engine(struct firewall *firewall, int client_fd, struct error *err);
void firewall_start_notifier(struct firewall *firewall);
void firewall_link_done(struct firewall *firewall, struct link *link);
/* Ends the service: the engine commits first, the bans stay unless it is to lift them. */
void firewall_stop(struct firewall *firewall, int exit_status);

#endif
