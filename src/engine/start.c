#include "engine/start.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/protected.h"
#include "base/text.h"
#include "config/config.h"
#include "control/control.h"
#include "decide/guard.h"
#include "decide/letter.h"
#include "follow/journal.h"
#include "follow/tail.h"
#include "process/launch.h"
#include "process/messages.h"
#include "process/sandbox.h"

enum {
	FINDINGS_SHOWN_MAX = 100,
	FINDING_SHOWN_MAX = 4096,
	SEND_WAIT_MS = 5000,
	PATHS_MAX = 1024,
	HOST_SOURCE = 1
};

struct prepared {
	struct config *config;
	struct findings findings;
	struct protected *protected;
	struct guard *guard;
	struct sandbox_report report;
	char sandbox_text[128];
	int client_fd; /* -1: none */
	struct utsname names;
};

struct guard *prepared_guard(const struct prepared *prepared)
{
	return prepared->guard;
}

const struct config *prepared_config(const struct prepared *prepared)
{
	return prepared->config;
}

struct protected *prepared_protected(const struct prepared *prepared)
{
	return prepared->protected;
}

const char *prepared_sandbox_text(const struct prepared *prepared)
{
	return prepared->sandbox_text;
}

int64_t prepared_longest_findtime(const struct prepared *prepared)
{
	int64_t longest_s = 0;

	for (size_t i = 0; i < prepared->config->n_jails; i++)
		if (prepared->config->jails[i].findtime_s > longest_s)
			longest_s = prepared->config->jails[i].findtime_s;
	return longest_s;
}

int prepared_send(const struct message *record, struct error *err)
{
	struct pollfd waiting = { .fd = LAUNCH_PARENT_FD, .events = POLLOUT };
	int rc;

	while ((rc = message_send(LAUNCH_PARENT_FD, record, -1, err)) == 0)
		if (poll(&waiting, 1, SEND_WAIT_MS) == 0)
			return error_set(err, "the firewall role takes nothing");
	return rc < 0 ? -1 : 0;
}

/* ---- findings ---- */

/* "and N more" of findings that are not shown; NULL: all are. Caller frees. */
static char *findings_rest(const struct prepared *prepared)
{
	size_t all = prepared->findings.count + prepared->findings.dropped;

	if (all <= FINDINGS_SHOWN_MAX)
		return NULL;
	return alloc_format("and %zu more: see voipguard check", all - FINDINGS_SHOWN_MAX);
}

static char *findings_text(const struct prepared *prepared)
{
	cleanup_free char *rest = findings_rest(prepared);
	char *all = alloc_string("");

	for (size_t i = 0; i < prepared->findings.count && i < FINDINGS_SHOWN_MAX; i++) {
		cleanup_free char *one = finding_format(&prepared->findings.list[i]);
		char *more = alloc_format("%s%s\n", all, one);

		free(all);
		all = more;
	}
	if (rest) {
		char *more = alloc_format("%s%s\n", all, rest);

		free(all);
		all = more;
	}
	return all;
}

char *prepared_broken_text(const struct prepared *prepared)
{
	char *names = alloc_string("");
	struct guard_jail_info info;
	char shown[128];

	for (size_t i = 0; i < guard_jails(prepared->guard); i++) {
		char *more;

		guard_jail_info(prepared->guard, i, 0, &info);
		if (!info.broken)
			continue;
		more = alloc_format("%s%s%s", names, names[0] ? ", " : "jails left out: ",
			text_render_string(shown, sizeof(shown), info.name));
		free(names);
		names = more;
	}
	if (!names[0] && prepared->findings.errors) {
		free(names);
		names = alloc_string("the configuration has errors: see voipguard check");
	}
	return names;
}

void prepared_broken_letter(const struct prepared *prepared, struct letter *ret_letter)
{
	cleanup_free char *list = findings_text(prepared);

	letter_broken(ret_letter, prepared->names.nodename, list);
}

static void log_findings(const struct prepared *prepared)
{
	cleanup_free char *rest = findings_rest(prepared);

	for (size_t i = 0; i < prepared->findings.count && i < FINDINGS_SHOWN_MAX; i++) {
		const struct finding *finding = &prepared->findings.list[i];
		cleanup_free char *text = finding_format(finding);

		log_line(finding->is_error ? LOG_ERR : LOG_WARNING, "%s", text);
	}
	if (rest)
		log_line(LOG_ERR, "%s", rest);
}

