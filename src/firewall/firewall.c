#include "firewall/firewall.h"

#include <signal.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/protected.h"
#include "firewall/elements.h"
#include "firewall/nft_table.h"
#include "firewall/own_addresses.h"
#include "firewall/parts.h"
#include "process/child.h"
#include "process/dirs.h"
#include "process/launch.h"
#include "process/messages.h"
#include "process/sandbox.h"

enum { TICK_US = 1000000, GENERATION_EVERY_S = 60, ALIVE_LIMIT_S = 3 * MESSAGE_ALIVE_S };

/* ---- the loop ---- */

/* sd-event calls this before the loop sleeps. The loop then also waits until an engine's socket is
 * writable, if records are queued for it; and an engine with a long queue is not read, since each
 * answer would make the queue longer. */
static int on_post(sd_event_source *source, void *context)
{
	struct firewall *firewall = context;

	(void)source;
	for (size_t i = 0; i < 2; i++) {
		struct link *link = &firewall->links[i];

		if (!link->io)
			continue;
		(void)child_flush(&link->child); /* what is left goes when it is writable */
		(void)sd_event_source_set_io_events(link->io,
			(child_is_full(&link->child) ? 0 : EPOLLIN) |
				(link->child.queue_count ? EPOLLOUT : 0));
	}
	firewall_join(firewall);
	firewall_wire_pass(firewall);
	firewall_accept_pace(firewall);
	firewall_adopt_pace(firewall);
	return 0;
}

static void feed_watchdog(struct firewall *firewall)
{
	int64_t oldest_s = clock_boot_s() - ALIVE_LIMIT_S;

	if (firewall->current && firewall->current->ready &&
		firewall->current->child.alive_s < oldest_s)
		return; /* the engine hangs: the watchdog ends the service and starts it again */
	if (firewall->notifier.pid && firewall->notifier.alive_s < oldest_s)
		(void)kill(firewall->notifier.pid, SIGKILL); /* it hangs; a new one is started */
	(void)sd_notify(0, "WATCHDOG=1");                    /* fails without systemd */
}

static void check_generation(struct firewall *firewall)
{
	struct error err;
	bool seen = true;

	firewall->next_generation_s = clock_boot_s() + GENERATION_EVERY_S;
	elements_sweep(firewall->elements, clock_boot_s());
	if (nft_generation(firewall->nft, &seen, &err) < 0)
		log_line(LOG_ERR, "cannot ask the firewall's state: %s", err.text);
	else if (!seen)
		firewall_restore(firewall, "changed by somebody else");
}

static int on_tick(sd_event_source *source, uint64_t at_us, void *context)
{
	struct firewall *firewall = context;
	int64_t now_s = clock_boot_s();

	(void)at_us;
	if (firewall->stopping && now_s > firewall->stop_limit_s)
		(void)sd_event_exit(firewall->event, EXIT_FAILURE); /* cannot fail in the loop */
	if (!firewall->stopping && !firewall->notifier.pid && now_s >= firewall->notifier_again_s)
		firewall_start_notifier(firewall);
	if (firewall->current)
		protected_expire(firewall->current->protected, now_s);
	if (now_s >= firewall->next_logins_s)
		firewall_refresh_logins(firewall);
	if (firewall->to_restore)
		firewall_restore(firewall, "not as it should be");
	firewall_wire_tick(firewall, now_s);
	firewall_connections_tick(firewall, now_s);
	if (firewall->nft && now_s >= firewall->next_generation_s)
		check_generation(firewall);
	firewall_limit_engines(firewall, now_s);
	feed_watchdog(firewall);
	(void)sd_event_source_set_time_relative(source, TICK_US); /* cannot fail on a live source */
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	(void)source, (void)info;
	firewall_stop(context, EXIT_SUCCESS);
	return 0;
}

static int on_host_change(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;

	(void)source, (void)fd, (void)revents;
	own_addresses_drain(firewall->own_addresses);
	firewall_refresh_hosts(firewall);
	return 0;
}

