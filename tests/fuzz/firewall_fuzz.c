/* The role with the privilege, and engines that say anything: records of any bytes over the pair,
 * ends of engines, the tick between. The kernel is one of our own, which remembers nothing and
 * checks what it is asked. Input: acts of one byte each, see act(). */
#include "fuzz.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"

/* No process is started, none is ended, nobody is told. */
static int role_kill(pid_t pid, int number);
static int role_notify(int unset, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int role_add_child(sd_event *event, sd_event_source **source, pid_t pid, int options,
	sd_event_child_handler_t handler, void *context);
#define kill role_kill
#define sd_notify(unset, text) role_notify(unset, "%s", text)
#define sd_notifyf role_notify
#define sd_event_add_child role_add_child
#include "firewall/engines.c"
#undef kill

#include "base/alloc.h"
#include "firewall/nflog_open.h"
#include "firewall/nft_table.h"
#include "firewall/own_addresses.h"
#include "process/launch.h"

enum { ACTS_MAX = 200, ENGINES_MAX = 8, FIRST_PID = 4000000 };

static const struct run_options options;
static struct firewall *firewall;
static int ends[ENGINES_MAX]; /* the engines' own ends of their pairs; -1: none */
static bool ended[ENGINES_MAX];
static pid_t killed; /* one that sent nonsense */
static int next_pid;
static uint8_t kernel_mood;
static char kernel;     /* stands for the struct nft, into which nobody looks here */
static size_t n_scopes; /* sets that were made */
static int64_t boot_s;

uint64_t clock_boot_us(void)
{
	return (uint64_t)boot_s * 1000000;
}

int64_t clock_boot_s(void)
{
	return boot_s;
}

static int role_kill(pid_t pid, int number)
{
	(void)number;
	fuzz_need(pid >= FIRST_PID, "kills its own child only");
	killed = pid;
	return 0;
}

static int role_notify(int unset, const char *format, ...)
{
	char text[1024];
	va_list args;

	(void)unset;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; text[i]; i++)
		fuzz_need((unsigned char)text[i] >= ' ', "the service manager is told one thing");
	return 0;
}

static int role_add_child(sd_event *event, sd_event_source **source, pid_t pid, int what,
	sd_event_child_handler_t handler, void *context)
{
	(void)event, (void)source, (void)pid, (void)what, (void)handler, (void)context;
	return 0;
}

pid_t launch_role(const char *role, const struct run_options *run, int parent_fd, int client_fd,
	struct error *err)
{
	(void)role, (void)run, (void)client_fd;
	for (size_t i = 0; i < ENGINES_MAX; i++) {
		if (ends[i] >= 0)
			continue;
		ends[i] = dup(parent_fd);
		ended[i] = false;
		return next_pid = FIRST_PID + (int)i;
	}
	return error_set(err, "no more processes");
}

/* ---- the host and the kernel ---- */

int own_addresses_list(struct own_addresses *own_addresses, struct own_addresses_found *ret_found,
	struct error *err)
{
	static const char *const own[] = { "203.0.113.1", "203.0.113.0/24", "2001:db8:f::/64" };

	(void)own_addresses;
	for (ret_found->count = 0; ret_found->count < 3; ret_found->count++) {
		ret_found->entries[ret_found->count].kind = OWN_ADDRESS;
		(void)ip_parse_prefix(own[ret_found->count],
			&ret_found->entries[ret_found->count].ip, NULL);
	}
	return kernel_mood & 1 ? error_set(err, "cannot be read") : 0;
}

int logins_list(const char *utmp_path, logins_each *each, void *context, struct error *err)
{
	(void)utmp_path, (void)each, (void)context, (void)err;
	return 0;
}

bool logins_add(struct logins *logins, const struct ip *ip, int64_t now_s)
{
	(void)logins, (void)ip, (void)now_s;
	return false;
}

bool logins_expire(struct logins *logins, int64_t now_s)
{
	(void)logins, (void)now_s;
	return false;
}

