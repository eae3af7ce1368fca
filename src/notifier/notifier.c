#include "notifier/notifier.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "notifier/lookups.h"
#include "notifier/name_files.h"
#include "notifier/smtp.h"
#include "process/launch.h"
#include "process/messages.h"
#include "process/sandbox.h"

enum {
	DELIVERIES_MAX = 2, /* that run at the same time */
	QUEUE_MAX = 64,     /* mails that wait for a delivery; the engine sends no more at a time */
	DELIVERY_LIMIT_US = 60 * 1000000,
	ALIVE_US = MESSAGE_ALIVE_S * 1000000,
	PACKET_WAIT_MS = 5000,
	DNS_PORT = 53, /* by TCP: for answers that are too long for UDP */
};

struct delivery {
	struct notifier *notifier; /* borrowed */
	pid_t pid;                 /* 0: a free place */
	int pidfd;                 /* owned */
	int fd;                    /* owned */
	int64_t id;
	bool timed_out;
	sd_event_source *exit;
	sd_event_source *timer;
};

struct notifier {
	const struct run_options *options;
	sd_event *event;
	int peer_fd; /* owned; -1: no engine */
	sd_event_source *peer_io;
	struct message_mail_packet settings; /* length 0: none yet */
	struct name_files files;
	struct message_mail_packet *queue[QUEUE_MAX]; /* owned; oldest first */
	size_t queue_count;
	struct delivery deliveries[DELIVERIES_MAX];
	struct lookups *lookups; /* owned */
};

static void answer(struct notifier *notifier, int64_t id, enum message_mail_outcome outcome,
	const char *text)
{
	struct message_mail head = { .type = MESSAGE_MAIL_DONE, .id = id, .outcome = outcome };

	/* no engine: the mail stays in the outbox of the database, and is sent again */
	if (notifier->peer_fd >= 0 && id)
		(void)message_mail_send(notifier->peer_fd, &head, &text, 1, NULL);
}

static void delivery_end(struct delivery *delivery)
{
	struct notifier *notifier = delivery->notifier;
	struct message_mail_packet *packet = alloc_zero(sizeof(*packet));

	if (delivery->timed_out)
		answer(notifier, delivery->id, MESSAGE_MAIL_FAILED,
			"the mail server took more than 60 s");
	else if (message_mail_receive(delivery->fd, packet, NULL) == 1)
		answer(notifier, delivery->id, packet->head.outcome, packet->texts[0]);
	else
		answer(notifier, delivery->id, MESSAGE_MAIL_FAILED, "the delivery broke off");
	free(packet);
	(void)sd_event_source_disable_unref(delivery->exit);
	(void)sd_event_source_disable_unref(delivery->timer);
	(void)close(delivery->fd);
	(void)close(delivery->pidfd);
	*delivery = (struct delivery){ .notifier = notifier, .fd = -1, .pidfd = -1 };
}

static int on_delivery_exit(sd_event_source *source, const siginfo_t *info, void *context)
{
	(void)source, (void)info;
	delivery_end(context);
	return 0;
}

static int on_delivery_late(sd_event_source *source, uint64_t at_us, void *context)
{
	struct delivery *delivery = context;

	(void)source, (void)at_us;
	delivery->timed_out = true;
	(void)sandbox_kill(delivery->pidfd, SIGKILL); /* on_delivery_exit() does the rest */
	return 0;
}

/* Starts a delivery and hands it the settings and the mail. False: it could not be started, and
 * nothing was answered to the engine. */
static bool delivery_start(struct notifier *notifier, struct delivery *delivery,
	const struct message_mail_packet *mail)
{
	struct error err;
	int pair[2];

	if (message_pair(pair, &err) < 0)
		return false;
	delivery->pid = sandbox_fork(&delivery->pidfd);
	if (delivery->pid == 0)
		launch_exec("delivery", notifier->options, pair[1], -1);
	(void)close(pair[1]); /* the child has its own */
	if (delivery->pid < 0) {
		(void)close(pair[0]);
		delivery->pid = 0;
		return false;
	}
	delivery->fd = pair[0];
	delivery->id = mail->head.id;
	/* a delivery that gets only one of the packets gives up */
	(void)send(delivery->fd, notifier->settings.bytes, notifier->settings.length, MSG_NOSIGNAL);
	(void)send(delivery->fd, mail->bytes, mail->length, MSG_NOSIGNAL);
	if (sd_event_add_child(notifier->event, &delivery->exit, delivery->pid, WEXITED,
		    on_delivery_exit, delivery) < 0 ||
		sd_event_add_time_relative(notifier->event, &delivery->timer, CLOCK_BOOTTIME,
			DELIVERY_LIMIT_US, 0, on_delivery_late, delivery) < 0) {
		log_line(LOG_ERR, "cannot watch a delivery");
		(void)sandbox_kill(delivery->pidfd, SIGKILL); /* its exit would not be noticed */
		delivery_end(delivery);
	}
	return true;
}

