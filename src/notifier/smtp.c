#include "notifier/smtp.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* OpenSSL has to come first: else libesmtp.h and auth-client.h leave out what needs its types. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <auth-client.h>
#include <libesmtp.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/mail_address.h"
#include "base/text.h"
#include "notifier/localhost.h"
#include "notifier/mime.h"

enum {
	STEP_TIMEOUT_MS = 20000, /* for one answer; the whole delivery has the parent's 60 s */
	REPLY_MAX = 256,         /* bytes of an answer's line that are kept; the rest is cut */
	SHOWN_MAX = 512,
};

/* One delivery: what its callbacks need, and what they have noticed. */
struct delivery {
	const struct smtp_server *server; /* borrowed */
	const struct mailboxes *to;       /* borrowed */
	char where[300];                  /* "host:port", rendered */
	char *text;                       /* owned: the composed message */
	char *user;       /* owned copy: libesmtp wants it writable; password likewise */
	char *password;   /* owned; overwritten before it is freed */
	int verify_error; /* X509_V_*: why the certificate was refused; 0: it was not */
	bool no_starttls; /* the server does not offer it, and we require it */
	bool tls_up;
	char line[REPLY_MAX]; /* the line of an answer that is being received */
	size_t line_length;
	bool answered; /* the last line of an answer has come, and nothing was sent since */
	bool injected; /* without TLS, more came than that answer */
	bool auth_tried;
	bool auth_waits;         /* AUTH was sent, and its outcome is not read yet */
	char auth[REPLY_MAX];    /* the answer that refused AUTH; "": none */
	char refusal[REPLY_MAX]; /* the last answer with 4xx or 5xx; "": none */
	smtp_recipient_t rcpt[MAILBOX_LIST_MAX];
};

static const char *host_name(struct utsname *name)
{
	return uname(name) == 0 && name->nodename[0] ? name->nodename : "localhost";
}

static bool is_loopback(const char *host)
{
	return localhost_is(host) || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
}

/* Shows an answer in one line: the lines of "250-a", "250 b" follow each other, with their codes.
 */
static const char *show_reply(char out[SHOWN_MAX], const char *text)
{
	char line[REPLY_MAX * 2];
	size_t length = strnlen(text, sizeof(line) - 1);

	memcpy(line, text, length);
	while (length && strchr("\r\n \t", line[length - 1]))
		length--;
	line[length] = '\0';
	for (char *at = line; (at = strpbrk(at, "\r\n")) != NULL;)
		*at = ' ';
	return text_render(out, SHOWN_MAX, line, length);
}

static void keep_reply(char out[REPLY_MAX], const char *bytes, size_t length)
{
	size_t kept = length < REPLY_MAX ? length : REPLY_MAX - 1;

	memcpy(out, bytes, kept);
	out[kept] = '\0';
}

/* Takes in one line of an answer: its code, "-" or the space of the last line, text. */
static void take_line(struct delivery *delivery, const char *line, size_t length)
{
	bool refused = line[0] == '4' || line[0] == '5';

	if (length < 4 || line[3] != '-')
		delivery->answered = true;
	if (refused)
		keep_reply(delivery->refusal, line, length);
	if (!delivery->auth_waits || line[0] == '3')
		return;
	delivery->auth_waits = false;
	if (refused)
		keep_reply(delivery->auth, line, length);
	else
		delivery->auth[0] = '\0';
}

/* What is received comes in pieces as the network cuts it, so it is put together to lines. Until
 * TLS is up we send one command at a time, and the server owes one answer to it, and its greeting.
 * What comes behind that answer is somebody's in the middle: libesmtp would keep it, and read it
 * later as if it had come under TLS. */
static void take_received(struct delivery *delivery, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (delivery->answered && !delivery->tls_up)
			delivery->injected = true;
		if (bytes[i] != '\n') {
			if (delivery->line_length < sizeof(delivery->line) - 1)
				delivery->line[delivery->line_length++] = bytes[i];
			continue;
		}
		delivery->line[delivery->line_length] = '\0';
		take_line(delivery, delivery->line, delivery->line_length);
		delivery->line_length = 0;
	}
}