void prepared_answer(struct prepared *prepared, bool ok)
{
	cleanup_free char *rest = findings_rest(prepared);
	json_t *list = json_array();
	json_t *object;
	char *text;

	if (prepared->client_fd < 0) {
		json_decref(list);
		return;
	}
	for (size_t i = 0; i < prepared->findings.count && i < FINDINGS_SHOWN_MAX; i++) {
		cleanup_free char *one = finding_format(&prepared->findings.list[i]);
		char shown[FINDING_SHOWN_MAX];

		json_array_append_new(list, json_string(text_rendered(shown, sizeof(shown), one)));
	}
	if (rest)
		json_array_append_new(list, json_string(rest));
	object = json_pack("{s:b, s:o}", "ok", ok, "findings", list);
	if (!ok)
		json_object_set_new(object, "error",
			json_string("the configuration has errors: the old one goes on"));
	text = json_dumps(object, JSON_COMPACT);
	control_answer(prepared->client_fd, text ? text : "{\"ok\":false}");
	prepared->client_fd = -1;
	free(text);
	json_decref(object);
}

/* ---- confinement ---- */

struct path_list {
	struct sandbox_path paths[PATHS_MAX]; /* owned strings */
	size_t count;
};

static void add_path(void *context, const char *directory)
{
	struct path_list *list = context;

	if (list->count < PATHS_MAX)
		list->paths[list->count++] =
			(struct sandbox_path){ .path = alloc_string(directory) };
	else
		log_line(LOG_ERR, "more than %d log directories: %s is left out", PATHS_MAX,
			directory);
}

/* The directory of a file that is replaced while we run, and that of what it points to. */
static void add_file_directories(struct path_list *list, const char *path)
{
	cleanup_free char *real = realpath(path, NULL);
	const char *const paths[] = { path, real };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && paths[i]; i++) {
		const char *slash = strrchr(paths[i], '/');
		cleanup_free char *directory =
			alloc_bytes(paths[i], slash > paths[i] ? (size_t)(slash - paths[i]) : 1);

		add_path(list, directory);
	}
}

static void add_journal(struct path_list *list, const struct config_jail *jail)
{
	struct journal_source source = { .path = jail->journal.path,
		.files = (const char *const *)jail->journal.files,
		.n_files = jail->journal.n_files,
		.namespace = jail->journal.namespace };

	journal_roots(&source, add_path, list);
}

static int confine(struct prepared *prepared, const char *state_dir, struct error *err)
{
	struct path_list *list = alloc_zero(sizeof(*list));
	const struct sandbox_report *report = &prepared->report;
	int rc;

	add_path(list, state_dir);
	list->paths[0].write = true;
	for (size_t i = 0; i < prepared->config->n_jails; i++) {
		const struct config_jail *jail = &prepared->config->jails[i];

		for (size_t k = 0; jail->enabled && !jail->broken && k < jail->n_logpaths; k++)
			tail_roots(jail->logpaths[k].pattern, add_path, list);
		if (jail->enabled && jail->backend == BACKEND_JOURNAL)
			add_journal(list, jail);
		for (size_t k = 0; jail->enabled && k < jail->n_ignores; k++)
			if (jail->ignores[k].is_file)
				add_file_directories(list, jail->ignores[k].text);
	}
	tzset(); /* reads /etc/localtime while that can be read */
	rc = sandbox_enter(SANDBOX_ENGINE, list->paths, list->count, &prepared->report, err);
	for (size_t i = 0; i < list->count; i++)
		free((void *)(uintptr_t)list->paths[i].path);
	free(list);
	if (rc < 0)
		return -1;
	switch (report->landlock) {
	case LANDLOCK_ON:
		(void)snprintf(prepared->sandbox_text, sizeof(prepared->sandbox_text),
			"confined by seccomp and Landlock (ABI %d)", report->landlock_abi);
		break;
	case LANDLOCK_MISSING:
		(void)snprintf(prepared->sandbox_text, sizeof(prepared->sandbox_text),
			"confined by seccomp; the kernel lacks Landlock");
		break;
	case LANDLOCK_BLOCKED:
		(void)snprintf(prepared->sandbox_text, sizeof(prepared->sandbox_text),
			"confined by seccomp; Landlock is blocked by a filter");
		break;
	}
	return 0;
}

/* ---- to the firewall role ---- */

static int send_protection(const struct prepared *prepared, struct error *err)
{
	struct message record = { .type = MESSAGE_PROTECT };

	for (size_t i = 0; i < prepared->config->n_jails; i++) {
		const struct config_jail *jail = &prepared->config->jails[i];
		char shown[64];

		text_render_string(shown, sizeof(shown), jail->name);
		(void)snprintf(record.text, sizeof(record.text), "ignoreip of jail %s", shown);
		for (size_t k = 0; jail->enabled && k < jail->n_ignoreip; k++) {
			record.ip = jail->ignoreip[k];
			if (prepared_send(&record, err) < 0)
				return -1;
		}
	}
	return 0;
}

