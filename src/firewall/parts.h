#ifndef VG_FIREWALL_PARTS_H
#define VG_FIREWALL_PARTS_H

/* What the files of the firewall role share. Each of these calls only those below it:
 * - firewall.c sets the role up and runs its event loop, with a tick each second;
 * - engines.c starts, replaces and stops the engines, reads their records, and keeps the notifier
 *   running;
 * - kernel.c does in the kernel what the engines ask for, refuses to ban what is protected, and
 *   repairs the table when somebody else changes it;
 * - connections.c answers which connections this host has sent data to;
 * - wire_link.c has the kernel copy SIP challenges, and passes the socket with the copies on;
 * - engine_link.c tells the engine what it has to know.
 * They stand on files with headers of their own: elements.c (what the kernel should hold),
 * own_addresses.c and logins.c (what must never be banned), nft_*.c (the nftables table, by way of
 * nft_table.h) and netlink.c (talking to the kernel).
 *
 * Two things are called a batch. The struct batch of this file collects the bans and lifts that an
 * engine asked for, from one wake-up of the loop. A struct nft_batch (nft_parts.h) is one netlink
 * transaction, which the kernel commits as a whole or not at all; nft_apply() makes as many of them
 * as a struct batch needs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "firewall/logins.h"
#include "firewall/nft_table.h"
#include "process/child.h"
#include "process/messages.h"

struct elements;
struct error;
struct own_addresses;
struct protected;
struct run_options;

enum { BATCH_MAX = 1024 }; /* records read from an engine in one wake-up of the loop */

/* NONE: a free place. PREPARING: the engine reads its configuration and names its scopes and what
 * it protects. SEALED: it is ready to take over, and waits until the current engine has ended.
 * RUNNING: it got MESSAGE_GO. STOPPING: a reload has sent it MESSAGE_STOP; its last bans still
 * count. */
enum link_state { LINK_NONE, LINK_PREPARING, LINK_SEALED, LINK_RUNNING, LINK_STOPPING };

/* One engine, as this role sees it. Times are CLOCK_BOOTTIME in seconds. */
struct link {
	struct firewall *firewall; /* borrowed */
	struct child child;
	enum link_state state;
	uint32_t number; /* 1 for the first engine since the service started, 2 for the next */
	int64_t started_s;
	int64_t stop_limit_s; /* after MESSAGE_STOP: when it is killed; 0: it was not told to end */
	struct protected *protected; /* owned; what its configuration forbids to ban */
	/* scopes[n]: the number that elements_scope() gave to this engine's scope n.
	 * NFT_SCOPES_MAX: its sets could not be made, and each ban in it is refused. */
	uint8_t scopes[NFT_SCOPES_MAX];
	size_t n_scopes;
	bool lift_on_stop;  /* the configuration says on_stop = lift */
	int32_t wire_group; /* the NFLOG group that it wants copies by, or NFT_WIRE_NONE */
	struct scope connection_ports; /* whose connections it wants noted; without ranges: none */
	bool ready;                    /* it has sent MESSAGE_READY */
	bool killed;                   /* it was told to end, and did not in time */
	sd_event_source *io;
	sd_event_source *exit;
};

/* How a part of the service is doing; kept, so that an engine that starts later can be told. */
struct health {
	int failure; /* errno value; 0: it works */
	char text[MESSAGE_TEXT_MAX];
};

/* A question about a connection, of which the kernel knew nothing when it came. */
struct connection_look {
	uint32_t engine; /* its number */
	uint32_t serial;
	struct ip ip;
	uint16_t port;
	uint64_t due_us; /* of the second look; CLOCK_BOOTTIME */
};

/* CONNECTION_LOOKS_MAX: questions that wait; a further one is answered at once. */
enum { CONNECTION_LOOKS_MAX = 256 };

/* looks is a ring, oldest first. */
struct connections {
	struct scope ports;   /* what the current engine wants; without ranges: nothing */
	int64_t again_s;      /* when to try again to make the rules; 0: they are there */
	uint64_t missed;      /* the kernel's count at the last tick */
	int64_t full_until_s; /* until then newcomers may be missed */
	struct connection_look looks[CONNECTION_LOOKS_MAX];
	size_t first;
	size_t count;
	sd_event_source *timer; /* NULL until a question waits for the first time */
};

