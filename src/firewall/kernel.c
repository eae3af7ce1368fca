#include "firewall/parts.h"

#include <errno.h>
#include <syslog.h>

#include <systemd/sd-event.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/protected.h"
#include "base/text.h"
#include "firewall/elements.h"
#include "firewall/own_addresses.h"

/* ADOPT_RESERVE: places in the engine's queue that the list of elements must leave free. */
enum { LOGINS_EVERY_S = 10, ADOPT_RESERVE = CHILD_QUEUE_MAX / 4 };

/* ---- protection ---- */

/* Protects an address, and tells a running engine. */
static void host_add(struct firewall *firewall, enum own_addresses_kind kind, const struct ip *ip)
{
	struct message record = { .type = MESSAGE_OWN_ADDRESS, .number = kind, .ip = *ip };
	const char *because = own_addresses_kind_text(kind);

	if (!protected_add(firewall->hosts, ip, because, PROTECTED_BY_HOST))
		log_line(LOG_WARNING, "more than %d protected addresses", PROTECTED_MAX);
	(void)text_format(record.text, sizeof(record.text), "%s", because);
	if (firewall->current && firewall->current->state == LINK_RUNNING)
		firewall_tell(firewall, &record);
}

void firewall_refresh_hosts(struct firewall *firewall)
{
	cleanup_free struct own_addresses_found *found = alloc_zero(sizeof(*found));
	const struct message begin = { .type = MESSAGE_OWN_ADDRESS };
	struct error err;

	if (own_addresses_list(firewall->own_addresses, found, &err) == 0) {
		protected_free(firewall->hosts);
		firewall->hosts = protected_new();
	} else { /* the old list stays: better protect too much than ban the gateway */
		log_line(LOG_ERR, "cannot read the host's own addresses: %s", err.text);
	}
	if (firewall->current && firewall->current->state == LINK_RUNNING)
		firewall_tell(firewall, &begin);
	for (size_t i = 0; i < found->count; i++)
		host_add(firewall, found->entries[i].kind, &found->entries[i].ip);
	for (size_t i = 0; i < firewall->logins.count; i++)
		host_add(firewall, OWN_SSH_PEER, &firewall->logins.entries[i].ip);
}

/* What one look at the logins finds. */
struct login_look {
	struct logins *logins;
	int64_t now_s;
	bool changed;
	struct shown name; /* of one without an address; "": all have one */
};

static void login_each(void *context, const struct ip *ip, const char *name)
{
	struct login_look *look = context;

	if (!ip)
		look->name = text_shown_string(name);
	else if (logins_add(look->logins, ip, look->now_s))
		look->changed = true;
}

void firewall_refresh_logins(struct firewall *firewall)
{
	struct login_look look = { .logins = &firewall->logins, .now_s = clock_boot_s() };
	struct error err;

	firewall->next_logins_s = look.now_s + LOGINS_EVERY_S;
	if (logins_list(LOGINS_UTMP, login_each, &look, &err) == 0) {
		firewall->logins_unread = false;
		/* if they cannot all be read, who is protected stays so */
		look.changed |= logins_expire(&firewall->logins, look.now_s);
	} else {
		if (!firewall->logins_unread) /* log it once; each look tries again */
			log_line(LOG_ERR, "cannot read the SSH sessions: %s", err.text);
		firewall->logins_unread = true;
	}
	if (look.name.text[0] && !firewall->logins_named)
		log_line(LOG_WARNING,
			"the SSH session from '%s' protects nobody, since a name proves nothing: set "
			"UseDNS to no in sshd_config",
			look.name.text);
	firewall->logins_named = look.name.text[0] != '\0';
	if (look.changed)
		firewall_refresh_hosts(firewall);
}

/* ---- bans ---- */

void firewall_batch_apply(struct firewall *firewall, struct link *link, struct batch *batch)
{
	struct error err;

	if (!batch->count)
		return;
	if (elements_apply(firewall->elements, batch->changes, batch->count, link->number,
		    clock_boot_s(), &err) < 0) {
		log_line(LOG_ERR, "the firewall refuses: %s", err.text);
		firewall_tell_health(firewall, MESSAGE_PART_FIREWALL, EIO, err.text);
		firewall->to_restore = true;
	}
	for (size_t i = 0; i < batch->count; i++) {
		batch->answers[i].failure = batch->changes[i].failure;
		/* the queue has room: on_engine() stops reading when it is half full */
		(void)child_send(&link->child, &batch->answers[i], -1);
	}
	batch->count = 0;
	/* One of these bans may have hit somebody who logged in by SSH since the last look: look
	 * again at the next tick, within a second; the engine then lifts the ban. Looking before
	 * each ban would cost milliseconds where there are many sessions. */
	firewall->next_logins_s = clock_boot_s();
}

