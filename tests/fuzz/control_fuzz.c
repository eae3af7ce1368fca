/* The control socket: clients that say anything, over a guard with two jails. Input: pieces ended
 * by 0xff, each an act and its bytes: (c)onnect, (s)ay, (e)nd of what it says, (x) close, (t)ime
 * passes, (a)nswer queries, (h)eld by the firewall, (f)ailing commit, next (n) client. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

static uid_t other_uid(void);

/* All clients here are of this process: control.c is to take them for those of another user. */
#define getuid other_uid
#include "control/control.c"
#undef getuid

#include "base/findings.h"
#include "base/protected.h"
#include "config/config.h"
#include "decide/letter.h"
#include "follow/tail.h"
#include "protect/protect.h"
#include "state/store.h"

enum { CLIENTS = 4, ACTS_MAX = 64, ANSWER_MAX = 1 << 16 };

static const char jails[] =
	"[DEFAULT]\nfilter = plain\nlogpath = /nowhere\nenabled = true\nmaxretry = 2\n"
	"findtime = 60\nbantime = 100\n[mail]\ndest = root@example.org\n"
	"[sip]\nport = 5060,5061\nprotocol = udp\nignoreip = 198.51.100.0/24 2001:db8:1::/48\n"
	"action = nftables\n    sendmail[dest=admin@example.org]\n"
	"[all]\naction = nftables-allports\nbantime = -1\n";
static const char filter[] = "[Definition]\nfailregex = ^refused <HOST>$\ndatepattern = {NONE}\n";

struct world {
	struct guard *guard;
	struct protect *protect;
	struct protected *protected;
	struct control *control;
	int clients[CLIENTS]; /* -1: none */
	size_t lines[CLIENTS];
	size_t current;
	int64_t now_s;
	bool commit_fails;
	uint32_t serials[16]; /* of queries that wait */
	struct ip ips[16];
	uint8_t scopes[16];
	size_t n_queries;
	int64_t rows;
};

static struct world world;

static uid_t other_uid(void)
{
	return geteuid() + 1;
}

/* In place of store.c: nothing is kept. */
int64_t store_ban(struct store *store, const struct store_ban *ban)
{
	(void)store;
	fuzz_touch(ban->account, strlen(ban->account));
	fuzz_touch(ban->note, strlen(ban->note));
	return ban->id ? ban->id : ++world.rows;
}

void store_failure(struct store *store, const struct store_failure *failure)
{
	(void)store;
	fuzz_touch(failure->jail, strlen(failure->jail));
}

void store_total(struct store *store, const char *jail, uint64_t failures, uint64_t bans)
{
	(void)store, (void)jail, (void)failures, (void)bans;
}

void store_allow(struct store *store, const struct store_allow *allow)
{
	(void)store;
	if (allow->note)
		fuzz_touch(allow->note, strlen(allow->note));
	if (allow->name)
		fuzz_touch(allow->name, strlen(allow->name));
}

void store_name(struct store *store, const struct store_name *name)
{
	(void)store;
	fuzz_touch(name->name, strlen(name->name));
}

void store_keep_bans(struct store *store, int64_t keep_s)
{
	(void)store, (void)keep_s;
}

const uint8_t *store_key(const struct store *store)
{
	static const uint8_t key[16];

	(void)store;
	return key;
}

static void on_alert(void *context, int64_t now_s, const char *dest, const char *sender,
	const struct letter *letter)
{
	(void)context, (void)now_s, (void)sender;
	fuzz_need_shown(dest);
	fuzz_need_shown(letter->subject);
	fuzz_need_shown(letter->body);
}

static void on_note(void *context, int priority, const char *text)
{
	(void)context, (void)priority;
	fuzz_need_shown(text);
}

static void on_line(void *context, const struct line *line)
{
	(void)context, (void)line;
}

static int on_commit(void *context, struct error *err)
{
	(void)context;
	return world.commit_fails ? error_set(err, "disk full") : 0;
}