/* Watches what is sent and received, because libesmtp keeps no status for the greeting, STARTTLS
 * and AUTH. What is sent contains the password, so only its first word is looked at. */
static void on_dialogue(const char *bytes, int length, int writing, void *context)
{
	struct delivery *delivery = context;

	if (writing == SMTP_CB_READING)
		take_received(delivery, bytes, length > 0 ? (size_t)length : 0);
	if (writing != SMTP_CB_WRITING)
		return;
	delivery->answered = false;
	if (length >= 4 && memcmp(bytes, "AUTH", 4) == 0)
		delivery->auth_tried = delivery->auth_waits = true;
}

static void on_event(smtp_session_t session, int event, void *context, ...)
{
	struct delivery *delivery = context;
	va_list args;

	(void)session; /* the callback's signature */
	va_start(args, context);
	if (event == SMTP_EV_EXTNA_STARTTLS) {
		delivery->no_starttls = true;
	} else if (event == SMTP_EV_STARTTLS_OK) {
		delivery->tls_up = true;
	} else if (event == SMTP_EV_WRONG_PEER_CERTIFICATE) {
		/* libesmtp has compared the certificate with the canonical name, which DNS chooses,
		 * and does not like it. OpenSSL has compared it with the configured name, and the
		 * handshake succeeded: so it is right. */
		int *ok = va_arg(args, int *);

		*ok = 1;
	}
	va_end(args);
}

static const char *on_text(void **context, int *length, void *argument)
{
	struct delivery *delivery = argument;

	if (!length) { /* libesmtp wants the text from its beginning again */
		free(*context);
		*context = NULL;
		return NULL;
	}
	if (*context) {
		*length = 0;
		return NULL;
	}
	*context = alloc_zero(1);              /* libesmtp frees it; not NULL: the text was given */
	*length = (int)strlen(delivery->text); /* up to 4 * MIME_BODY_MAX and headers: fits */
	return delivery->text;
}

static int on_interact(auth_client_request_t request, char **result, int fields, void *context)
{
	const struct delivery *delivery = context;

	for (int i = 0; i < fields; i++) {
		result[i] = NULL;
		if (request[i].flags & AUTH_USER)
			result[i] = delivery->user;
		else if (request[i].flags & AUTH_PASS)
			result[i] = delivery->password;
		if (!result[i] || (request[i].size && strlen(result[i]) > request[i].size))
			return 0;
	}
	return 1;
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct delivery *delivery = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!ok)
		delivery->verify_error = X509_STORE_CTX_get_error(store);
	return ok && !delivery->injected; /* with 0 the handshake fails, and nothing is sent */
}

/* Sets the server name (SNI), which libesmtp does not send; large providers answer a handshake
 * without it with a certificate for no name at all. Only when the handshake starts do we get hold
 * of the SSL. */
static void on_handshake(const SSL *ssl, int where, int value)
{
	struct delivery *delivery = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)value; /* the callback's signature */
	if (where & SSL_CB_HANDSHAKE_START)
		(void)SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, delivery->server->host);
}

static int tls_configure(SSL_CTX *tls, struct delivery *delivery)
{
	const struct smtp_server *server = delivery->server;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls);
	struct ip ip;
	bool numeric = ip_parse(server->host, strlen(server->host), &ip) == 0;

	SSL_CTX_set_app_data(tls, delivery);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, on_verify);
	if (!numeric)
		SSL_CTX_set_info_callback(tls, on_handshake);
	/* Exactly TLS 1.2: after a handshake of 1.3 the server sends session tickets. If they
	 * arrive before the next EHLO is sent, libesmtp 1.1.0 takes them for the answer to it, and
	 * then waits in vain. */
	if (!SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) ||
		!SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION))
		return -1;
	(void)SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION); /* returns the options */
	if (numeric ? !X509_VERIFY_PARAM_set1_ip_asc(param, server->host)
		    : !X509_VERIFY_PARAM_set1_host(param, server->host, 0))
		return -1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (server->ca_file)
		return SSL_CTX_load_verify_locations(tls, server->ca_file, NULL) ? 0 : -1;
	return SSL_CTX_set_default_verify_paths(tls) ? 0 : -1;
}

