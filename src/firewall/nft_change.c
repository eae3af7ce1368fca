#include "firewall/nft_parts.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/ipmap.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include <libmnl/libmnl.h>

enum {
	/* All elements of a message are nested in one attribute, whose length has 16 bits: a longer
	 * one would wrap around without an error. */
	MESSAGE_ELEMENTS_MAX = 1000,
	MESSAGE_BYTES_MAX = 60000,
	/* An IPv6 element with timeout and counter takes 88 bytes. */
	ELEMENT_ROOM_BYTES = 128,
	MESSAGE_ROOM_BYTES = 64 + NFT_NAME_BYTES + ELEMENT_ROOM_BYTES,
	/* A transaction that the kernel refuses is sent again this often, each time without the
	 * change at fault or with half as many; then each change is sent alone. */
	RETRIES_MAX = 16,
	/* A timed ban: three in the timed set, and two to remove a permanent ban. */
	OPS_PER_CHANGE = 5,
	OPS_MAX = NFT_BATCH_MAX + OPS_PER_CHANGE,
};

/* What happens to an element in a set, in this order. Deleting an absent element would fail the
 * whole transaction, so the element is added first (MAKE_PRESENT). Kernel 6.1 ignores a new timeout
 * for an element that exists, so it is deleted before it is added with its timeout. */
enum phase { PHASE_MAKE_PRESENT, PHASE_DELETE, PHASE_ADD };

/* One operation on one element: a change needs up to OPS_PER_CHANGE of them. */
struct op {
	uint16_t set; /* scope * NFT_SLOTS + slot */
	uint8_t phase;
	uint32_t change; /* index in job->changes */
	uint32_t seq;    /* with offset: its message, and where in it the element begins, in bytes;
			  * the kernel's complaint is found by them */
	uint32_t offset;
};

/* One call of nft_apply(). The changes are made in segments: successive changes that fit into one
 * transaction (struct nft_batch). */
struct job {
	struct nft *nft;
	struct nft_change *changes;
	size_t count;   /* of changes */
	struct op *ops; /* OPS_MAX; of the transaction under construction */
	size_t n_ops;
	bool restored; /* the kernel's table was made again, which happens once */
};

static void changes_fail(struct nft_change *changes, size_t count, int number)
{
	for (size_t i = 0; i < count; i++)
		if (changes[i].failure == 0)
			changes[i].failure = number;
}

static int change_check(const struct nft *nft, const struct nft_change *change)
{
	if (change->scope >= NFT_SCOPES_MAX || !nft->scopes[change->scope].used)
		return EINVAL;
	if (nft_slot_find(&change->ip, false) < 0 || !ip_is_canonical(&change->ip))
		return EINVAL;
	if (change->op == NFT_LIFT)
		return 0;
	/* The kernel takes milliseconds, which must not overflow. */
	if (change->op != NFT_BAN || change->ttl_s < 0)
		return EINVAL;
	return change->ttl_s > INT64_MAX / 1000 ? ERANGE : 0;
}

static void op_push(struct job *job, size_t change, int slot, enum phase phase)
{
	job->ops[job->n_ops++] = (struct op){
		.set = (uint16_t)(job->changes[change].scope * NFT_SLOTS + slot),
		.phase = (uint8_t)phase,
		.change = (uint32_t)change,
	};
}

static void op_push_removal(struct job *job, size_t change, int slot)
{
	if (!job->nft->scopes[job->changes[change].scope].made[slot])
		return;
	op_push(job, change, slot, PHASE_MAKE_PRESENT);
	op_push(job, change, slot, PHASE_DELETE);
}

static void change_push(struct job *job, size_t index)
{
	const struct nft_change *change = &job->changes[index];
	int timed = nft_slot_find(&change->ip, false);
	int forever = nft_slot_find(&change->ip, true);

	if (change->failure)
		return;
	if (change->op == NFT_LIFT || change->ttl_s == NFT_PERMANENT)
		op_push_removal(job, index, timed);
	if (change->op == NFT_LIFT) {
		op_push_removal(job, index, forever);
	} else if (change->ttl_s == NFT_PERMANENT) {
		op_push(job, index, forever,
			PHASE_ADD); /* no removal: an element that is there keeps its counter */
	} else {
		op_push_removal(job, index, timed);
		op_push(job, index, timed, PHASE_ADD);
		op_push_removal(job, index, forever);
	}
}

static int op_compare(const void *left, const void *right)
{
	const struct op *a = left;
	const struct op *b = right;

	if (a->set != b->set)
		return a->set < b->set ? -1 : 1;
	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	return a->change < b->change ? -1 : a->change > b->change;
}