/* Hands over at most that many changes; the rest stays queued. */
static void on_flush(void *context)
{
	struct bans *bans = guard_bans(world.guard);
	struct ban_change change;

	(void)context;
	for (int i = 0; i < 1000 && bans_peek(bans, world.now_s, &change); i++) {
		fuzz_need(ip_is_host(&change.ip) ||
				  (change.ip.family == 4 && change.ip.bits == 24) ||
				  (change.ip.family == 6 && change.ip.bits % 8 == 0 &&
					  change.ip.bits >= 48 && change.ip.bits <= 64),
			"a width that the kernel's sets have");
		fuzz_need(change.lift || !protected_find(world.protected, &change.ip),
			"nobody protected is banned");
		fuzz_need(change.ttl_s >= 0, "a time to come");
		bans_sent(bans);
	}
	(void)protect_flush(world.protect, world.now_s);
}

static bool on_ask(void *context, const struct message_name *question)
{
	(void)context, (void)question;
	return false;
}

static bool on_tell(void *context, const struct ip *ip, const char *because, int64_t ttl_s)
{
	(void)context, (void)ip, (void)ttl_s;
	fuzz_need_shown(because);
	return true;
}

static int on_reload(void *context, int fd, struct error *err)
{
	(void)context, (void)fd;
	return error_set(err, "not now");
}

static bool on_query(void *context, uint32_t serial, uint8_t scope, const struct ip *ip)
{
	(void)context;
	if (world.n_queries == sizeof(world.serials) / sizeof(*world.serials))
		return false;
	world.serials[world.n_queries] = serial;
	world.scopes[world.n_queries] = scope;
	world.ips[world.n_queries++] = *ip;
	return true;
}

static const struct config *config(void)
{
	static struct config *config;
	struct findings findings = { 0 };
	char directory[64];
	char path[80];

	if (config)
		return config;
	fuzz_directory_new(directory);
	(void)snprintf(path, sizeof(path), "%s/filter.d", directory); /* fits */
	fuzz_need(mkdir(path, 0700) == 0, "a directory of its own");
	fuzz_file_write(directory, "jail.conf", jails, sizeof(jails) - 1);
	fuzz_file_write(directory, "filter.d/plain.conf", filter, sizeof(filter) - 1);
	fuzz_need(config_load(directory, directory, &config, &findings) == 0, "a configuration");
	fuzz_need(!findings.errors, "without an error");
	findings_done(&findings);
	fuzz_directory_remove(directory);
	return config;
}

static struct tail *tail(void)
{
	static const struct tail_callbacks callbacks = { .line = on_line, .note = on_note };
	static struct tail *tail;

	if (!tail)
		fuzz_need(tail_new(&callbacks, &tail, NULL) == 0, "a tail");
	return tail;
}

static void world_new(void)
{
	static const struct protect_events protect_events = { .ask = on_ask, .tell = on_tell };
	static const struct guard_events events = { .alert = on_alert, .note = on_note };
	static const struct control_health health[CONTROL_PARTS];
	struct findings findings = { 0 };
	struct control_engine engine = { .tail = tail(),
		.health = health,
		.started_s = FUZZ_NOW_S,
		.commit = on_commit,
		.flush = on_flush,
		.reload = on_reload,
		.query = on_query };

	world = (struct world){ .now_s = FUZZ_NOW_S };
	for (size_t i = 0; i < CLIENTS; i++)
		world.clients[i] = -1;
	world.protected = protected_new();
	world.guard = guard_new(config(), world.protected, false, &events, &findings);
	fuzz_need(guard_active_jails(world.guard) == 2, "two jails");
	findings_done(&findings);
	world.protect = protect_new(config(), world.guard, world.protected, &protect_events);
	engine.guard = world.guard;
	engine.protect = world.protect;
	fuzz_need(control_new(&engine, &world.control, NULL) == 0, "a control socket");
}

