#include "notifier/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <ares.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/host_name.h"
#include "process/messages.h"

enum {
	TRY_MS = 1500,   /* the first try waits so long for a server, later ones longer */
	TRIES = 2,       /* of each server */
	EVENTS_MAX = 64, /* in one call of epoll_wait() */
	ROUNDS_MAX = 8,  /* calls of epoll_wait() in one resolve_run() */
	STEP_MS = 1000,  /* resolve_wait_ms() gives no more: c-ares has a clock of its own */
	FAMILIES = 2,    /* A and AAAA, asked side by side */
};

/* One of the two halves of a question: its IPv4 or its IPv6 addresses. */
struct half {
	struct question *question; /* borrowed: the one it is part of */
	bool is_over;
	int status; /* ARES_*; once it is over */
};

/* A question is over when both halves are. Its channel must not be destroyed inside a callback of
 * c-ares, so resolve_run() does that. */
struct question {
	struct resolve *resolve; /* borrowed */
	ares_channel channel;    /* owned; NULL: a free place */
	int64_t deadline_ms;
	struct half halves[FAMILIES];
	struct message_name answer; /* the question, and what was found so far */
};

struct resolve {
	int epoll_fd;  /* owned */
	char *servers; /* owned; NULL: /etc/resolv.conf */
	void (*answer)(void *context, const struct message_name *answer);
	void *context;
	size_t in_flight;
	struct question questions[RESOLVE_QUESTIONS_MAX];
};

int resolve_new(const char *servers,
	void (*answer)(void *context, const struct message_name *answer), void *context,
	struct resolve **ret_resolve, struct error *err)
{
	struct resolve *resolve;
	int fd;
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	if (status != ARES_SUCCESS)
		return error_set(err, "cannot start the resolver: %s", ares_strerror(status));
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		(void)error_errno(err, errno, "cannot make an epoll descriptor");
		ares_library_cleanup();
		return -1;
	}
	resolve = alloc_zero(sizeof(*resolve));
	resolve->epoll_fd = fd;
	resolve->servers = servers ? alloc_string(servers) : NULL;
	resolve->answer = answer;
	resolve->context = context;
	*ret_resolve = resolve;
	return 0;
}

static void question_end(struct question *question)
{
	ares_destroy(question->channel); /* calls on_half() for a half that is not over */
	question->channel = NULL;
	question->resolve->in_flight--;
}

void resolve_drop(struct resolve *resolve)
{
	for (size_t i = 0; i < RESOLVE_QUESTIONS_MAX; i++)
		if (resolve->questions[i].channel)
			question_end(&resolve->questions[i]);
}

void resolve_free(struct resolve *resolve)
{
	if (!resolve)
		return;
	resolve_drop(resolve);
	(void)close(resolve->epoll_fd); /* nothing is pending on it */
	free(resolve->servers);
	free(resolve);
	ares_library_cleanup();
}

static void add_address(struct message_name *answer, const struct ares_addrinfo_node *node)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	struct ip ip;

	if (node->ai_family == AF_INET && node->ai_addrlen >= sizeof(four)) {
		memcpy(&four, node->ai_addr, sizeof(four));
		ip = ip_from_bytes(4, &four.sin_addr);
	} else if (node->ai_family == AF_INET6 && node->ai_addrlen >= sizeof(six)) {
		memcpy(&six, node->ai_addr, sizeof(six));
		ip = ip_from_bytes(6, &six.sin6_addr);
	} else {
		return;
	}
	for (uint32_t i = 0; i < answer->count; i++)
		if (ip_equal(&answer->addresses[i], &ip))
			return;
	if (answer->count < MESSAGE_NAME_ADDRESSES_MAX)
		answer->addresses[answer->count++] = ip;
}

static void lower_ttl(struct message_name *answer, int ttl_s, bool *first)
{
	uint32_t bounded = ttl_s < 0 ? 0 : (uint32_t)ttl_s;

	if (bounded > RESOLVE_TTL_MAX)
		bounded = RESOLVE_TTL_MAX;
	if (*first || bounded < answer->ttl_s)
		answer->ttl_s = bounded;
	*first = false;
}