static int set_tls(smtp_session_t session, struct delivery *delivery, struct error *err)
{
	SSL_CTX *tls;
	int rc = -1;

	if (!delivery->server->tls_required)
		return smtp_starttls_enable(session, Starttls_DISABLED)
			       ? 0
			       : error_set(err, "libesmtp refuses to leave TLS out");
	tls = SSL_CTX_new(TLS_client_method());
	if (tls && tls_configure(tls, delivery) == 0 && smtp_starttls_set_ctx(session, tls) &&
		smtp_starttls_enable(session, Starttls_REQUIRED))
		rc = 0;
	SSL_CTX_free(tls); /* the session holds its own reference */
	if (rc < 0) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());

		return error_set(err, "cannot prepare TLS for %s: %s", delivery->where,
			reason ? reason : "OpenSSL gives no reason");
	}
	return 0;
}

static void set_timeouts(smtp_session_t session)
{
	static const int steps[] = { Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
		Timeout_TRANSFER, Timeout_DATA2 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		(void)smtp_set_timeout(session, steps[i] | Timeout_OVERRIDE_RFC2822_MINIMUM,
			STEP_TIMEOUT_MS); /* returns the value, not a result */
}

static int set_server(smtp_session_t session, const struct smtp_server *server, struct error *err)
{
	char hostport[300];
	const char *host = strcmp(server->host, "::1") == 0 ? "localhost" : server->host;
	int length =
		snprintf(hostport, sizeof(hostport), "%s:%u", host, (unsigned int)server->port);

	/* libesmtp takes what follows the first colon for the port */
	if (!host[0] || strchr(host, ':'))
		return error_set(err, "the mail server must be a name or an IPv4 address");
	if (length < 0 || (size_t)length >= sizeof(hostport))
		return error_set(err, "the mail server's name is too long");
	if (!smtp_set_server(session, hostport))
		return error_set(err, "libesmtp refuses the server's name");
	return 0;
}

static int set_message(smtp_session_t session, struct delivery *delivery, const char *sender,
	smtp_message_t *ret_message, struct error *err)
{
	smtp_message_t message = smtp_add_message(session);

	if (!message || !smtp_set_reverse_path(message, sender) ||
		!smtp_set_messagecb(message, on_text, delivery))
		return error_set(err, "libesmtp refuses the message");
	for (size_t i = 0; i < delivery->to->count; i++) {
		delivery->rcpt[i] = smtp_add_recipient(message, delivery->to->list[i].address);
		if (!delivery->rcpt[i])
			return error_set(err, "libesmtp refuses a recipient");
	}
	*ret_message = message;
	return 0;
}

static bool is_success(const smtp_status_t *status)
{
	return status && status->code >= 200 && status->code <= 299;
}

static bool is_refusal(const smtp_status_t *status)
{
	return status && status->code >= 400 && status->code <= 599;
}

/* Says why, when no answer of the server does: the connection, or TLS, has failed. */
static int transport_error(struct error *err, const struct delivery *delivery)
{
	char text[128];
	int number = smtp_errno();

	if (delivery->verify_error)
		return error_set(err, "the certificate of %s is not valid for it: %s",
			delivery->where, X509_verify_cert_error_string(delivery->verify_error));
	if (delivery->no_starttls)
		return error_set(err, "mail server %s does not offer STARTTLS, and tls is required",
			delivery->where);
	if (delivery->server->tls_required && number == SMTP_ERR_CLIENT_ERROR) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());

		return error_set(err, "no TLS with %s: %s", delivery->where,
			reason ? reason : "the handshake failed");
	}
	if (number < 0)
		return error_errno(err, -number, "cannot reach %s", delivery->where);
	if (number == SMTP_ERR_DROPPED_CONNECTION || number == 0)
		return error_set(err,
			"mail server %s closed the connection or did not answer in time",
			delivery->where);
	if (!smtp_strerror(number, text, sizeof(text)))
		text[0] = '\0';
	return error_set(err, "cannot mail through %s: %s", delivery->where, text);
}