const char *own_addresses_kind_text(enum own_addresses_kind kind)
{
	(void)kind;
	return "own address";
}

int nft_ensure(struct nft *nft, struct error *err)
{
	(void)nft;
	return kernel_mood & 2 ? error_set(err, "no table") : 0;
}

int nft_scope(struct nft *nft, uint8_t index, const struct scope *scope, struct error *err)
{
	(void)nft;
	fuzz_need(index < NFT_SCOPES_MAX && scope_is_valid(scope), "a set that can be made");
	if (kernel_mood & 4)
		return error_set(err, "no set");
	n_scopes = index + 1U > n_scopes ? index + 1U : n_scopes;
	return 0;
}

static void change_check(const struct nft_change *change)
{
	int bits = change->ip.bits;

	fuzz_need(ip_is_canonical(&change->ip), "a prefix, in one spelling");
	fuzz_need(change->ip.family == 4 ? bits == 32 || bits == 24
					 : bits == 128 || bits == 64 || bits == 56 || bits == 48,
		"a width that the sets have");
	if (change->op == NFT_LIFT)
		return;
	fuzz_need(change->ttl_s >= 0, "for ever or a time to come");
	fuzz_need(change->scope < n_scopes || change->scope == NFT_SCOPES_MAX,
		"a set that is there");
	fuzz_need(!protected_find(firewall->hosts, &change->ip), "the host is not banned");
}

int nft_apply(struct nft *nft, struct nft_change *changes, size_t count, struct error *err)
{
	(void)nft;
	fuzz_need(count <= NFT_BATCH_MAX, "a batch");
	for (size_t i = 0; i < count; i++) {
		change_check(&changes[i]);
		changes[i].failure = changes[i].scope >= n_scopes          ? EINVAL
				     : changes[i].ttl_s > INT64_MAX / 1000 ? ERANGE
				     : kernel_mood & 8                     ? EIO
									   : 0;
	}
	return kernel_mood & 8 ? error_set(err, "no answer") : 0;
}

int nft_query(struct nft *nft, struct nft_element *element, struct error *err)
{
	(void)nft, (void)err;
	element->present = kernel_mood & 16;
	element->packets = UINT64_MAX;
	return 0;
}

int nft_wire(struct nft *nft, int32_t group, struct error *err)
{
	(void)nft;
	fuzz_need(group >= NFT_WIRE_NONE && group <= UINT16_MAX, "a group, or none");
	return kernel_mood & 32 ? error_set(err, "no rule") : 0;
}

int nft_connections(struct nft *nft, const struct nft_connections *connections, struct error *err)
{
	(void)nft;
	fuzz_need(scope_is_valid(&connections->ports), "ports");
	fuzz_need(!connections->ports.n_ranges || connections->ports.protocol == IPPROTO_TCP,
		"of TCP, or none");
	return kernel_mood & 32 ? error_set(err, "no rule") : 0;
}

int nft_connected(struct nft *nft, const struct ip *ip, uint16_t port, bool *ret_connected,
	struct error *err)
{
	(void)nft;
	fuzz_need(ip->family && ip_is_host(ip) && port, "a remote end");
	*ret_connected = kernel_mood & 16;
	return kernel_mood & 8 ? error_set(err, "no answer") : 0;
}

int nft_connections_missed(struct nft *nft, uint64_t *ret_count, struct error *err)
{
	(void)nft;
	*ret_count = kernel_mood;
	return kernel_mood & 8 ? error_set(err, "no answer") : 0;
}

int nflog_open(uint16_t group, int *ret_fd, struct error *err)
{
	(void)group;
	if (kernel_mood & 64)
		return error_set(err, "taken");
	*ret_fd = dup(STDERR_FILENO);
	return 0;
}

int nft_dump_start(struct nft *nft, struct error *err)
{
	(void)nft;
	return error_set(err, "not here");
}

int nft_dump_fd(const struct nft *nft)
{
	(void)nft;
	return -1;
}

