/* What one role takes from another: packets of any bytes, with and without descriptors. Input:
 * packets of two bytes of length, a byte of descriptors to go along, and that many bytes. */
#include "fuzz.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "process/messages.h"

enum { PACKETS_MAX = 16 };

static void packet_send(int fd, const void *bytes, size_t length, unsigned n_fds)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { (void *)(uintptr_t)bytes, length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	const int fds[4] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };

	if (n_fds) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
	}
	(void)sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT); /* full: the rest is enough */
}

static void record_check(const struct message *record)
{
	char scope[SCOPE_TEXT_MAX];
	char ip[IP_TEXT_MAX];

	fuzz_need(record->type > MESSAGE_NONE && record->type < MESSAGE_TYPES, "a known type");
	fuzz_need(memchr(record->text, '\0', sizeof(record->text)) != NULL, "an ended text");
	fuzz_need(scope_is_valid(&record->scope), "a scope");
	fuzz_need(strlen(scope_format(&record->scope, scope)) < SCOPE_TEXT_MAX, "shown");
	fuzz_need(ip_is_canonical(&record->ip), "one spelling of an address");
	fuzz_need(record->ttl_s >= -1 && record->ttl_s <= INT64_MAX / 2, "a time");
	if (record->type == MESSAGE_CONNECTIONS_WANTED)
		fuzz_need(record->scope.protocol == IPPROTO_TCP && record->scope.n_ranges, "TCP");
	if (record->type == MESSAGE_CONNECTION || record->type == MESSAGE_CONNECTION_SEEN)
		fuzz_need(record->ip.family && ip_is_host(&record->ip) && record->number &&
				  record->number <= UINT16_MAX,
			"a remote end");
	if (record->ip.family)
		fuzz_need(strlen(ip_format(&record->ip, ip)) < IP_TEXT_MAX, "an address");
}

static void mail_check(const struct message_mail_packet *packet)
{
	fuzz_need(packet->head.type < MESSAGE_MAIL_TYPES, "a known type");
	for (size_t i = 0; i < MESSAGE_MAIL_TEXTS_MAX; i++) {
		const char *text = packet->texts[i];

		fuzz_need(text, "a text or none");
		fuzz_need(!*text || (text >= packet->bytes &&
					    text + strlen(text) < packet->bytes + packet->length),
			"texts are in the packet");
	}
}

static void name_check(const struct message_mail_packet *packet)
{
	struct message_name name;
	char text[IP_TEXT_MAX];

	if (packet->head.type != MESSAGE_MAIL_NAME || message_name_read(packet, &name) < 0)
		return;
	fuzz_need(memchr(name.name, '\0', sizeof(name.name)) != NULL, "an ended name");
	fuzz_need(name.outcome < MESSAGE_NAME_OUTCOMES, "a known outcome");
	fuzz_need(name.count <= MESSAGE_NAME_ADDRESSES_MAX, "no more than there is room for");
	fuzz_need((name.count > 0) == (name.outcome == MESSAGE_NAME_FOUND), "addresses if found");
	for (size_t i = 0; i < name.count; i++) {
		fuzz_need(name.addresses[i].family && ip_is_host(&name.addresses[i]), "addresses");
		fuzz_need(ip_is_canonical(&name.addresses[i]), "in one spelling");
		fuzz_need(strlen(ip_format(&name.addresses[i], text)) < IP_TEXT_MAX, "shown");
	}
}

static void receive_all(int fd, bool mails)
{
	static struct message_mail_packet packet;
	struct message record;
	struct error err = { "" };
	int passed = -1;
	int rc = 1;

	for (int i = 0; i <= PACKETS_MAX && rc != 0; i++) {
		rc = mails ? message_mail_receive(fd, &packet, &err)
			   : message_receive(fd, &record, &passed, &err);
		if (rc > 0 && mails) {
			mail_check(&packet);
			name_check(&packet);
		} else if (rc > 0) {
			record_check(&record);
		} else if (rc < 0) {
			fuzz_need(err.text[0] && passed < 0, "says why, keeps nothing");
		}
		if (passed >= 0)
			(void)close(passed);
		passed = -1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	bool mails = fuzz_byte(&input) & 1;
	int free_fd = fuzz_free_fd();
	int pair[2];

	fuzz_need(message_pair(pair, NULL) == 0, "a pair");
	for (int i = 0; i < PACKETS_MAX && !fuzz_is_at_end(&input); i++) {
		size_t size = (size_t)fuzz_byte(&input) << 8 | fuzz_byte(&input);
		unsigned n_fds = fuzz_byte(&input) % 5;

		size = size < input.left ? size : input.left;
		packet_send(pair[0], input.at, size, n_fds);
		input.at += size;
		input.left -= size;
	}
	receive_all(pair[1], mails);
	(void)close(pair[0]);
	(void)close(pair[1]);
	fuzz_need(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
