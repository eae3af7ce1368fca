#include "process/messages.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

int message_pair(int ret_fds[2], struct error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) < 0)
		return error_errno(err, errno, "cannot make a socket pair");
	return 0;
}

static int packet_send(int fd, const void *bytes, size_t length, int passed_fd, struct error *err)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (passed_fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &passed_fd, sizeof(int));
	}
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 1;
	if (errno == EAGAIN || errno == ENOBUFS)
		return 0;
	return error_errno(err, errno, "cannot send to the other role");
}

/* Takes the descriptor out of the message; -1: there is none. The room for one descriptor is
 * rounded up by CMSG_SPACE, so two may come: the second is closed, and the packet counts as
 * invalid. */
static int passed_descriptor(struct msghdr *message)
{
	int fds[2] = { -1, -1 };
	struct cmsghdr *c = CMSG_FIRSTHDR(message);

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	if (fds[1] >= 0) {
		(void)close(fds[1]); /* not used */
		message->msg_flags |= MSG_CTRUNC;
	}
	return fds[0];
}

/* How many bytes were received; 0: there is no packet yet; -1 with a sentence: the other end is
 * gone, or the packet is larger than size. */
static ssize_t packet_receive(int fd, void *bytes, size_t size, int *ret_fd, struct error *err)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	_Static_assert(sizeof(control) <= CMSG_LEN(2 * sizeof(int)), "passed_descriptor takes two");
	struct iovec part = { .iov_base = bytes, .iov_len = size };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t got;

	do
		got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0 && errno == ECONNRESET) /* it ended without reading all that we sent */
		return error_set(err, "closed");
	if (got < 0)
		return error_errno(err, errno, "cannot receive from the other role");
	*ret_fd = passed_descriptor(&message);
	if (got > 0 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return got;
	if (*ret_fd >= 0)
		(void)close(*ret_fd); /* not used */
	*ret_fd = -1;
	return error_set(err, got == 0 ? "closed" : "the other role sent nonsense");
}

int message_send(int fd, const struct message *record, int passed_fd, struct error *err)
{
	return packet_send(fd, record, sizeof(*record), passed_fd, err);
}

/* No control characters: the firewall role passes texts on to the service manager, for which a
 * newline begins another assignment such as "MAINPID=1". */
