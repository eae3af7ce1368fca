#include "engine/start_config.h"

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
#include "pbx/pbx.h"
#include "process/launch.h"
#include "process/messages.h"
#include "process/sandbox.h"

enum {
	FINDINGS_SHOWN_MAX = 100,
	FINDING_SHOWN_MAX = 4096,
	SEND_WAIT_MS = 5000,
	PATHS_MAX = 1024,
};

bool start_config_wants_wire(const struct start_config *start)
{
	for (size_t i = 0; i < start->config->n_jails; i++) {
		const struct config_jail *jail = &start->config->jails[i];

		if (jail->enabled && !jail->broken && jail->filter.parser.text)
			return true;
	}
	return false;
}

int64_t start_config_longest_findtime(const struct start_config *start)
{
	int64_t longest_s = 0;

	for (size_t i = 0; i < start->config->n_jails; i++)
		if (start->config->jails[i].findtime_s > longest_s)
			longest_s = start->config->jails[i].findtime_s;
	return longest_s;
}

/* Sends a record to the firewall role. While the pair is full it waits for room, and gives up after
 * SEND_WAIT_MS without any. */
static int send_record(const struct message *record, struct error *err)
{
	struct pollfd waiting = { .fd = LAUNCH_PARENT_FD, .events = POLLOUT };
	int rc;

	while ((rc = message_send(LAUNCH_PARENT_FD, record, -1, err)) == 0)
		if (poll(&waiting, 1, SEND_WAIT_MS) == 0)
			return error_set(err, "the firewall role takes nothing");
	return rc < 0 ? -1 : 0;
}

/* ---- findings ---- */

/* Calls say for each of the first FINDINGS_SHOWN_MAX findings, and once more for how many are not
 * shown. */
static void each_finding(const struct start_config *start,
	void (*say)(void *context, int priority, const char *line), void *context)
{
	const struct findings *findings = &start->findings;
	size_t all = findings->count + findings->dropped;

	for (size_t i = 0; i < findings->count && i < FINDINGS_SHOWN_MAX; i++) {
		cleanup_free char *line = finding_format(&findings->list[i]);

		say(context, findings->list[i].is_error ? LOG_ERR : LOG_WARNING, line);
	}
	if (all > FINDINGS_SHOWN_MAX) {
		cleanup_free char *rest =
			alloc_format("and %zu more: see voipguard check", all - FINDINGS_SHOWN_MAX);

		say(context, LOG_ERR, rest);
	}
}

static void append_line(void *context, int priority, const char *line)
{
	char **text = context;
	char *longer = alloc_format("%s%s\n", *text, line);

	(void)priority;
	free(*text);
	*text = longer;
}

static void append_json(void *context, int priority, const char *line)
{
	char shown[FINDING_SHOWN_MAX];

	(void)priority;
	json_array_append_new(context, json_string(text_rendered(shown, sizeof(shown), line)));
}

char *start_config_broken_text(const struct start_config *start)
{
	char *names = alloc_string("");
	struct guard_jail_info info;

	for (size_t i = 0; i < guard_jails(start->guard); i++) {
		char *more;

		guard_jail_info(start->guard, i, 0, &info);
		if (!info.broken)
			continue;
		more = alloc_format("%s%s%s", names,
			names[0] ? ", " : "jails left out: ", text_shown_string(info.name).text);
		free(names);
		names = more;
	}
	if (!names[0] && start->findings.errors) {
		free(names);
		names = alloc_string("the configuration has errors: see voipguard check");
	}
	return names;
}

void start_config_broken_letter(const struct start_config *start, struct letter *ret_letter)
{
	cleanup_free char *list = alloc_string("");

	each_finding(start, append_line, &list);
	letter_broken(ret_letter, start->names.nodename, list);
}