int nft_dump_read(struct nft *nft, void (*each)(void *context, const struct nft_element *element),
	void *context, struct error *err)
{
	(void)nft, (void)each, (void)context, (void)err;
	return 0;
}

enum nft_event nft_watch_read(struct nft *nft, char who[64],
	void (*lifted)(void *context, uint8_t scope, const struct ip *ip), void *context)
{
	(void)nft, (void)lifted, (void)context;
	who[0] = '\0';
	return NFT_EVENT_NONE;
}

/* ---- acts ---- */

static struct link *link_of(uint8_t number)
{
	return &firewall->links[number & 1];
}

static int end_of(const struct link *link)
{
	return link->child.pid ? ends[link->child.pid - FIRST_PID] : -1;
}

static struct ip ip_read(struct fuzz_input *input)
{
	static const uint8_t bits_4[] = { 32, 24, 31, 8 };
	static const uint8_t bits_6[] = { 128, 64, 56, 48 };
	uint8_t kind = fuzz_byte(input);
	uint8_t bytes[16] = { 0 };
	struct ip ip;

	if (kind & 1) {
		memcpy(bytes, (const uint8_t[]){ 0x20, 1, 0xd, 0xb8, 0, 0 }, 6);
		bytes[5] = fuzz_byte(input);
		bytes[15] = fuzz_byte(input);
	} else {
		memcpy(bytes, (const uint8_t[]){ 203, 0, 113, 0 }, 4);
		bytes[2] = (uint8_t)(113 - (fuzz_byte(input) & 3));
		bytes[3] = fuzz_byte(input);
	}
	ip = ip_from_bytes(kind & 1 ? 6 : 4, bytes);
	return ip_mask(&ip, kind & 1 ? bits_6[kind >> 1 & 3] : bits_4[kind >> 1 & 3]);
}

/* A record that is nearly right. */
static struct message record_read(struct fuzz_input *input)
{
	static const int64_t ttls[] = { 0, 1, 600, -1, INT64_MAX, INT64_MIN, 1000000000000 };
	struct message record = { .type = fuzz_byte(input) % (MESSAGE_TYPES + 1) };
	uint8_t extra = fuzz_byte(input);

	record.number = fuzz_byte(input);
	record.ttl_s = ttls[extra % 7];
	record.serial = extra;
	if (extra & 0x20)
		record.ttl_s = (int64_t)((uint64_t)fuzz_number(input) << 32 | fuzz_number(input));
	if (extra & 0x40)
		record.ip = ip_read(input);
	if (extra & 0x40 && extra % 7 == 5) /* one byte of it says something else */
		((uint8_t *)&record.ip)[fuzz_byte(input) % sizeof(record.ip)] = fuzz_byte(input);
	if (extra & 0x80) {
		record.scope.protocol = IPPROTO_UDP;
		record.scope.n_ranges = 1;
		record.scope.ranges[0].first = record.scope.ranges[0].last =
			(uint16_t)(5060 + fuzz_byte(input));
	}
	for (size_t i = 0; i < 8 && extra & 0x10; i++)
		record.text[i] = (char)fuzz_byte(input);
	return record;
}

static void engine_send(struct link *link, struct fuzz_input *input, bool raw)
{
	struct message record = { 0 };
	int fd = end_of(link);

	if (raw) {
		size_t size = input->left < sizeof(record) ? input->left : sizeof(record);

		if (size)
			memcpy(&record, input->at, size);
		input->at += size;
		input->left -= size;
	} else {
		record = record_read(input);
	}
	if (fd >= 0)
		(void)message_send(fd, &record, fuzz_byte(input) & 1 ? STDERR_FILENO : -1, NULL);
}

static void engine_ends(struct link *link, uint8_t how)
{
	siginfo_t info = { .si_code = how & 1 ? CLD_KILLED : CLD_EXITED };
	pid_t pid = link->child.pid;

	if (!pid)
		return;
	info.si_status = how & 1 ? SIGKILL : how >> 1 & 1;
	ended[pid - FIRST_PID] = true;
	(void)on_engine_exit(NULL, &info, link);
	(void)close(ends[pid - FIRST_PID]);
	ends[pid - FIRST_PID] = -1;
}

