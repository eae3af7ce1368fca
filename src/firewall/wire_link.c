#include "firewall/parts.h"

#include <errno.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "firewall/nflog_open.h"

enum { WIRE_AGAIN_S = 60 };

static void wire_close(struct firewall *firewall)
{
	if (firewall->wire_fd >= 0)
		(void)close(firewall->wire_fd); /* an engine that reads it has its own copy */
	firewall->wire_fd = -1;
}

/* The socket listens before the rule makes copies. */
static int wire_make(struct firewall *firewall, struct error *err)
{
	if (firewall->wire_fd < 0 &&
		nflog_open((uint16_t)firewall->wire_group, &firewall->wire_fd, err) < 0)
		return -1;
	return nft_wire(firewall->nft, firewall->wire_group, err);
}

static void wire_try(struct firewall *firewall)
{
	struct message record = { .type = MESSAGE_WIRE, .failure = EIO };
	bool has_failed = firewall->wire_again_s != 0;
	struct error err;

	if (wire_make(firewall, &err) == 0) {
		firewall->wire_again_s = 0;
		firewall->to_pass_wire = firewall->to_pass_wire || has_failed;
		return;
	}
	firewall->wire_again_s = clock_boot_s() + WIRE_AGAIN_S;
	if (!has_failed)
		log_line(LOG_WARNING, "no source is proven by its challenge: %s", err.text);
	(void)text_format(record.text, sizeof(record.text), "%s", err.text);
	firewall_tell(firewall, &record);
}

void firewall_wire_start(struct firewall *firewall)
{
	struct error err;

	if (!firewall->nft)
		return;
	if (firewall->wire_group != firewall->current->wire_group)
		wire_close(firewall);
	firewall->wire_group = firewall->current->wire_group;
	firewall->wire_again_s = 0;
	firewall->to_pass_wire = firewall->wire_group != NFT_WIRE_NONE;
	if (firewall->wire_group != NFT_WIRE_NONE)
		wire_try(firewall);
	else if (nft_wire(firewall->nft, NFT_WIRE_NONE, &err) < 0)
		log_line(LOG_ERR, "%s", err.text);
}

void firewall_wire_restore(struct firewall *firewall)
{
	const struct message lost = { .type = MESSAGE_WIRE };

	if (firewall->wire_group == NFT_WIRE_NONE)
		return;
	firewall_tell(firewall, &lost);
	wire_try(firewall);
}

/* A record with a descriptor cannot wait in the queue, so it would overtake the records there, of
 * which MESSAGE_GO may be one. */
void firewall_wire_pass(struct firewall *firewall)
{
	const struct message record = { .type = MESSAGE_WIRE };
	struct link *link = firewall->current;

	if (!firewall->to_pass_wire || firewall->wire_again_s || !link ||
		link->state != LINK_RUNNING || link->child.queue_count)
		return;
	/* if the socket was full, this is called again before the loop sleeps */
	firewall->to_pass_wire = child_send(&link->child, &record, firewall->wire_fd) < 0;
}

void firewall_wire_tick(struct firewall *firewall, int64_t now_s)
{
	if (firewall->wire_again_s && now_s >= firewall->wire_again_s)
		wire_try(firewall);
}

void firewall_wire_end(struct firewall *firewall)
{
	/* the next start replaces a chain that is left */
	if (firewall->nft && firewall->wire_group != NFT_WIRE_NONE)
		(void)nft_wire(firewall->nft, NFT_WIRE_NONE, NULL);
	wire_close(firewall);
}
