#ifndef VG_MODEL_H
#define VG_MODEL_H

/* How Asterisk turns an event into bytes of a log: values as they are, 8191 bytes of message and of
 * line, what stands between ESC and the next "m" taken out in place, no newline behind a cut
 * record. res_security_log.c, main/logger.c, main/term.c, res_pjsip/security_events.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

enum { MODEL_LINE_MAX = 8192, MODEL_VALUE_MAX = 9000 };

enum model_shape {
	MODEL_FILE,
	MODEL_PLAIN,
	MODEL_SYSLOG,
	MODEL_JOURNAL,
	MODEL_JSON,
	MODEL_SHAPES,
};

struct model_value {
	char text[MODEL_VALUE_MAX + 1];
	size_t length;
};

struct model_event {
	const char *service;
	const char *event;
	int64_t at_ms;
	int zone_minutes;
	bool old_time; /* seconds-micros */
	const char *local;
	const char *remote; /* IPV4/UDP/192.0.2.1/5060 */
	struct model_value account, session, challenge, response;
};

struct model_text {
	char *text;
	size_t length, room;
};

/* Out of vsnprintf(): what does not fit is lost, and the end stays a NUL. */
static void model_add(struct model_text *out, const char *text, size_t length)
{
	size_t most = out->room - 1 - out->length;

	memcpy(out->text + out->length, text, length < most ? length : most);
	out->length += length < most ? length : most;
	out->text[out->length] = 0;
}

static void model_say(struct model_text *out, const char *text)
{
	model_add(out, text, strlen(text));
}

static void model_field(struct model_text *out, const char *name, const struct model_value *value)
{
	model_say(out, ",");
	model_say(out, name);
	model_say(out, "=\"");
	model_add(out, value->text, value->length);
	model_say(out, "\"");
}

static void model_strip(char *text)
{
	const char *in = text;
	char *out = text;

	for (;; in++) {
		if (*in == '\033')
			while (*in && *in != 'm')
				in++;
		else
			*out++ = *in;
		if (!*in)
			return; /* an ESC without m: the rest of the buffer is as it was */
	}
}