/* One line a connection, a JSON object that says whether it went well. */
static void client_read(size_t number)
{
	static char answer[ANSWER_MAX];
	ssize_t got = recv(world.clients[number], answer, sizeof(answer) - 1, MSG_DONTWAIT);
	json_t *object;

	if (got <= 0)
		return;
	answer[got] = '\0';
	fuzz_need(got < ANSWER_MAX - 1 && answer[got - 1] == '\n', "a whole line");
	fuzz_need(strchr(answer, '\n') == answer + got - 1 && !world.lines[number]++, "just one");
	fuzz_need_shown(answer);
	object = json_loads(answer, 0, NULL);
	fuzz_need(json_is_boolean(json_object_get(object, "ok")), "says how it went");
	if (!json_is_true(json_object_get(object, "ok")))
		fuzz_need(json_is_string(json_object_get(object, "error")), "says why not");
	json_decref(object);
}

static void client_end(size_t number)
{
	if (world.clients[number] < 0)
		return;
	client_read(number);
	(void)close(world.clients[number]);
	world.clients[number] = -1;
}

static void client_new(void)
{
	int pair[2];

	client_end(world.current);
	fuzz_need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "a pair");
	world.clients[world.current] = pair[1];
	world.lines[world.current] = 0;
	control_accept(world.control, pair[0], world.now_s);
}

static void queries_answer(uint8_t kind)
{
	for (size_t i = 0; i < world.n_queries; i++) {
		struct message record = { .type = MESSAGE_COUNTERS,
			.serial = world.serials[i] + (kind & 1),
			.number = world.scopes[i],
			.ip = world.ips[i],
			.failure = kind & 2 ? ENOENT : 0,
			.packets = UINT64_MAX };

		control_counters(world.control, &record);
	}
	world.n_queries = 0;
}

static void bans_hold(int failure)
{
	struct bans *bans = guard_bans(world.guard);
	size_t cursor = 0;
	size_t n_scopes;
	struct ban *ban;

	(void)guard_scopes(world.guard, &n_scopes);
	for (int i = 0; i < 100 && (ban = bans_next(bans, &cursor)); i++) {
		struct ip ip = ban->ip;

		for (size_t k = 0; k < n_scopes; k++)
			guard_held(world.guard, (uint8_t)k, &ip, failure & 1, failure >> 1,
				world.now_s);
	}
}

static void act(const char *bytes, size_t length)
{
	int fd = world.clients[world.current];

	switch (length ? bytes[0] : 't') {
	case 'c':
		client_new();
		break;
	case 's':
		if (fd >= 0)
			(void)send(fd, bytes + 1, length - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case 'e':
		if (fd >= 0)
			(void)shutdown(fd, SHUT_WR);
		break;
	case 'x':
		client_end(world.current);
		break;
	case 't':
		world.now_s += length > 1 ? (unsigned char)bytes[1] : 1;
		guard_tick(world.guard, world.now_s, true);
		break;
	case 'a':
		queries_answer(length > 1 ? (uint8_t)bytes[1] : 0);
		break;
	case 'h':
		bans_hold(length > 1 ? (unsigned char)bytes[1] : 0);
		break;
	case 'f':
		world.commit_fails = !world.commit_fails;
		break;
	case 'n':
		world.current = (world.current + 1) % CLIENTS;
		break;
	}
	control_run(world.control, world.now_s);
	(void)control_tick(world.control, world.now_s);
	bans_check(guard_bans(world.guard));
	if (world.clients[world.current] >= 0)
		client_read(world.current);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	int free_fd;

	(void)config();
	(void)tail();
	free_fd = fuzz_free_fd();
	world_new();
	client_new();
	for (int i = 0; i < ACTS_MAX && !fuzz_is_at_end(&input); i++) {
		size_t piece_length;
		char *piece = fuzz_piece(&input, (char)0xff, &piece_length);

		act(piece, piece_length);
		free(piece);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		client_end(i);
	control_run(world.control, world.now_s);
	world.now_s += CONTROL_IDLE_S + ANSWER_WAIT_S;
	(void)control_tick(world.control, world.now_s);
	control_run(world.control, world.now_s);
	fuzz_need(!control_tick(world.control, world.now_s + CONTROL_IDLE_S + 1), "all are gone");
	control_free(world.control);
	protect_free(world.protect);
	guard_free(world.guard);
	protected_free(world.protected);
	fuzz_need(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