/* The whole role. current is the engine that works; next is the one that gets ready during a
 * reload, or at the start. Engine and notifier talk over a socket pair that firewall_join() makes.
 * Times are CLOCK_BOOTTIME in seconds. */
struct firewall {
	const struct run_options *options;
	sd_event *event;
	struct nft *nft; /* NULL: dry run */
	struct own_addresses *own_addresses;
	struct elements *elements; /* NULL: dry run */
	struct protected *hosts;   /* owned; gateways, own addresses, SSH users: never banned */
	struct logins logins;      /* who is logged in by SSH, or was a moment ago */
	bool logins_unread;        /* the last look failed, and the journal says so */
	bool logins_named; /* at the last look one had no address, and the journal says so */
	struct link links[2];
	struct link *current;
	struct link *next;
	uint32_t engines; /* started so far: the number of the last one */
	struct child notifier;
	sd_event_source *notifier_io;
	sd_event_source *notifier_exit;
	int64_t notifier_started_s;
	int64_t notifier_again_s;   /* while none runs: when to start the next */
	int64_t notifier_delay_s;   /* the last wait before a start; doubled by each failure */
	int listen_fd;              /* the control socket */
	sd_event_source *accept_io; /* NULL: not listening yet */
	sd_event_source *dump_io;   /* NULL: no dump is running */
	int32_t wire_group;         /* what the current engine wants, or NFT_WIRE_NONE */
	int wire_fd;                /* owned; listens to that group; -1: it does not */
	int64_t wire_again_s;       /* when to try again to have copies made; 0: there are some */
	bool to_pass_wire;          /* the current engine has not got wire_fd yet */
	struct connections connections;
	struct health health[MESSAGE_PARTS];
	bool to_join;    /* engine and notifier need a new pair; see firewall_join() */
	bool to_restore; /* the kernel failed: the next tick restores the table */
	bool told_ready; /* the service manager has got READY=1 */
	bool stopping;
	int64_t stop_limit_s;      /* while stopping: the loop ends then at the latest */
	int64_t next_logins_s;     /* when to look for SSH users again */
	int64_t next_generation_s; /* when to ask the kernel for its generation again */
	int exit_status;
};

/* The bans and lifts of one wake-up, not a netlink transaction (see above). answers[i] is the
 * MESSAGE_HELD that tells the engine what became of changes[i]. */
struct batch {
	struct nft_change changes[BATCH_MAX];
	struct message answers[BATCH_MAX];
	size_t count;
};

/* ---- engine_link.c ---- */

/* Sends a record to the current engine, if there is one; it waits in the queue when the socket is
 * full. */
void firewall_tell(struct firewall *firewall, const struct message *record);
/* Notes how a part is doing, and tells the current engine. failure: an errno value, 0: it works;
 * text says what is wrong, and is cut to MESSAGE_TEXT_MAX. */
void firewall_tell_health(struct firewall *firewall, enum message_part part, int failure,
	const char *text);
/* Tells the current engine, which is new, of each part that does not work. */
void firewall_tell_failures(struct firewall *firewall);
/* Sends the current engine a record of this type about one element. scope is a number of
 * elements_scope(), and is translated into the engine's own. An engine whose configuration has no
 * such scope is told nothing. */
void firewall_tell_element(struct firewall *firewall, enum message_type type, uint8_t scope,
	const struct ip *ip, int64_t ttl_s);

/* ---- kernel.c ---- */

/* Reads again what the host must not be cut off from, and tells a running engine the whole list. If
 * it cannot be read, what was protected stays protected. */
void firewall_refresh_hosts(struct firewall *firewall);
/* Looks who is logged in by SSH; if that makes a difference, as firewall_refresh_hosts(). */
void firewall_refresh_logins(struct firewall *firewall);
/* Checks a MESSAGE_BAN or MESSAGE_LIFT and adds it to the batch, which is applied when it is full.
 * One that is invalid (EINVAL) or would ban something protected (EPERM) is answered at once. */
void firewall_batch_add(struct firewall *firewall, struct link *link, struct batch *batch,
	const struct message *record);