static void model_stamp(const struct model_event *event, char out[64])
{
	time_t at_s = (time_t)(event->at_ms / 1000 + event->zone_minutes * 60);
	int zone = event->zone_minutes < 0 ? -event->zone_minutes : event->zone_minutes;
	struct tm tm;
	char day[32];

	if (event->old_time) {
		(void)snprintf(out, 64, "%lld-%d", (long long)(event->at_ms / 1000),
			(int)(event->at_ms % 1000) * 1000);
		return;
	}
	(void)gmtime_r(&at_s, &tm);
	(void)strftime(day, sizeof(day), "%FT%T", &tm);
	(void)snprintf(out, 64, "%s.%03d%c%02d%02d", day, (int)(event->at_ms % 1000),
		event->zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

static bool model_is(const struct model_event *event, const char *service, const char *name)
{
	return (!service || strcmp(event->service, service) == 0) &&
	       strcmp(event->event, name) == 0;
}

static void model_end(const struct model_event *event, struct model_text *out)
{
	bool ami = strcmp(event->service, "AMI") == 0;

	if (model_is(event, NULL, "FailedACL") && !ami)
		model_say(out, ",ACLName=\"registrar_attempt_without_configured_aors\"");
	if (model_is(event, "SIP", "InvalidPassword")) {
		model_say(out, ",Challenge=\"4a1b2c3d\"");
		model_field(out, "ReceivedChallenge", &event->challenge);
		model_field(out, "ReceivedHash", &event->response);
	}
	if (model_is(event, NULL, "ChallengeResponseFailed")) {
		if (ami)
			model_say(out, ",Challenge=\"521122724\"");
		else
			model_field(out, "Challenge", &event->challenge);
		model_field(out, "Response", &event->response);
		model_say(out, ami ? ",ExpectedResponse=\"424d86704901f7ce1aa9c5093a37b918\""
				   : ",ExpectedResponse=\"\"");
	}
	if (model_is(event, NULL, "ChallengeSent"))
		model_say(out, ",Challenge=\"\"");
	if (model_is(event, NULL, "SuccessfulAuth"))
		model_say(out, ",UsingPassword=\"1\"");
	if (ami)
		model_say(out, ",SessionTV=\"1970-01-01T00:00:00.000+0000\"");
	model_say(out, "\n");
}

static void model_message(const struct model_event *event, struct model_text *out)
{
	bool calm =
		model_is(event, NULL, "ChallengeSent") || model_is(event, NULL, "SuccessfulAuth");
	char stamp[64];
	char head[256];

	model_stamp(event, stamp);
	(void)snprintf(head, sizeof(head),
		"SecurityEvent=\"%s\",EventTV=\"%s\",Severity=\"%s\",Service=\"%s\","
		"EventVersion=\"%d\"",
		event->event, stamp, calm ? "Informational" : "Error", event->service,
		model_is(event, NULL, "InvalidPassword") ? 2 : 1);
	model_say(out, head);
	model_field(out, "AccountID", &event->account);
	model_field(out, "SessionID", &event->session);
	model_say(out, ",LocalAddress=\"");
	model_say(out, event->local);
	model_say(out, "\",RemoteAddress=\"");
	model_say(out, event->remote);
	model_say(out, "\"");
	model_end(event, out);
}

static void model_json(const char *message, struct model_text *out)
{
	json_t *object = json_pack("{s:s,s:s,s:{s:i,s:s},s:{s:{s:s,s:s,s:i},s:s,s:s}}", "hostname",
		"", "timestamp", "2026-11-23 09:36:05.160", "identifiers", "lwp", 74, "callid", "",
		"logmsg", "location", "filename", "res_security_log.c", "function",
		"security_event_stasis_cb", "line", 114, "level", "SECURITY", "message", message);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (!text)
		return; /* cut inside a character: then nothing is written */
	model_say(out, text);
	free(text);
	json_decref(object);
	if (out->length == out->room - 1)
		out->length--; /* the newline stands in the buffer's last byte, even of a cut one */
	model_say(out, "\n");
}

/* A line of the journal for each of the message. */
static void model_journal(const char *text, struct model_text *out)
{
	static const char before[] = "2026-11-23T09:42:55.123456+00:00 pbx asterisk[811]: ";

	while (*text) {
		size_t length = strcspn(text, "\n");

		model_say(out, before);
		model_add(out, text, length);
		model_say(out, text[length] ? "\n" : "");
		text += length + (text[length] != 0);
	}
}

/* One line for each message, as rsyslog writes it: a cut one too. */
static void model_syslog(const char *text, struct model_text *out)
{
	size_t length = strlen(text);

	length -= length && text[length - 1] == '\n';
	model_say(out, "Nov 23 09:42:55 pbx asterisk[811]: ");
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\n')
			model_say(out, "#012");
		else
			model_add(out, text + i, 1);
	model_say(out, "\n");
}

/* The bytes that the log gets, to the end of out. */
static void model_write(enum model_shape shape, const struct model_event *event,
	struct model_text *out)
{
	char message_text[MODEL_LINE_MAX];
	char line_text[MODEL_LINE_MAX];
	struct model_text message = { message_text, 0, sizeof(message_text) };
	struct model_text line = { line_text, 0, sizeof(line_text) };

	model_message(event, &message);
	switch (shape) {
	case MODEL_FILE:
		model_say(&line, "[2026-11-23 09:42:55] SECURITY[74] res_security_log.c: ");
		break;
	case MODEL_PLAIN:
		model_say(&line, "[Nov 23 09:42:55] SECURITY[74]: res_security_log.c:114 "
				 "security_event_stasis_cb: ");
		break;
	case MODEL_SYSLOG:
		model_say(&line, "SECURITY[74]: res_security_log.c:114 in "
				 "security_event_stasis_cb: ");
		break;
	case MODEL_JOURNAL:
		model_say(&line, "[Nov 23 09:42:55] \033[1;35mSECURITY\033[0m[74]: "
				 "\033[1;37mres_security_log.c\033[0m:\033[1;37m114\033[0m "
				 "\033[1;37msecurity_event_stasis_cb\033[0m: ");
		break;
	case MODEL_JSON:
		model_json(message_text, &line);
		break;
	case MODEL_SHAPES:
		break;
	}
	if (shape == MODEL_JSON) {
		model_add(out, line_text, line.length);
		return;
	}
	model_say(&line, message_text);
	if (shape == MODEL_JOURNAL) {
		model_journal(line_text, out);
		return;
	}
	model_strip(line_text);
	if (shape == MODEL_SYSLOG) {
		model_syslog(line_text, out);
		return;
	}
	model_add(out, line_text, strlen(line_text));
}

#endif