static void counter_put(struct nlmsghdr *message, const struct nft_change *change)
{
	struct nlattr *expr = mnl_attr_nest_start(message, NFTA_SET_ELEM_EXPR);
	struct nlattr *data;

	mnl_attr_put_strz(message, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
	mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, htobe64(change->bytes));
	mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, htobe64(change->packets));
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, expr);
}

static void element_put(struct nlmsghdr *message, struct op *op, const struct nft_change *change)
{
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	struct nlattr *key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
	uint64_t ttl_ms = (uint64_t)change->ttl_s * 1000;

	op->seq = message->nlmsg_seq;
	op->offset = (uint32_t)((const uint8_t *)element - (const uint8_t *)message);
	mnl_attr_put(message, NFTA_DATA_VALUE, change->ip.family == 4 ? 4 : 16, change->ip.bytes);
	mnl_attr_nest_end(message, key);
	if (op->phase == PHASE_ADD && change->ttl_s != NFT_PERMANENT)
		mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT, htobe64(ttl_ms));
	if (op->phase == PHASE_ADD && (change->packets || change->bytes))
		counter_put(message, change);
	mnl_attr_nest_end(message, element);
}

static bool op_same_message(const struct op *a, const struct op *b)
{
	return a->set == b->set && a->phase == b->phase;
}

/* Writes one message with the operations from job->ops[first] on that have the same set and phase,
 * as many as it takes. Returns how many; 0: the transaction has no room for a message. */
static size_t message_put(struct job *job, struct nft_batch *batch, size_t first)
{
	struct nft *nft = job->nft;
	const struct op *op = &job->ops[first];
	const char *name = nft->scopes[op->set / NFT_SLOTS].names[op->set % NFT_SLOTS];
	bool deletes = op->phase == PHASE_DELETE;
	struct nlmsghdr *message =
		nft_batch_message(nft, batch, deletes ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM,
			deletes ? 0 : NLM_F_CREATE, MESSAGE_ROOM_BYTES);
	struct nlattr *list;
	size_t n = 0;

	if (!message)
		return 0;
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, name);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	while (first + n < job->n_ops && op_same_message(op, &job->ops[first + n])) {
		struct op *next = &job->ops[first + n];

		if (n == MESSAGE_ELEMENTS_MAX || message->nlmsg_len > MESSAGE_BYTES_MAX)
			break;
		if (batch->used + message->nlmsg_len + MESSAGE_ROOM_BYTES > nft->batch_bytes)
			break;
		element_put(message, next, &job->changes[next->change]);
		n++;
	}
	mnl_attr_nest_end(message, list);
	nft_batch_add(nft, batch, message);
	return n;
}

/* The operation that the kernel complained about; NULL: it complained about the set or the table.
 */
static const struct op *op_find(const struct job *job, const struct nft_reply *reply)
{
	for (size_t i = 0; i < job->n_ops; i++)
		if (job->ops[i].seq == reply->seq && job->ops[i].offset == reply->offset)
			return &job->ops[i];
	return NULL;
}

enum outcome {
	OUTCOME_DONE,
	OUTCOME_TOO_LONG, /* nothing was sent: the operations do not fit in one transaction */
	OUTCOME_DROPPED,  /* one change is at fault and marked as failed; the others are not made */
	OUTCOME_REFUSED,  /* no change is at fault: the table or a set is, or nobody answered */
};

/* Sends `count` changes from changes[first] on, except failed ones, as one transaction.
 * *ret_number: an errno value, unless all went well. */
static enum outcome batch_try(struct job *job, size_t first, size_t count, int *ret_number,
	struct error *err)
{
	struct nft_batch batch;
	struct nft_reply reply;
	const struct op *op;
	size_t put;

	job->n_ops = 0;
	for (size_t i = first; i < first + count; i++)
		change_push(job, i);
	qsort(job->ops, job->n_ops, sizeof(*job->ops), op_compare);
	nft_batch_begin(job->nft, &batch);
	for (size_t i = 0; i < job->n_ops; i += put) {
		put = message_put(job, &batch, i);
		if (put == 0) {
			*ret_number = EMSGSIZE;
			(void)error_errno(err, EMSGSIZE, "changing elements");
			return OUTCOME_TOO_LONG;
		}
	}
	if (nft_batch_send(job->nft, &batch, &reply, err) == 0 && reply.number == 0)
		return OUTCOME_DONE;
	*ret_number = reply.number;
	op = op_find(job, &reply);
	if (!op) {
		if (reply.seq)
			(void)error_errno(err, reply.number, "changing elements");
		return OUTCOME_REFUSED;
	}
	job->changes[op->change].failure = reply.number;
	return OUTCOME_DROPPED;
}