/* Makes the changes of the batch in the kernel, answers each, and empties the batch. */
void firewall_batch_apply(struct firewall *firewall, struct link *link, struct batch *batch);
/* Answers a MESSAGE_QUERY with what the kernel has counted for the element, or ENOENT. */
void firewall_answer_query(struct firewall *firewall, struct link *link,
	const struct message *record);
/* Makes the kernel's table as it should be; the next tick tries again if that fails. why: what
 * happened to the table, as a participle for the journal ("changed by nft"). */
void firewall_restore(struct firewall *firewall, const char *why);
/* For sd-event, when the kernel reports changes of the rule set: restores what others broke. */
int firewall_on_nft_event(sd_event_source *source, int fd, uint32_t revents, void *context);
/* Starts to list the kernel's elements in the background. The engine is told of each that it has
 * not asked for, such as one from an earlier run, and makes it a ban (MESSAGE_ADOPT). */
void firewall_adopt_start(struct firewall *firewall);
/* Called before the loop sleeps: goes on reading that list only while an engine runs and has room
 * in its queue for what the list brings. */
void firewall_adopt_pace(struct firewall *firewall);

/* ---- connections.c ---- */

/* Has the kernel note the connections that the current engine wants, or none. While that does not
 * work the engine is told by MESSAGE_HEALTH, and it is tried again by firewall_connections_tick(),
 * once a minute. */
void firewall_connections_start(struct firewall *firewall);
/* The table was changed or deleted by somebody else, and made again. */
void firewall_connections_restore(struct firewall *firewall);
/* Also tells the engine when the sets are full, and when they are no more. */
void firewall_connections_tick(struct firewall *firewall, int64_t now_s);
/* Answers a MESSAGE_CONNECTION by what the kernel knows: at once if it is connected, else by a
 * second look 20 ms later, since a log can be faster than the packet that it tells of. now_us:
 * CLOCK_BOOTTIME. */
void firewall_connections_ask(struct firewall *firewall, struct link *link,
	const struct message *question, uint64_t now_us);
/* Takes the second looks that are due. */
void firewall_connections_look(struct firewall *firewall, uint64_t now_us);
/* Ends the rules and sets, when the service ends. */
void firewall_connections_end(struct firewall *firewall);

/* ---- wire_link.c ---- */

/* For a new current engine: has copies made if the engine wants them, else ends them. What does not
 * work the engine is told, and it is tried again by firewall_wire_tick(), once a minute. */
void firewall_wire_start(struct firewall *firewall);
/* The table was changed by somebody else, and is restored: makes the rule again, and tells the
 * engine that copies may be missing. */
void firewall_wire_restore(struct firewall *firewall);
/* Called before the loop sleeps: gives the engine the socket, if it can take one now. */
void firewall_wire_pass(struct firewall *firewall);
void firewall_wire_tick(struct firewall *firewall, int64_t now_s);
/* The service ends: no copies are made any more. */
void firewall_wire_end(struct firewall *firewall);

/* ---- engines.c ---- */

/* Gives engine and notifier a new socket pair if they need one and the engine can take it now. */
void firewall_join(struct firewall *firewall);
/* Called before the loop sleeps: accepts clients of the control socket only while the engine can
 * take them; until then they wait in the socket's backlog. */
void firewall_accept_pace(struct firewall *firewall);
/* Kills an engine that a reload started and that is not sealed in time, and one that has been told
 * to end and has not. now_s: CLOCK_BOOTTIME. */
void firewall_limit_engines(struct firewall *firewall, int64_t now_s);
/* Starts an engine as firewall->next. client_fd: the connection of the client that asked for a
 * reload, which the engine gets a copy of; -1: none. -1 with a sentence: none was started. */
int firewall_start_engine(struct firewall *firewall, int client_fd, struct error *err);
/* Starts the notifier; if that fails, the tick tries again later. */
void firewall_start_notifier(struct firewall *firewall);
/* Frees what belongs to an engine that has ended, and makes its place free. */
void firewall_link_done(struct firewall *firewall, struct link *link);
/* Begins to end the service: tells the engines to commit and end; the loop ends when they have.
 * exit_status: of the service. The bans stay in the kernel unless the configuration says
 * on_stop = lift. */
void firewall_stop(struct firewall *firewall, int exit_status);

#endif