/* Without TLS there is nothing to protect: whoever stands in between can write what he likes. */
static bool is_injected(const struct delivery *delivery)
{
	return delivery->injected && delivery->server->tls_required;
}

static bool all_taken(const struct delivery *delivery, smtp_message_t message)
{
	if (!is_success(smtp_message_transfer_status(message)))
		return false;
	for (size_t i = 0; i < delivery->to->count; i++)
		if (!is_success(smtp_recipient_status(delivery->rcpt[i])))
			return false;
	return true;
}

/* The status by which the server refused something, and in *ret_what what; NULL: it refused
 * nothing. Of several recipients it is the first that was refused for now (4xx) or, without any,
 * the first that was refused for good (5xx): so the mail is tried again if that can help one of
 * them. */
static const smtp_status_t *find_refusal(const struct delivery *delivery, smtp_message_t message,
	const char **ret_what)
{
	const smtp_status_t *status = smtp_reverse_path_status(message);
	const smtp_status_t *found = NULL;

	*ret_what = "the sender";
	if (is_refusal(status))
		return status;
	for (size_t i = 0; i < delivery->to->count; i++) {
		status = smtp_recipient_status(delivery->rcpt[i]);
		if (is_refusal(status) && (!found || (found->code >= 500 && status->code < 500))) {
			found = status;
			*ret_what = delivery->to->list[i].address;
		}
	}
	if (found)
		return found;
	status = smtp_message_transfer_status(message);
	*ret_what = "the message";
	return is_refusal(status) ? status : NULL;
}

/* Writes the sentence why the mail was not delivered, by the most telling cause that is known. */
static int explain(const struct delivery *delivery, smtp_message_t message, bool *ret_permanent,
	struct error *err)
{
	const smtp_status_t *status;
	char reply[SHOWN_MAX];
	const char *what;

	if (is_injected(delivery))
		return error_set(err,
			"mail server %s, or somebody in between, sent more than was asked for before TLS",
			delivery->where);
	if (delivery->verify_error)
		return transport_error(err, delivery);
	if (delivery->auth[0]) {
		*ret_permanent = delivery->auth[0] == '5';
		return error_set(err, "mail server %s refused user and password: it answered %s",
			delivery->where, show_reply(reply, delivery->auth));
	}
	status = find_refusal(delivery, message, &what);
	if (status) {
		*ret_permanent = status->code >= 500;
		(void)error_set(err, "mail server %s answered %d %s to %s", delivery->where,
			status->code, show_reply(reply, status->text ? status->text : ""), what);
	} else if (delivery->refusal[0]) {
		*ret_permanent = delivery->refusal[0] == '5';
		(void)error_set(err, "mail server %s answered %s", delivery->where,
			show_reply(reply, delivery->refusal));
	} else {
		return transport_error(err, delivery);
	}
	if (delivery->server->user && !delivery->auth_tried && err) {
		size_t used = strlen(err->text);

		/* If it does not fit, it is cut. */
		(void)snprintf(err->text + used, sizeof(err->text) - used,
			" (user is set, but the server offers no AUTH that we know)");
	}
	return -1;
}

static int run(struct delivery *delivery, const char *sender, bool *ret_permanent,
	struct error *err)
{
	const struct smtp_server *server = delivery->server;
	smtp_session_t session = smtp_create_session();
	auth_context_t auth = NULL;
	smtp_message_t message = NULL;
	int rc = -1;