void firewall_batch_add(struct firewall *firewall, struct link *link, struct batch *batch,
	const struct message *record)
{
	struct message answer = { .type = MESSAGE_HELD,
		.number = record->number,
		.ip = record->ip,
		.ttl_s = record->type == MESSAGE_LIFT ? -1 : record->ttl_s };
	const char *because = NULL;

	if (record->type == MESSAGE_BAN) {
		because = protected_find(firewall->hosts, &record->ip);
		if (!because)
			because = protected_find(link->protected, &record->ip);
	}
	if (record->number >= link->n_scopes || !firewall->elements ||
		!ip_has_ban_width(&record->ip) ||
		(record->type == MESSAGE_BAN && record->ttl_s < 0))
		answer.failure = EINVAL;
	else if (because)
		answer.failure = EPERM;
	if (answer.failure) {
		(void)text_format(answer.text, sizeof(answer.text), "%s", because ? because : "");
		(void)child_send(&link->child, &answer, -1); /* the queue has room, as above */
		return;
	}
	batch->changes[batch->count] =
		(struct nft_change){ .op = record->type == MESSAGE_BAN ? NFT_BAN : NFT_LIFT,
			.scope = link->scopes[record->number],
			.ip = record->ip,
			.ttl_s = record->ttl_s };
	batch->answers[batch->count++] = answer;
	if (batch->count == BATCH_MAX)
		firewall_batch_apply(firewall, link, batch);
}

void firewall_answer_query(struct firewall *firewall, struct link *link,
	const struct message *record)
{
	struct message answer = { .type = MESSAGE_COUNTERS,
		.number = record->number,
		.serial = record->serial,
		.ip = record->ip,
		.failure = ENOENT };
	struct nft_element element = { .ip = record->ip };

	if (record->number < link->n_scopes && record->ip.family && firewall->nft) {
		element.scope = link->scopes[record->number];
		if (nft_query(firewall->nft, &element, NULL) == 0 && element.present) {
			answer.failure = 0;
			answer.packets = element.packets;
			answer.bytes = element.bytes;
		}
	}
	(void)child_send(&link->child, &answer, -1); /* the queue has room */
}

/* ---- the kernel's events ---- */

void firewall_restore(struct firewall *firewall, const char *why)
{
	struct error err;
	size_t count;

	firewall->to_restore = false;
	if (elements_restore(firewall->elements, clock_boot_s(), &count, &err) < 0) {
		if (!firewall->health[MESSAGE_PART_FIREWALL].failure) /* log it once */
			log_line(LOG_ERR, "cannot restore the firewall table: %s", err.text);
		firewall_tell_health(firewall, MESSAGE_PART_FIREWALL, EIO, err.text);
		firewall->to_restore = true;
		return;
	}
	firewall_wire_restore(firewall);
	firewall_connections_restore(firewall);
	log_line(LOG_WARNING, "the firewall table was %s: restored with %zu elements", why, count);
	firewall_tell_health(firewall, MESSAGE_PART_FIREWALL, 0, "");
}

/* Somebody has deleted one element by hand: the engine ends the ban. */
static void admin_lift(void *context, uint8_t scope, const struct ip *ip)
{
	struct firewall *firewall = context;

	elements_forget(firewall->elements, scope, ip);
	firewall_tell_element(firewall, MESSAGE_ADMIN_LIFT, scope, ip, 0);
}

int firewall_on_nft_event(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;
	char why[96];
	char who[64];

	(void)source, (void)fd, (void)revents;
	if (nft_watch_read(firewall->nft, who, admin_lift, firewall) != NFT_EVENT_CHECK)
		return 0;
	(void)text_format(why, sizeof(why), "changed by %s", who[0] ? who : "somebody else");
	firewall_restore(firewall, why);
	return 0;
}

static void adopt(void *context, const struct nft_element *element)
{
	struct firewall *firewall = context;

	if (firewall->current && elements_adopt(firewall->elements, element,
					 firewall->current->number, clock_boot_s()))
		firewall_tell_element(firewall, MESSAGE_ADOPT, element->scope, &element->ip,
			element->ttl_s);
}

static int on_dump(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;
	struct error err;
	int rc;

	(void)source, (void)fd, (void)revents;
	rc = nft_dump_read(firewall->nft, adopt, firewall, &err);
	if (rc == 1)
		return 0;
	if (rc < 0)
		log_line(LOG_ERR, "cannot list the bans in the kernel: %s", err.text);
	firewall->dump_io = sd_event_source_disable_unref(firewall->dump_io);
	return 0;
}

void firewall_adopt_pace(struct firewall *firewall)
{
	const struct link *link = firewall->current;
	bool taken = link && link->ready && link->state == LINK_RUNNING &&
		     link->child.queue_count <= CHILD_QUEUE_MAX - ADOPT_RESERVE;

	if (firewall->dump_io) /* cannot fail on a live source */
		(void)sd_event_source_set_enabled(firewall->dump_io,
			taken ? SD_EVENT_ON : SD_EVENT_OFF);
}

void firewall_adopt_start(struct firewall *firewall)
{
	struct error err;

	if (nft_dump_start(firewall->nft, &err) < 0) {
		log_line(LOG_ERR, "cannot list the bans in the kernel: %s", err.text);
		return;
	}
	if (sd_event_add_io(firewall->event, &firewall->dump_io, nft_dump_fd(firewall->nft),
		    EPOLLIN, on_dump, firewall) < 0)
		log_line(LOG_ERR, "cannot watch the list of the bans in the kernel");
}