static bool text_is_valid(const char text[MESSAGE_TEXT_MAX])
{
	const char *end = memchr(text, '\0', MESSAGE_TEXT_MAX);

	for (const char *at = text; end && at < end; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return end != NULL;
}

/* What a type asks for beyond what holds for all of them. */
static bool fields_are_valid(const struct message *record)
{
	if (record->type == MESSAGE_CONNECTIONS_WANTED)
		return record->scope.protocol == IPPROTO_TCP;
	if (record->type == MESSAGE_CONNECTION || record->type == MESSAGE_CONNECTION_SEEN)
		return record->ip.family && ip_is_host(&record->ip) && record->number > 0 &&
		       record->number <= UINT16_MAX;
	return true;
}

static bool record_is_valid(const struct message *record)
{
	return record->type > MESSAGE_NONE && record->type < MESSAGE_TYPES && record->ttl_s >= -1 &&
	       record->ttl_s <= INT64_MAX / 2 && text_is_valid(record->text) &&
	       ip_is_canonical(&record->ip) && scope_is_valid(&record->scope) &&
	       fields_are_valid(record);
}

int message_receive(int fd, struct message *ret_record, int *ret_fd, struct error *err)
{
	struct message record;
	ssize_t got;

	*ret_fd = -1;
	got = packet_receive(fd, &record, sizeof(record), ret_fd, err);
	if (got <= 0)
		return (int)got;
	if (got == sizeof(record) && record_is_valid(&record)) {
		*ret_record = record;
		return 1;
	}
	if (*ret_fd >= 0)
		(void)close(*ret_fd); /* not used */
	*ret_fd = -1;
	return error_set(err, "the other role sent nonsense");
}

int message_mail_send(int fd, const struct message_mail *head, const char *const *texts,
	size_t n_texts, struct error *err)
{
	struct message_mail_packet packet;
	size_t used = sizeof(*head);

	memcpy(packet.bytes, head, sizeof(*head));
	for (size_t i = 0; i < n_texts; i++) {
		size_t length = strlen(texts[i]) + 1;
		size_t left = sizeof(packet.bytes) - used;

		if (length > left && i + 1 < n_texts)
			return error_set(err, "a text of %zu bytes is too long to be mailed",
				length);
		if (length > left && left < 4)
			return error_set(err, "the head of a mail is too long");
		memcpy(packet.bytes + used, texts[i], length > left ? left - 4 : length);
		if (length > left) {
			memcpy(packet.bytes + used + left - 4, "...", 4);
			length = left;
		}
		used += length;
	}
	return packet_send(fd, packet.bytes, used, -1, err);
}

int message_mail_receive(int fd, struct message_mail_packet *ret_packet, struct error *err)
{
	struct message_mail_packet *packet = ret_packet;
	int passed = -1;
	ssize_t got = packet_receive(fd, packet->bytes, sizeof(packet->bytes), &passed, err);
	size_t at = sizeof(packet->head);
	size_t count = 0;

	if (got <= 0)
		return (int)got;
	if (passed >= 0)
		(void)close(passed); /* no such packet has a descriptor */
	if ((size_t)got < at || ((size_t)got > at && packet->bytes[got - 1] != '\0'))
		return error_set(err, "the other role sent nonsense");
	memcpy(&packet->head, packet->bytes, at);
	packet->length = (size_t)got;
	if (packet->head.type >= MESSAGE_MAIL_TYPES)
		return error_set(err, "the other role sent nonsense");
	for (size_t i = 0; i < MESSAGE_MAIL_TEXTS_MAX; i++)
		packet->texts[i] = "";
	while (at < (size_t)got && count < MESSAGE_MAIL_TEXTS_MAX) {
		packet->texts[count++] = packet->bytes + at;
		at += strlen(packet->bytes + at) + 1;
	}
	return 1;
}

int message_name_send(int fd, const struct message_name *name, struct error *err)
{
	struct message_name record = *name;

	record.type = MESSAGE_MAIL_NAME;
	return packet_send(fd, &record, sizeof(record), -1, err);
}

static bool name_is_valid(const char name[MESSAGE_NAME_BYTES_MAX])
{
	size_t length = strnlen(name, MESSAGE_NAME_BYTES_MAX);

	for (size_t i = length; i < MESSAGE_NAME_BYTES_MAX; i++)
		if (name[i])
			return false;
	return length > 0 && length < MESSAGE_NAME_BYTES_MAX;
}

int message_name_read(const struct message_mail_packet *packet, struct message_name *ret_name)
{
	struct message_name name;

	_Static_assert(sizeof(name) <= sizeof(packet->bytes), "a name is a small packet");
	_Static_assert(sizeof(name) >= sizeof(struct message_mail), "and has room for a head");
	if (packet->length != sizeof(name))
		return -1;
	memcpy(&name, packet->bytes, sizeof(name));
	if (name.type != MESSAGE_MAIL_NAME || name.kind > MESSAGE_NAME_COUNT ||
		name.outcome >= MESSAGE_NAME_OUTCOMES || name.count > MESSAGE_NAME_ADDRESSES_MAX ||
		(name.count > 0) != (name.outcome == MESSAGE_NAME_FOUND) ||
		!name_is_valid(name.name))
		return -1;
	for (uint32_t i = 0; i < name.count; i++)
		if (!name.addresses[i].family || !ip_is_canonical(&name.addresses[i]) ||
			!ip_is_host(&name.addresses[i]))
			return -1;
	*ret_name = name;
	return 0;
}