void start_config_answer(struct start_config *start, bool ok)
{
	json_t *list;
	json_t *object;
	char *text;

	if (start->client_fd < 0)
		return;
	list = json_array();
	each_finding(start, append_json, list);
	object = json_pack("{s:b, s:o}", "ok", ok, "findings", list);
	if (!ok)
		json_object_set_new(object, "error",
			json_string("the configuration has errors: the old one goes on"));
	text = json_dumps(object, JSON_COMPACT);
	control_answer(start->client_fd, text ? text : "{\"ok\":false}");
	start->client_fd = -1;
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

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->paths[i].path, directory) == 0)
			return;
	if (list->count < PATHS_MAX)
		list->paths[list->count++] =
			(struct sandbox_path){ .path = alloc_string(directory) };
	else
		log_line(LOG_ERR, "more than %d directories to read: %s is left out", PATHS_MAX,
			directory);
}

/* A file may be replaced while we run, so its directory must be readable and not only the file. A
 * symbolic link may lead elsewhere: the directory that it leads to is added too. */
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

/* Asterisk's files may be links to elsewhere, and may include others from anywhere. */
static void add_asterisk(struct path_list *list, const struct pbx *pbx)
{
	if (!pbx)
		return;
	add_path(list, pbx->dir);
	for (size_t i = 0; i < pbx->n_files; i++)
		add_file_directories(list, pbx->files[i].path);
}

/* Allows this process to read the directories of logs, journals, files of ignoreip and Asterisk's
 * configuration, to write the state directory, and nothing else; sandbox_enter makes that
 * irreversible. All must be known before, hence it comes after the configuration. */
static int confine(struct start_config *start, const char *state_dir, struct error *err)
{
	struct path_list *list = alloc_zero(sizeof(*list));
	struct sandbox_report report;
	int rc;

	add_path(list, state_dir);
	list->paths[0].write = true;
	for (size_t i = 0; i < start->config->n_jails; i++) {
		const struct config_jail *jail = &start->config->jails[i];

		for (size_t k = 0; jail->enabled && !jail->broken && k < jail->n_logpaths; k++)
			tail_roots(jail->logpaths[k].pattern, add_path, list);
		if (jail->enabled && jail->backend == BACKEND_JOURNAL)
			add_journal(list, jail);
		for (size_t k = 0; jail->enabled && k < jail->n_ignores; k++)
			if (jail->ignores[k].is_file)
				add_file_directories(list, jail->ignores[k].text);
	}
	add_asterisk(list, start->pbx);
	tzset(); /* reads /etc/localtime now: later it cannot be opened */
	rc = sandbox_enter(SANDBOX_ENGINE, list->paths, list->count, &report, err);
	for (size_t i = 0; i < list->count; i++)
		free((void *)(uintptr_t)list->paths[i].path);
	free(list);
	if (rc < 0)
		return -1;
	sandbox_describe(&report, start->sandbox_text, sizeof(start->sandbox_text));
	return 0;
}

/* ---- to the firewall role ---- */

/* The addresses in ignoreip of all jails, and those of trunks: the firewall role refuses to ban
 * them, whatever we ask. */
static int send_protection(const struct start_config *start, struct error *err)
{
	struct message record = { .type = MESSAGE_PROTECT };

	for (size_t i = 0; i < start->config->n_jails; i++) {
		const struct config_jail *jail = &start->config->jails[i];

		text_format(record.text, sizeof(record.text), "ignoreip of jail %s",
			text_shown_string(jail->name).text);
		for (size_t k = 0; jail->enabled && k < jail->n_ignoreip; k++) {
			record.ip = jail->ignoreip[k];
			if (send_record(&record, err) < 0)
				return -1;
		}
	}
	for (size_t i = 0; start->pbx && i < start->pbx->n_trunks; i++) {
		const struct pbx_trunk *trunk = &start->pbx->trunks[i];

		text_format(record.text, sizeof(record.text), "%s", trunk->because);
		record.ip = trunk->ip;
		if (trunk->ip.family && send_record(&record, err) < 0)
			return -1;
	}
	return 0;
}