static void start_waiting(struct notifier *notifier)
{
	for (size_t i = 0; i < DELIVERIES_MAX && notifier->queue_count; i++) {
		struct message_mail_packet *mail = notifier->queue[0];

		if (notifier->deliveries[i].pid)
			continue;
		if (!delivery_start(notifier, &notifier->deliveries[i], mail))
			answer(notifier, mail->head.id, MESSAGE_MAIL_FAILED,
				"cannot start a delivery");
		free(mail);
		memmove(notifier->queue, notifier->queue + 1,
			--notifier->queue_count * sizeof(struct message_mail_packet *));
	}
}

/* sd-event calls this before the loop sleeps: starts waiting mails where a delivery has ended. */
static int on_post(sd_event_source *source, void *context)
{
	(void)source;
	start_waiting(context);
	return 0;
}

/* Ends this process, so that the firewall role starts it again: what a confined process may do
 * never becomes more. The mails are in the outbox. */
static void start_again(struct notifier *notifier, const char *why)
{
	log_line(LOG_INFO, "to be started again: %s", why);
	notifier->settings.length = 0;           /* what the socket still holds is not begun */
	(void)sd_event_exit(notifier->event, 0); /* cannot fail in the loop */
}

/* The engine sends its settings before anything else, so no byte from outside has been read when
 * the ports are limited. */