	if (!session)
		return error_set(err, "libesmtp makes no session");
	if (set_server(session, server, err) < 0 || set_tls(session, delivery, err) < 0 ||
		set_message(session, delivery, sender, &message, err) < 0)
		goto out;
	set_timeouts(session);
	(void)smtp_set_eventcb(session, on_event, delivery); /* they fail only without a session */
	(void)smtp_set_monitorcb(session, on_dialogue, delivery, 0); /* likewise */
	if (server->user) {
		auth_client_init();
		auth = auth_create_context();
		if (!auth || !auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0) ||
			!auth_set_interact_cb(auth, on_interact, delivery) ||
			!smtp_auth_set_context(session, auth)) {
			rc = error_set(err, "libesmtp refuses AUTH");
			goto out;
		}
	}
	/* a result of 1 only says that the server could be talked to */
	if (smtp_start_session(session) && all_taken(delivery, message) && !is_injected(delivery))
		rc = 0;
	else
		rc = explain(delivery, message, ret_permanent, err);
out:
	(void)smtp_destroy_session(session); /* nothing to do about it */
	if (auth)
		(void)auth_destroy_context(auth); /* likewise */
	return rc;
}

void smtp_preload(void)
{
	static const char *const mechanisms[] = { "PLAIN", "LOGIN", "CRAM-MD5" };
	auth_context_t auth;

	(void)OPENSSL_init_ssl(0, NULL); /* if it fails, the delivery fails and says why */
	auth_client_init();
	auth = auth_create_context();
	if (!auth)
		return;
	(void)auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0); /* fails only without auth */
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		(void)auth_set_mechanism(auth,
			mechanisms[i]);   /* fails for one that is not installed */
	(void)auth_destroy_context(auth); /* the mechanisms stay loaded */
}

static int read_addresses(const struct smtp_mail *mail, const char *host, struct mailboxes *from,
	struct mailboxes *to, struct error *err)
{
	if (mailbox_parse(mail->sender ? mail->sender : "voipguard", host, from, NULL, err) < 0)
		return error_prefix(err, "sender");
	if (from->count != 1)
		return error_set(err, "sender: expected one mail address, found %zu", from->count);
	if (mailbox_parse(mail->dest, host, to, NULL, err) < 0)
		return error_prefix(err, "recipient");
	return 0;
}

int smtp_deliver(const struct smtp_server *server, const struct smtp_mail *mail,
	bool *ret_permanent, struct error *err)
{
	cleanup_free struct mailboxes *from = alloc_zero(sizeof(*from));
	cleanup_free struct mailboxes *to = alloc_zero(sizeof(*to));
	struct delivery delivery = { .server = server, .to = to };
	bool permanent = false;
	struct utsname name;
	const char *host = host_name(&name);
	int rc;

	(void)text_format(delivery.where, sizeof(delivery.where), "%s:%u",
		text_shown_string(server->host).text, (unsigned int)server->port);
	if (read_addresses(mail, host, from, to, err) < 0) {
		*ret_permanent = true;
		return -1;
	}
	if (server->user && !server->tls_required && !is_loopback(server->host)) {
		*ret_permanent = false;
		return error_set(err,
			"refusing to send a password to %s without TLS: set tls to required",
			delivery.where);
	}
	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail for SIGPIPE */
	(void)unsetenv("HOME");         /* cannot fail for a name without '=' */
	delivery.text = mime_compose(mail, &from->list[0], to, host);
	delivery.user = alloc_string(server->user ? server->user : "");
	delivery.password = alloc_string(server->password ? server->password : "");
	rc = run(&delivery, from->list[0].address, &permanent, err);
	explicit_bzero(delivery.password, strlen(delivery.password));
	free(delivery.password);
	free(delivery.user);
	free(delivery.text);
	if (rc < 0)
		*ret_permanent = permanent;
	return rc;
}