/* Tells the firewall role all that it must know before it accepts a ban from this engine. */
static int introduce(const struct start_config *start, struct error *err)
{
	struct message lift = { .type = MESSAGE_LIFT_ON_STOP };
	struct message wire = { .type = MESSAGE_WIRE_WANTED, .number = start->config->nflog_group };
	struct message seal = { .type = MESSAGE_SEAL };
	size_t n_scopes;
	const struct scope *scopes = guard_scopes(start->guard, &n_scopes);

	for (size_t i = 0; i < n_scopes; i++) {
		struct message record = { .type = MESSAGE_SCOPE,
			.number = (uint32_t)i,
			.scope = scopes[i] };

		if (send_record(&record, err) < 0)
			return -1;
	}
	if (send_protection(start, err) < 0)
		return -1;
	if (start->config->lift_on_stop && send_record(&lift, err) < 0)
		return -1;
	if (start_config_wants_wire(start) && send_record(&wire, err) < 0)
		return -1;
	return send_record(&seal, err);
}

void start_config_host_record(struct start_config *start, const struct message *record)
{
	if (!record->ip.family) {
		protected_clear(start->protected, PROTECTED_BY_HOST);
		return;
	}
	/* may be full: the firewall role has its own list, and refuses the ban itself */
	(void)protected_add(start->protected, &record->ip, record->text, PROTECTED_BY_HOST);
	guard_lift_protected(start->guard, &record->ip, record->text);
}

int start_config_wait_for_go(struct start_config *start, struct error *err)
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
			(void)poll(&waiting, 1, -1); /* receiving tells what came */
			continue;
		}
		if (passed_fd >= 0)
			(void)close(passed_fd); /* no record here needs one */
		if (record.type == MESSAGE_STOP)
			return 0;
		if (record.type == MESSAGE_OWN_ADDRESS)
			start_config_host_record(start, &record);
		if (record.type == MESSAGE_GO)
			return 1;
	}
}

/* ---- all of it ---- */

/* A start is lenient: jails with errors are left out and the others guard, unless --strict is
 * given. A reload is not: the engine that runs guards better than half a configuration. */
static int read_configuration(struct start_config *start, const struct run_options *options,
	const struct guard_events *events, struct error *err)
{
	bool all_or_nothing = options->strict || start->client_fd >= 0;

	if (config_load(options->config_dir, NULL, &start->config, &start->findings) < 0)
		return error_set(err, "no usable configuration in %s", options->config_dir);
	if (start->config->asterisk_dir)
		start->pbx = pbx_read(start->config->asterisk_dir, &start->findings);
	start->guard = guard_new(start->config, start->protected, options->dry_run, events,
		&start->findings);
	findings_sort(&start->findings);
	if (all_or_nothing && start->findings.errors)
		return error_set(err, "the configuration has %zu error%s", start->findings.errors,
			start->findings.errors == 1 ? "" : "s");
	if (!guard_active_jails(start->guard))
		return error_set(err, "no jail is left to run: enable one in %s/jails",
			options->config_dir);
	return 0;
}

int start_config(const struct run_options *options, int client_fd,
	const struct guard_events *events, struct start_config *start, struct error *err)
{
	int rc;

	*start = (struct start_config){ .client_fd = client_fd };
	start->protected = protected_new();
	(void)uname(&start->names); /* if it fails, the name in mails is empty */
	rc = read_configuration(start, options, events, err);
	if (client_fd < 0)
		each_finding(start, log_note, NULL);
	if (rc < 0 && start->findings.errors)
		start_config_answer(start, false);
	if (rc == 0)
		rc = confine(start, options->state_dir, err);
	if (rc == 0)
		rc = introduce(start, err);
	if (rc < 0 && start->client_fd >= 0) { /* another reason: not told yet */
		struct position whole = { .file = options->config_dir };

		(void)finding_error(&start->findings, &whole, "%s", err->text);
		start_config_answer(start, false);
	}
	return rc;
}

void start_config_done(struct start_config *start)
{
	guard_free(start->guard);
	pbx_free(start->pbx);
	protected_free(start->protected);
	config_free(start->config);
	findings_done(&start->findings);
}
