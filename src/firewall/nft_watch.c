#include "firewall/nft_parts.h"

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>

enum {
	/* Datagrams in one call; the next call reads the rest. */
	WATCH_READS_MAX = 1024,
	/* In one call, how often reading starts again after lost events. */
	WATCH_LOSSES_MAX = 16,
	WHO_BYTES = 64,
};

struct watch {
	struct nft *nft;
	enum nft_event event;
	char *who; /* WHO_BYTES */
	void (*lifted)(void *context, uint8_t scope, const struct ip *ip);
	void *context;
};

int nft_watch_fd(const struct nft *nft)
{
	return nft->watch.fd;
}

static void element_deleted(void *context, const struct nft_element *element)
{
	struct nft_commit *commit = context;

	if (commit->deleted++ == 0) {
		commit->scope = element->scope;
		commit->ip = element->ip;
	}
}

static void element_added(void *context, const struct nft_element *element)
{
	struct nft_commit *commit = context;

	(void)element;
	commit->added++;
}

static uint32_t generation_read(const struct nlmsghdr *message)
{
	const struct nlattr *attr = nft_attribute(message, NFTA_GEN_ID);

	if (!attr || mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return 0;
	return ntohl(mnl_attr_get_u32(attr));
}

/* NFT_MSG_NEWGEN ends a commit: now its events can be judged together. One element deleted and none
 * added is an unban by hand; more than that is a set that was emptied or replaced. Each commit
 * raises the generation by 1, so a gap means lost events. */
static void commit_judge(struct watch *watch, const struct nlmsghdr *message)
{
	struct nft *nft = watch->nft;
	struct nft_commit commit = nft->commit;
	uint32_t generation = generation_read(message);
	uint32_t expected = nft->generation + 1 ? nft->generation + 1 : 1; /* the kernel skips 0 */
	const char *name = nft_attribute_string(message, NFTA_GEN_PROC_NAME);
	bool one = commit.deleted == 1 && commit.added == 0;

	if (nft->generation && generation != expected)
		watch->event = NFT_EVENT_CHECK; /* events were lost */
	nft->generation = generation;
	memset(&nft->commit, 0, sizeof(nft->commit));
	if (message->nlmsg_pid == nft->requests.port || (!commit.broken && commit.deleted == 0))
		return;
	(void)text_render_string(watch->who, WHO_BYTES, name ? name : "");
	if (commit.broken || !one)
		watch->event = NFT_EVENT_CHECK;
	else
		watch->lifted(watch->context, commit.scope, &commit.ip);
}

static bool watch_message(void *context, const struct nlmsghdr *message)
{
	struct watch *watch = context;
	struct nft_commit *commit = &watch->nft->commit;
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const char *table;

	if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return false;
	if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWGEN) {
		commit_judge(watch, message);
		return false;
	}
	/* In every kind of message below, attribute 1 is the name of the table. */
	table = nft_attribute_string(message, NFTA_TABLE_NAME);
	if (message->nlmsg_pid == watch->nft->requests.port ||
		header->nfgen_family != NFPROTO_INET || !table || strcmp(table, NFT_TABLE) != 0)
		return false;
	switch (message->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE: /* a change of it: it may be dormant now */
	case NFT_MSG_DELTABLE:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_DELRULE:
	case NFT_MSG_DELSET:
		commit->broken = true;
		break;
	case NFT_MSG_NEWSETELEM:
		(void)nft_elements_parse(watch->nft, message, element_added, commit);
		break;
	case NFT_MSG_DELSETELEM:
		(void)nft_elements_parse(watch->nft, message, element_deleted, commit);
		break;
	}
	return false;
}

enum nft_event nft_watch_read(struct nft *nft, char who[64],
	void (*lifted)(void *context, uint8_t scope, const struct ip *ip), void *context)
{
	struct watch watch = {
		.nft = nft,
		.event = NFT_EVENT_NONE,
		.who = who,
		.lifted = lifted,
		.context = context,
	};

	who[0] = '\0';
	for (int i = 0; i < WATCH_LOSSES_MAX; i++) {
		if (netlink_read(&nft->watch, WATCH_READS_MAX, watch_message, &watch) != ENOBUFS)
			break;
		watch.event = NFT_EVENT_CHECK;
		nft->generation = 0;
		memset(&nft->commit, 0, sizeof(nft->commit));
	}
	return watch.event;
}

static bool read_generation(void *context, const struct nlmsghdr *message)
{
	uint32_t *generation = context;

	if (message->nlmsg_type != NLMSG_ERROR)
		*generation = generation_read(message);
	return true;
}

static int generation_ask(struct nft *nft, uint32_t *ret_generation, struct error *err)
{
	uint8_t buffer[64] = { 0 };
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr((char *)buffer, NFT_MSG_GETGEN, AF_UNSPEC,
		0, ++nft->requests.seq);
	int number = netlink_ask(&nft->requests, buffer, request->nlmsg_len, nft->requests.seq,
		read_generation, ret_generation);

	if (number)
		return error_errno(err, number, "asking nftables for its generation");
	return *ret_generation ? 0 : error_set(err, "nftables does not tell its generation");
}

int nft_generation(struct nft *nft, bool *ret_seen, struct error *err)
{
	struct pollfd watch = { .fd = nft->watch.fd, .events = POLLIN };
	uint32_t generation = 0;

	if (generation_ask(nft, &generation, err) < 0)
		return -1;
	*ret_seen = true;
	if (nft->generation == generation)
		return 0;
	/* An event that still waits in the socket is judged when it is read. */
	if (nft->generation && poll(&watch, 1, 0) == 0) {
		*ret_seen = false;
		nft->generation = generation;
	} else if (nft->generation == 0) {
		nft->generation = generation;
	}
	return 0;
}