/* Makes the sets that the bans among the changes need and that are not there yet. */
static int missing_make(struct job *job, struct error *err)
{
	struct nft *nft = job->nft;

	for (size_t i = 0; i < job->count; i++) {
		const struct nft_change *change = &job->changes[i];
		bool wanted[NFT_SLOTS] = { false };
		struct nft_sets *sets;
		int slot;

		if (change->failure || change->op != NFT_BAN)
			continue;
		slot = nft_slot_find(&change->ip, change->ttl_s == NFT_PERMANENT);
		sets = &nft->scopes[change->scope];
		if (sets->made[slot])
			continue;
		wanted[slot] = true;
		if (nft_sets_make(nft, sets, wanted, err) < 0)
			return -1;
	}
	return 0;
}

/* Somebody has deleted the table or a set: makes all again, but once in a call of nft_apply(). */
static int table_restore(struct job *job, struct error *err)
{
	if (job->restored)
		return -1;
	job->restored = true;
	if (nft_restore(job->nft, err) < 0)
		return -1;
	return missing_make(job, err);
}

/* Sends each change in a transaction of its own: slow, but a bad change can spoil only itself. */
static int segment_single(struct job *job, size_t first, size_t count, struct error *err)
{
	int number = 0;

	for (size_t i = first; i < first + count; i++) {
		enum outcome outcome;

		if (job->changes[i].failure)
			continue;
		outcome = batch_try(job, i, 1, &number, err);
		if (outcome == OUTCOME_DONE || outcome == OUTCOME_DROPPED)
			continue;
		changes_fail(job->changes + i, first + count - i, number);
		return -1;
	}
	return 0;
}

/* *ret_done: how many of the changes are settled, done or failed; less than count if so many do not
 * fit into one transaction. */
static int segment_apply(struct job *job, size_t first, size_t count, size_t *ret_done,
	struct error *err)
{
	int number = 0;

	for (uint32_t i = 0; i < RETRIES_MAX; i++) {
		switch (batch_try(job, first, count, &number, err)) {
		case OUTCOME_DONE:
			*ret_done = count;
			return 0;
		case OUTCOME_DROPPED:
			break;
		case OUTCOME_TOO_LONG:
			if (count > 1) {
				count /= 2;
				break;
			}
			changes_fail(job->changes + first, count, number);
			return -1;
		case OUTCOME_REFUSED:
			if (number == ENOENT && table_restore(job, err) == 0)
				break;
			changes_fail(job->changes + first, count, number);
			return -1;
		}
	}
	*ret_done = count;
	return segment_single(job, first, count, err);
}

/* How many changes from changes[first] on go into one transaction. There the operations are sorted
 * by set and phase, so two changes of one element must not be in it: their order would be lost, and
 * "ban, then lift" could end as a ban. */
static size_t segment_length(struct job *job, size_t first)
{
	struct ipmap *seen = ipmap_new(NFT_BATCH_MAX); /* (ip, scope) → change */
	size_t n = 0;

	job->n_ops = 0;
	for (; first + n < job->count && n < NFT_BATCH_MAX; n++) {
		struct nft_change *change = &job->changes[first + n];

		if (change->failure == 0) {
			if (ipmap_get(seen, &change->ip, change->scope))
				break;
			(void)ipmap_put(seen, &change->ip, change->scope, change); /* has room */
		}
		change_push(job, first + n);
		if (job->n_ops > NFT_BATCH_MAX)
			break;
	}
	ipmap_free(seen);
	return n ? n : 1;
}

static int job_run(struct job *job, struct error *err)
{
	size_t done = 0;

	for (size_t i = 0; i < job->count; i += done) {
		size_t n = segment_length(job, i);

		if (segment_apply(job, i, n, &done, err) < 0) {
			changes_fail(job->changes + i, job->count - i, EIO);
			return -1;
		}
	}
	return 0;
}

int nft_apply(struct nft *nft, struct nft_change *changes, size_t count, struct error *err)
{
	cleanup_free struct op *ops = alloc_array(OPS_MAX, sizeof(*ops));
	struct job job = { .nft = nft, .changes = changes, .count = count, .ops = ops };

	for (size_t i = 0; i < count; i++)
		changes[i].failure = change_check(nft, &changes[i]);
	if (missing_make(&job, err) < 0 && table_restore(&job, err) < 0) {
		changes_fail(changes, count, EIO);
		return -1;
	}
	return job_run(&job, err);
}