static void on_half(void *context, int status, int timeouts, struct ares_addrinfo *result)
{
	struct half *half = context;
	struct message_name *answer = &half->question->answer;
	bool first = answer->count == 0;

	(void)timeouts;
	half->is_over = true;
	half->status = status;
	for (const struct ares_addrinfo_node *node = result ? result->nodes : NULL; node;
		node = node->ai_next) {
		add_address(answer, node);
		lower_ttl(answer, node->ai_ttl, &first);
	}
	for (const struct ares_addrinfo_cname *name = result ? result->cnames : NULL;
		name && answer->count; name = name->next)
		lower_ttl(answer, name->ttl, &first);
	ares_freeaddrinfo(result); /* does nothing for NULL */
}

/* c-ares calls this when it opens a socket, waits for something else, or is about to close it
 * (neither readable nor writable). */
static void on_socket(void *context, ares_socket_t fd, int readable, int writable)
{
	const struct question *question = context;
	const struct resolve *resolve = question->resolve;
	uint64_t place = (uint64_t)(question - resolve->questions);
	struct epoll_event event = { .data.u64 = place << 32 | (uint32_t)fd };

	event.events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);
	/* if a socket cannot be watched, its question goes on by its timeout */
	if (!event.events)
		(void)epoll_ctl(resolve->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(resolve->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
		(void)epoll_ctl(resolve->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int channel_open(struct question *question, bool search, struct error *err)
{
	const struct resolve *resolve = question->resolve;
	char dns[] = "b";
	struct ares_options options = { .timeout = TRY_MS,
		.tries = TRIES,
		.lookups = dns,
		.ndomains = 0, /* no search domain, instead of those in resolv.conf */
		.sock_state_cb = on_socket,
		.sock_state_cb_data = question };
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
	int status;

#ifdef ARES_OPT_UDP_MAX_QUERIES
	/* From c-ares 1.20 on a malformed answer ends all questions of its socket: so each gets its
	 * own. */
	options.udp_max_queries = 1;
	mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
	if (!search)
		mask |= ARES_OPT_DOMAINS;
	if (resolve->servers)
		mask |= ARES_OPT_LOOKUPS;
	status = ares_init_options(&question->channel, &options, mask);
	if (status == ARES_SUCCESS && resolve->servers)
		status = ares_set_servers_ports_csv(question->channel, resolve->servers);
	if (status == ARES_SUCCESS)
		return 0;
	if (question->channel)
		ares_destroy(question->channel);
	question->channel = NULL;
	return error_set(err, "cannot use the resolver: %s", ares_strerror(status));
}

/* NULL: there is none for a question of this kind. */
static struct question *free_place(struct resolve *resolve, uint32_t kind)
{
	struct question *place = NULL;
	size_t count = 0;

	for (size_t i = 0; i < RESOLVE_QUESTIONS_MAX; i++) {
		if (!resolve->questions[i].channel)
			place = &resolve->questions[i];
		else if (resolve->questions[i].answer.kind == MESSAGE_NAME_COUNT)
			count++;
	}
	if (kind == MESSAGE_NAME_COUNT && count >= RESOLVE_QUESTIONS_MAX - RESOLVE_RESERVED)
		return NULL;
	return place;
}

bool resolve_is_full(struct resolve *resolve, uint32_t kind)
{
	return free_place(resolve, kind) == NULL;
}

int resolve_ask(struct resolve *resolve, const struct message_name *question, int64_t now_ms,
	struct error *err)
{
	static const int families[FAMILIES] = { AF_INET, AF_INET6 };
	/* SOCK_DGRAM: each address once, not for each type of socket. NOSORT: to sort them, c-ares
	 * would open a socket for each address. */
	struct ares_addrinfo_hints hints = { .ai_socktype = SOCK_DGRAM,
		.ai_flags = ARES_AI_NOSORT };
	struct question *place = free_place(resolve, question->kind);

	if (!host_name_is_valid(question->name, strlen(question->name)))
		return error_set(err, "not a host name");
	if (!place)
		return error_set(err, "more than %d names are being looked up",
			RESOLVE_QUESTIONS_MAX);
	*place = (struct question){ .resolve = resolve,
		.deadline_ms = now_ms + RESOLVE_LIMIT_MS,
		.answer = *question };
	place->answer.count = place->answer.ttl_s = 0;
	if (channel_open(place, question->kind == MESSAGE_NAME_PROTECT, err) < 0)
		return -1;
	resolve->in_flight++;
	for (size_t i = 0; i < FAMILIES; i++) {
		place->halves[i].question = place;
		hints.ai_family = families[i];
		ares_getaddrinfo(place->channel, question->name, NULL, &hints, on_half,
			&place->halves[i]);
	}
	return 0;
}

int resolve_fd(const struct resolve *resolve)
{
	return resolve->epoll_fd;
}

static bool is_over(const struct question *question)
{
	return question->halves[0].is_over && question->halves[1].is_over;
}

static bool says_no(const struct half *half)
{
	return half->is_over &&
	       (half->status == ARES_ENOTFOUND || half->status == ARES_ENODATA ||
		       half->status == ARES_ENONAME || half->status == ARES_SUCCESS);
}

static void hand_out(struct resolve *resolve, struct question *question)
{
	struct message_name answer = question->answer;

	answer.outcome = MESSAGE_NAME_NO_ANSWER;
	if (answer.count)
		answer.outcome = MESSAGE_NAME_FOUND;
	else if (says_no(&question->halves[0]) && says_no(&question->halves[1]))
		answer.outcome = MESSAGE_NAME_NONE;
	question_end(question);
	resolve->answer(resolve->context, &answer);
}

/* Lets c-ares work on the sockets that are ready. It may close one while it works on another; to
 * give it the number of a closed one does no harm, since it looks only at sockets that it has. */
static void run_sockets(struct resolve *resolve)
{
	struct epoll_event events[EVENTS_MAX];
	int count = EVENTS_MAX;

	for (int round = 0; round < ROUNDS_MAX && count == EVENTS_MAX; round++) {
		count = epoll_wait(resolve->epoll_fd, events, EVENTS_MAX, 0);
		for (int i = 0; i < count; i++) {
			struct question *question = &resolve->questions[events[i].data.u64 >> 32];
			ares_socket_t fd = (ares_socket_t)(events[i].data.u64 & UINT32_MAX);
			bool writable = events[i].events & EPOLLOUT;

			if (question->channel)
				ares_process_fd(question->channel,
					events[i].events & ~(uint32_t)EPOLLOUT ? fd
									       : ARES_SOCKET_BAD,
					writable ? fd : ARES_SOCKET_BAD);
		}
	}
}

void resolve_run(struct resolve *resolve, int64_t now_ms)
{
	run_sockets(resolve);
	for (size_t i = 0; i < RESOLVE_QUESTIONS_MAX; i++) {
		struct question *question = &resolve->questions[i];

		if (!question->channel)
			continue;
		if (!is_over(question)) /* lets c-ares notice timeouts */
			ares_process_fd(question->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		if (is_over(question) || now_ms >= question->deadline_ms)
			hand_out(resolve, question);
	}
}

int64_t resolve_wait_ms(const struct resolve *resolve, int64_t now_ms)
{
	int64_t wait_ms = STEP_MS;

	if (!resolve->in_flight)
		return -1;
	for (size_t i = 0; i < RESOLVE_QUESTIONS_MAX; i++) {
		const struct question *question = &resolve->questions[i];
		struct timeval limit = { .tv_sec = 1 };
		struct timeval wait = limit;

		if (!question->channel)
			continue;
		if (is_over(question))
			return 0;
		(void)ares_timeout(question->channel, &limit, &wait);
		if (wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1 < wait_ms)
			wait_ms = wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1;
		if (question->deadline_ms - now_ms < wait_ms)
			wait_ms = question->deadline_ms - now_ms;
	}
	return wait_ms > 0 ? wait_ms : 0;
}