static int add_sources(struct firewall *firewall)
{
	sd_event *event = firewall->event;
	sigset_t signals;

	(void)sigemptyset(&signals); /* the calls for signal sets cannot fail with valid numbers */
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGHUP, SIG_IGN); /* losing the terminal must not end protection */
	if (sd_event_add_signal(event, NULL, SIGTERM, on_signal, firewall) < 0 ||
		sd_event_add_signal(event, NULL, SIGINT, on_signal, firewall) < 0 ||
		sd_event_add_post(event, NULL, on_post, firewall) < 0 ||
		sd_event_add_io(event, NULL, own_addresses_fd(firewall->own_addresses), EPOLLIN,
			on_host_change, firewall) < 0 ||
		sd_event_add_time_relative(event, NULL, CLOCK_BOOTTIME, TICK_US, 0, on_tick,
			firewall) < 0)
		return -1;
	if (firewall->nft && sd_event_add_io(event, NULL, nft_watch_fd(firewall->nft), EPOLLIN,
				     firewall_on_nft_event, firewall) < 0)
		return -1;
	return 0;
}

static int open_kernel(struct firewall *firewall, struct error *err)
{
	if (own_addresses_open(&firewall->own_addresses, err) < 0)
		return -1;
	if (firewall->options->dry_run)
		return 0;
	if (nft_open(&firewall->nft, err) < 0 || nft_ensure(firewall->nft, err) < 0)
		return -1;
	firewall->elements = elements_new(firewall->nft);
	return 0;
}

static void firewall_done(struct firewall *firewall)
{
	for (size_t i = 0; i < 2; i++) {
		if (firewall->links[i].child.pid)
			(void)kill(firewall->links[i].child.pid, SIGKILL); /* it is late */
		firewall_link_done(firewall, &firewall->links[i]);
	}
	if (firewall->notifier.pid)
		(void)kill(firewall->notifier.pid, SIGKILL); /* the outbox keeps its mails */
	child_done(&firewall->notifier);
	elements_free(firewall->elements);
	firewall_wire_end(firewall);
	firewall_connections_end(firewall);
	nft_close(firewall->nft);
	own_addresses_close(firewall->own_addresses);
	protected_free(firewall->hosts);
	(void)sd_event_source_disable_unref(firewall->accept_io);
	(void)sd_event_source_disable_unref(firewall->dump_io);
	(void)sd_event_unref(firewall->event);
}

static int serve(struct firewall *firewall, struct error *err)
{
	struct sandbox_report report;
	int status;

	if (open_kernel(firewall, err) < 0)
		return -1;
	if (sd_event_new(&firewall->event) < 0 || add_sources(firewall) < 0)
		return error_set(err, "cannot make the event loop");
	if (sandbox_enter(SANDBOX_FIREWALL, NULL, 0, &report, err) < 0)
		return -1;
	firewall_start_notifier(firewall);
	if (firewall_start_engine(firewall, -1, err) < 0)
		return -1;
	status = sd_event_loop(firewall->event);
	return status < 0 ? error_errno(err, -status, "the event loop ended") : status;
}

int firewall_run(const struct run_options *options)
{
	struct firewall *firewall = alloc_zero(sizeof(*firewall));
	struct error err;
	int status;

	log_open("firewall");
	firewall->options = options;
	firewall->hosts = protected_new();
	firewall->notifier.fd = -1;
	firewall->wire_group = NFT_WIRE_NONE;
	firewall->wire_fd = -1;
	firewall->next_generation_s = clock_boot_s() + GENERATION_EVERY_S;
	for (size_t i = 0; i < 2; i++)
		firewall->links[i] = (struct link){ .firewall = firewall, .child = { .fd = -1 } };
	if (dirs_prepare(options, &firewall->listen_fd, &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		free(firewall);
		return EXIT_FAILURE;
	}
	status = serve(firewall, &err);
	if (status < 0)
		log_line(LOG_ERR, "%s", err.text);
	(void)unlink(options->socket_path); /* if it may not, the next start does */
	firewall_done(firewall);
	free(firewall);
	return status < 0 ? EXIT_FAILURE : status;
}