/* What an engine is told is itself valid. */
static void engine_listens(const struct link *link)
{
	struct message record;
	struct error err;
	int passed;

	for (int i = 0; i < CHILD_QUEUE_MAX && end_of(link) >= 0 &&
			message_receive(end_of(link), &record, &passed, &err) > 0;
		i++) {
		if (record.type == MESSAGE_HEALTH)
			fuzz_need_shown(record.text);
		fuzz_need(firewall->connections.count <= CONNECTION_LOOKS_MAX, "a cap");
		if (passed >= 0)
			(void)close(passed);
	}
}

static void act(struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);
	struct link *link = link_of(what >> 7);

	switch (what & 15) {
	case 0:
		engine_send(link, input, true);
		break;
	case 1:
		engine_ends(link, fuzz_byte(input));
		break;
	case 2:
		boot_s += fuzz_byte(input);
		if (firewall->current)
			protected_expire(firewall->current->protected, boot_s);
		if (firewall->to_restore)
			firewall_restore(firewall, "lost");
		elements_sweep(firewall->elements, boot_s);
		break;
	case 3:
		kernel_mood = fuzz_byte(input);
		break;
	case 4:
		engine_listens(link);
		break;
	case 5:
		firewall_join(firewall);
		firewall_refresh_logins(firewall);
		firewall_limit_engines(firewall, boot_s);
		firewall_wire_tick(firewall, boot_s);
		firewall_wire_pass(firewall);
		firewall_connections_tick(firewall, boot_s);
		firewall_connections_look(firewall, clock_boot_us());
		break;
	default:
		engine_send(link, input, false);
		if (what & 16)
			return; /* more before it is read */
	}
	for (uint8_t i = 0; i < 2; i++) {
		link = link_of(i);
		if (link->io)
			(void)on_engine(link->io, link->child.fd, 0, link);
		if (killed && killed == link->child.pid)
			engine_ends(link, 1);
	}
	killed = 0;
}

static void firewall_new(sd_event *event)
{
	struct error err;

	firewall = alloc_zero(sizeof(*firewall));
	firewall->options = &options;
	firewall->event = event;
	firewall->hosts = protected_new();
	firewall->notifier.fd = -1;
	firewall->listen_fd = -1;
	for (size_t i = 0; i < 2; i++)
		firewall->links[i] = (struct link){ .firewall = firewall, .child = { .fd = -1 } };
	for (size_t i = 0; i < ENGINES_MAX; i++)
		ends[i] = -1;
	kernel_mood = 0;
	n_scopes = 0;
	boot_s = 1000;
	killed = 0;
	firewall->nft = (struct nft *)&kernel;
	firewall->wire_group = NFT_WIRE_NONE;
	firewall->wire_fd = -1;
	firewall->elements = elements_new(firewall->nft);
	fuzz_need(firewall_start_engine(firewall, -1, &err) == 0, "an engine");
}

static void firewall_end(void)
{
	for (size_t i = 0; i < 2; i++)
		firewall_link_done(firewall, &firewall->links[i]);
	for (size_t i = 0; i < ENGINES_MAX; i++)
		if (ends[i] >= 0)
			(void)close(ends[i]);
	firewall_wire_end(firewall);
	firewall_connections_end(firewall);
	elements_free(firewall->elements);
	protected_free(firewall->hosts);
	free(firewall);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	int free_fd = fuzz_free_fd();
	sd_event *event = NULL;

	fuzz_need(sd_event_new(&event) >= 0, "an event loop");
	firewall_new(event);
	for (int i = 0; i < ACTS_MAX && !fuzz_is_at_end(&input); i++)
		act(&input);
	firewall_end();
	(void)sd_event_unref(event);
	fuzz_need(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