bool prepared_send_allows(struct prepared *prepared, int64_t now_s, bool dry_run)
{
	struct message record = { .type = MESSAGE_PROTECT };
	const char *because;

	while (guard_allow_peek(prepared->guard, now_s, &record.ip, &record.ttl_s, &because)) {
		(void)snprintf(record.text, sizeof(record.text), "%s", because); /* fits */
		if (!dry_run && message_send(LAUNCH_PARENT_FD, &record, -1, NULL) != 1)
			return false;
		guard_allow_sent(prepared->guard);
	}
	return true;
}

static int introduce(const struct prepared *prepared, struct error *err)
{
	struct message lift = { .type = MESSAGE_LIFT_ON_STOP };
	struct message seal = { .type = MESSAGE_SEAL };
	size_t n_scopes;
	const struct scope *scopes = guard_scopes(prepared->guard, &n_scopes);

	for (size_t i = 0; i < n_scopes; i++) {
		struct message record = { .type = MESSAGE_SCOPE,
			.number = (uint32_t)i,
			.scope = scopes[i] };

		if (prepared_send(&record, err) < 0)
			return -1;
	}
	if (send_protection(prepared, err) < 0)
		return -1;
	if (prepared->config->lift_on_stop && prepared_send(&lift, err) < 0)
		return -1;
	return prepared_send(&seal, err);
}

void prepared_host_record(struct prepared *prepared, const struct message *record, int64_t now_s)
{
	if (!record->ip.family)
		protected_clear(prepared->protected, HOST_SOURCE);
	else
		guard_protect(prepared->guard, &record->ip, record->text, HOST_SOURCE, now_s);
}

int prepared_wait_for_go(struct prepared *prepared, struct error *err)
{
	struct pollfd waiting = { .fd = LAUNCH_PARENT_FD, .events = POLLIN };
	struct message record;
	int passed_fd;
	int rc;

	for (;;) {
		rc = message_receive(LAUNCH_PARENT_FD, &record, &passed_fd, err);
		if (rc < 0)
			return -1;
		if (rc == 0) {
			(void)poll(&waiting, 1, -1); /* EINTR: asks again */
			continue;
		}
		if (passed_fd >= 0)
			(void)close(passed_fd); /* not for such a record */
		if (record.type == MESSAGE_STOP)
			return 0;
		if (record.type == MESSAGE_OWN_ADDRESS)
			prepared_host_record(prepared, &record, clock_wall_s());
		if (record.type == MESSAGE_GO)
			return 1;
	}
}

/* ---- all of it ---- */

static int read_configuration(struct prepared *prepared, const struct run_options *options,
	const struct guard_events *events, struct error *err)
{
	bool all_or_nothing = options->strict || prepared->client_fd >= 0;

	if (config_load(options->config_dir, NULL, &prepared->config, &prepared->findings) < 0)
		return error_set(err, "no usable configuration in %s", options->config_dir);
	prepared->guard = guard_new(prepared->config, prepared->protected, options->dry_run, events,
		&prepared->findings);
	findings_sort(&prepared->findings);
	if (all_or_nothing && prepared->findings.errors)
		return error_set(err, "the configuration has %zu error%s",
			prepared->findings.errors, prepared->findings.errors == 1 ? "" : "s");
	if (!guard_active_jails(prepared->guard))
		return error_set(err, "no jail is left to run: enable one in %s/jails",
			options->config_dir);
	return 0;
}

int prepared_new(const struct run_options *options, int client_fd,
	const struct guard_events *events, struct prepared **ret_prepared, struct error *err)
{
	struct prepared *prepared = alloc_zero(sizeof(*prepared));
	int rc;

	prepared->client_fd = client_fd;
	prepared->protected = protected_new();
	(void)uname(&prepared->names); /* else the name is empty */
	rc = read_configuration(prepared, options, events, err);
	if (client_fd < 0)
		log_findings(prepared);
	if (rc < 0 && prepared->findings.errors)
		prepared_answer(prepared, false);
	if (rc == 0)
		rc = confine(prepared, options->state_dir, err);
	if (rc == 0)
		rc = introduce(prepared, err);
	if (rc < 0 && prepared->client_fd >= 0) { /* not the configuration's errors */
		struct position whole = { .file = options->config_dir };

		(void)finding_error(&prepared->findings, &whole, "%s", err->text);
		prepared_answer(prepared, false);
	}
	*ret_prepared = prepared;
	return rc;
}

void prepared_free(struct prepared *prepared)
{
	if (!prepared)
		return;
	guard_free(prepared->guard);
	protected_free(prepared->protected);
	config_free(prepared->config);
	findings_done(&prepared->findings);
	free(prepared);
}
