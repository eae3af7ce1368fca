#include "wire/wire.h"

#include "base/alloc.h"
#include "base/ports.h"
#include "wire/nflog.h"
#include "wire/nonces.h"
#include "wire/sip_answer.h"

#include <stdlib.h>
#include <unistd.h>

struct wire {
	struct scope ports;
	struct nonces *nonces; /* owned */
	struct nflog nflog;
	int fd; /* owned; -1: none */
	struct wire_counts counts;
	void (*withdrawn)(void *context, const struct ip *ip); /* NULL: nobody is told */
	void *context;
};

/* The context of a read: its time goes along. */
struct reading {
	struct wire *wire;
	int64_t now_s;
};

static void on_withdrawn(void *context, const struct ip *ip)
{
	struct wire *wire = context;

	wire->counts.withdrawn++;
	if (wire->withdrawn)
		wire->withdrawn(wire->context, ip);
}

struct wire *wire_new(const struct scope *ports, int64_t now_s,
	void (*withdrawn)(void *context, const struct ip *ip), void *context)
{
	struct wire *wire = alloc_zero(sizeof(*wire));

	wire->ports = *ports;
	wire->nonces = nonces_new(now_s, on_withdrawn, wire);
	wire->withdrawn = withdrawn;
	wire->context = context;
	wire->fd = -1;
	return wire;
}

static void detach(struct wire *wire)
{
	if (wire->fd >= 0)
		(void)close(wire->fd); /* no data can be lost by it */
	wire->fd = -1;
	nflog_done(&wire->nflog);
}

void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	detach(wire);
	nonces_free(wire->nonces);
	free(wire);
}

void wire_attach(struct wire *wire, int fd, int64_t now_s)
{
	detach(wire);
	wire->fd = fd;
	nonces_forget(wire->nonces, now_s);
}

void wire_lost(struct wire *wire, int64_t now_s)
{
	wire->counts.lost++;
	nonces_forget(wire->nonces, now_s);
}

static bool is_ours(const struct wire *wire, uint16_t port)
{
	for (size_t i = 0; i < wire->ports.n_ranges; i++)
		if (port >= wire->ports.ranges[i].first && port <= wire->ports.ranges[i].last)
			return true;
	return wire->ports.n_ranges == 0;
}

static void on_packet(void *context, const void *bytes, size_t length)
{
	const struct reading *reading = context;
	struct wire *wire = reading->wire;
	struct sip_answer answer;
	bool ours;

	switch (sip_answer_read(bytes, length, &answer)) {
	case SIP_ANSWER_OTHER:
		return;
	case SIP_ANSWER_UNREADABLE:
		wire->counts.unreadable++;
		nonces_forget(wire->nonces, reading->now_s);
		return;
	case SIP_ANSWER_READ:
		break;
	}
	ours = is_ours(wire, answer.from_port);
	wire->counts.answers += ours;
	wire->counts.foreign += !ours;
	if (!ours)
		wire->counts.foreign_port = answer.from_port;
	for (size_t i = 0; i < answer.n_nonces; i++)
		nonces_seen(wire->nonces, &answer.to, ours, answer.nonces[i].bytes,
			answer.nonces[i].length, reading->now_s);
}

static void on_lost(void *context)
{
	const struct reading *reading = context;

	wire_lost(reading->wire, reading->now_s);
}

bool wire_read(struct wire *wire, int64_t now_s)
{
	struct reading reading = { wire, now_s };
	const struct nflog_reader reader = { on_packet, on_lost, &reading };

	if (wire->fd < 0)
		return true;
	switch (nflog_read(&wire->nflog, wire->fd, WIRE_READS_MAX, &reader)) {
	case NFLOG_EMPTY:
		return true;
	case NFLOG_MORE:
		/* what waits may be about nonces that would be judged before it is read */
		wire_lost(wire, now_s);
		return true;
	case NFLOG_BROKEN:
		break;
	}
	wire_attach(wire, -1, now_s);
	return false;
}

bool wire_is_attached(const struct wire *wire)
{
	return wire->fd >= 0;
}

struct nonces *wire_nonces(struct wire *wire)
{
	return wire->nonces;
}

const struct wire_counts *wire_counts(const struct wire *wire)
{
	return &wire->counts;
}