static void take_settings(struct notifier *notifier, const struct message_mail_packet *packet)
{
	const uint16_t ports[] = { DNS_PORT, (uint16_t)packet->head.port };
	bool first = !notifier->settings.length;
	struct error err;

	if (!first && notifier->settings.head.port != packet->head.port) {
		start_again(notifier, "the port of the mail server has changed");
		return;
	}
	if (first && sandbox_limit_ports(ports, 2, &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		(void)sd_event_exit(notifier->event, EXIT_FAILURE); /* cannot fail in the loop */
		return;
	}
	notifier->settings = *packet;
}

static void handle_packet(struct notifier *notifier, const struct message_mail_packet *packet)
{
	struct message_mail_packet *mail;

	if (packet->head.type == MESSAGE_MAIL_SETTINGS) {
		take_settings(notifier, packet);
		return;
	}
	if (!notifier->settings.length)
		return; /* not from an engine of ours, and the ports are not limited yet */
	if (packet->head.type == MESSAGE_MAIL_NAME) {
		lookups_packet(notifier->lookups, packet);
		return;
	}
	if (packet->head.type != MESSAGE_MAIL_ALERT)
		return;
	if (notifier->queue_count == QUEUE_MAX) {
		answer(notifier, packet->head.id, MESSAGE_MAIL_FAILED, "the notifier is busy");
		return;
	}
	mail = alloc_zero(sizeof(*mail));
	*mail = *packet; /* its texts are of no use: they point into packet */
	notifier->queue[notifier->queue_count++] = mail;
	start_waiting(notifier);
}

static void leave_peer(struct notifier *notifier)
{
	notifier->peer_io = sd_event_source_disable_unref(notifier->peer_io);
	if (notifier->peer_fd >= 0)
		(void)close(notifier->peer_fd);
	notifier->peer_fd = -1;
	lookups_peer(notifier->lookups, -1);
	while (notifier->queue_count)
		free(notifier->queue[--notifier->queue_count]); /* they are in the outbox */
	/* The next engine may give the same ids to other mails, so what still runs is not answered:
	 * id 0. */
	for (size_t i = 0; i < DELIVERIES_MAX; i++)
		notifier->deliveries[i].id = 0;
}

static int on_peer(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	static struct message_mail_packet packet; /* 16 KiB: not on the stack */
	struct notifier *notifier = context;
	int rc;

	(void)source, (void)revents;
	while ((rc = message_mail_receive(fd, &packet, NULL)) > 0)
		handle_packet(notifier, &packet);
	if (rc < 0)
		leave_peer(notifier);
	return 0;
}

static void join_peer(struct notifier *notifier, int fd)
{
	leave_peer(notifier);
	notifier->peer_fd = fd;
	lookups_peer(notifier->lookups, fd);
	if (sd_event_add_io(notifier->event, &notifier->peer_io, fd, EPOLLIN, on_peer, notifier) <
		0)
		log_line(LOG_ERR, "cannot watch the engine");
}

static int on_parent(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct notifier *notifier = context;
	struct message record;
	int passed_fd;
	int rc;

	(void)source, (void)revents;
	while ((rc = message_receive(fd, &record, &passed_fd, NULL)) > 0) {
		if (record.type == MESSAGE_PEER && passed_fd >= 0)
			join_peer(notifier, passed_fd);
		else if (passed_fd >= 0)
			(void)close(passed_fd); /* no other record has a descriptor */
		if (record.type == MESSAGE_STOP) {
			rc = -1;
			break;
		}
	}
	if (rc < 0)
		(void)sd_event_exit(notifier->event, 0); /* cannot fail in the loop */
	return 0;
}

static bool is_delivering(const struct notifier *notifier)
{
	for (size_t i = 0; i < DELIVERIES_MAX; i++)
		if (notifier->deliveries[i].pid)
			return true;
	return false;
}

static int on_alive(sd_event_source *source, uint64_t at_us, void *context)
{
	struct message alive = { .type = MESSAGE_ALIVE };
	struct notifier *notifier = context;

	(void)at_us;
	/* a delivery that is cut short would be sent twice */
	if (!is_delivering(notifier) && name_files_are_stale(&notifier->files))
		start_again(notifier, "a file of the name service was replaced");
	(void)message_send(LAUNCH_PARENT_FD, &alive, -1, NULL); /* if it is full, we have sent */
	/* these cannot fail on a live source */
	(void)sd_event_source_set_time_relative(source, ALIVE_US);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int serve(struct notifier *notifier, struct error *err)
{
	struct sandbox_report report;
	sigset_t signals;
	int status;

	(void)sigemptyset(&signals); /* the calls for signal sets cannot fail with valid numbers */
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sd_event_new(&notifier->event) < 0 ||
		sd_event_add_io(notifier->event, NULL, LAUNCH_PARENT_FD, EPOLLIN, on_parent,
			notifier) < 0 ||
		sd_event_add_post(notifier->event, NULL, on_post, notifier) < 0 ||
		sd_event_add_time_relative(notifier->event, NULL, CLOCK_BOOTTIME, ALIVE_US, 0,
			on_alive, notifier) < 0)
		return error_set(err, "cannot make the event loop");
	if (lookups_new(notifier->event, &notifier->lookups, err) < 0)
		return -1;
	name_files_init(&notifier->files, NULL, 0);
	if (sandbox_enter(SANDBOX_NOTIFIER, notifier->files.paths, notifier->files.count, &report,
		    err) < 0)
		return -1;
	status = sd_event_loop(notifier->event);
	return status < 0 ? error_errno(err, -status, "the event loop ended") : status;
}

int notifier_run(const struct run_options *options)
{
	struct notifier *notifier = alloc_zero(sizeof(*notifier));
	struct error err;
	int status;

	log_open("notifier");
	notifier->options = options;
	notifier->peer_fd = -1;
	for (size_t i = 0; i < DELIVERIES_MAX; i++)
		notifier->deliveries[i] =
			(struct delivery){ .notifier = notifier, .fd = -1, .pidfd = -1 };
	status = serve(notifier, &err);
	if (status < 0)
		log_line(LOG_ERR, "%s", err.text);
	for (size_t i = 0; i < DELIVERIES_MAX; i++)
		if (notifier->deliveries[i].pid)
			(void)sandbox_kill(notifier->deliveries[i].pidfd, SIGKILL); /* sent anew */
	if (notifier->lookups)
		leave_peer(notifier);
	lookups_free(notifier->lookups);
	(void)sd_event_unref(notifier->event);
	free(notifier);
	return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Receives a packet from the notifier, which sends both just after the fork: it is there, or will
 * be soon. */
static int receive_soon(struct message_mail_packet *packet, struct error *err)
{
	struct pollfd waiting = { .fd = LAUNCH_PARENT_FD, .events = POLLIN };
	int rc;

	if (poll(&waiting, 1, PACKET_WAIT_MS) != 1)
		return error_set(err, "the notifier sends nothing");
	rc = message_mail_receive(LAUNCH_PARENT_FD, packet, err);
	return rc == 1 ? 0 : -1;
}

int notifier_deliver(void)
{
	static struct message_mail_packet settings; /* 16 KiB each: not on the stack */
	static struct message_mail_packet alert;
	struct message_mail done = { .type = MESSAGE_MAIL_DONE, .outcome = MESSAGE_MAIL_SENT };
	struct smtp_server server;
	struct smtp_mail mail;
	struct sandbox_report report;
	struct name_files files;
	struct error err = { .text = "delivered" };
	const char *text = err.text;
	bool permanent = false;

	log_open("delivery");
	smtp_preload();
	name_files_init(&files, NULL, 0);
	if (sandbox_enter(SANDBOX_DELIVERY, files.paths, files.count, &report, &err) < 0 ||
		receive_soon(&settings, &err) < 0 || receive_soon(&alert, &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		return EXIT_FAILURE;
	}
	server = (struct smtp_server){ .host = settings.texts[0],
		.port = (uint16_t)settings.head.port,
		.tls_required = settings.head.tls != 0,
		.user = settings.texts[1][0] ? settings.texts[1] : NULL,
		.password = settings.texts[2] };
	mail = (struct smtp_mail){ .sender = alert.texts[0][0] ? alert.texts[0] : NULL,
		.dest = alert.texts[1],
		.subject = alert.texts[2],
		.body = alert.texts[3],
		.date_s = alert.head.date_s,
		.id = (uint64_t)alert.head.id };
	done.id = alert.head.id;
	if (smtp_deliver(&server, &mail, &permanent, &err) < 0)
		done.outcome = permanent ? MESSAGE_MAIL_REFUSED : MESSAGE_MAIL_FAILED;
	(void)message_mail_send(LAUNCH_PARENT_FD, &done, &text, 1, NULL); /* else "broke off" */
	return EXIT_SUCCESS;
}
