#include "base/clock.h"
#include "commands/parts.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/protected.h"
#include "base/text.h"
#include "base/times.h"
#include "commands/client.h"
#include "commands/import.h"
#include "commands/test.h"
#include "commands/unban_offline.h"
#include "config/asterisk_check.h"
#include "config/config.h"
#include "decide/guard.h"
#include "engine/engine.h"
#include "firewall/firewall.h"
#include "notifier/notifier.h"
#include "pbx/pbx.h"
#include "process/launch.h"

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_DURATION, OPTION_EPOCH, OPTION_HELP };

/* The options: offset says which field of struct request gets the value. */
static const struct option_row {
	const char *name;
	int letter; /* 0: none */
	enum option_kind kind;
	size_t offset;
} option_rows[] = {
	{ "help", 'h', OPTION_HELP, 0 },
	{ "config", 'c', OPTION_TEXT, offsetof(struct request, config_said) },
	{ "socket", 's', OPTION_TEXT, offsetof(struct request, run.socket_path) },
	{ "state", 0, OPTION_TEXT, offsetof(struct request, run.state_dir) },
	{ "user", 0, OPTION_TEXT, offsetof(struct request, run.user) },
	{ "dry-run", 0, OPTION_FLAG, offsetof(struct request, run.dry_run) },
	{ "strict", 0, OPTION_FLAG, offsetof(struct request, run.strict) },
	{ "role", 0, OPTION_TEXT, offsetof(struct request, role) },
	{ "json", 0, OPTION_FLAG, offsetof(struct request, json) },
	{ "jail", 0, OPTION_TEXT, offsetof(struct request, jail) },
	{ "for", 0, OPTION_DURATION, offsetof(struct request, for_s) },
	{ "note", 0, OPTION_TEXT, offsetof(struct request, note) },
	{ "all", 0, OPTION_FLAG, offsetof(struct request, all) },
	{ "show", 0, OPTION_TEXT, offsetof(struct request, show) },
	{ "missed", 0, OPTION_FLAG, offsetof(struct request, missed) },
	{ "now", 0, OPTION_EPOCH, offsetof(struct request, now_s) },
	{ "logtype", 0, OPTION_TEXT, offsetof(struct request, logtype) },
	{ "db", 0, OPTION_TEXT, offsetof(struct request, database) },
	{ "keep-filters", 0, OPTION_FLAG, offsetof(struct request, keep_filters) },
};

enum {
	OPTION_ROWS = sizeof(option_rows) / sizeof(option_rows[0]),
	OPTION_FIRST = 256, /* getopt_long returns this + i for row i: no letter is so great */
};

/* ---- commands ---- */

static int run_command(const struct request *request)
{
	char name[16]; /* the kernel's TASK_COMM_LEN */

	if (!request->role)
		return firewall_run(&request->run);
	/* without it ps shows "exe", from /proc/self/exe */
	text_format(name, sizeof(name), "vg-%s", request->role);
	/* if it fails, only ps looks different */
	(void)prctl(PR_SET_NAME, name);
	if (strcmp(request->role, "engine") == 0)
		return engine_run(&request->run, launch_client_fd());
	if (strcmp(request->role, "notifier") == 0)
		return notifier_run(&request->run);
	if (strcmp(request->role, "delivery") == 0)
		return notifier_deliver();
	return client_say(EXIT_USAGE, "--role is for the daemon's own use");
}

static int status_command(const struct request *request)
{
	/* s*: the key is left out if the value is NULL */
	json_t *question = json_pack("{s:s, s:s*}", "command", "status", "jail",
		request->n_arguments ? request->arguments[0] : NULL);
	json_t *answer;
	int status;

	if (!question)
		return client_say(EXIT_USAGE, "the jail's name is not UTF-8");
	status = client_ask(request->run.socket_path, question, &answer);
	if (status != EXIT_DONE)
		return status;
	/* "ok" belongs to the protocol and not to the report */
	(void)json_object_del(answer, "ok");
	if (request->json) {
		/* fflush below reports a failure */
		(void)json_dumpf(answer, stdout, JSON_INDENT(1));
		(void)printf("\n");
	} else {
		client_print_status(answer);
	}
	status = client_is_unwell(answer) ? EXIT_NO : EXIT_DONE;
	json_decref(answer);
	return fflush(stdout) == 0 ? status : EXIT_NO;
}

/* Prints the settings of a jail as they count; "*": of all jails, with an empty line between. */
static int show_jail(const struct config *config, const char *name)
{
	bool is_all = strcmp(name, "*") == 0;
	size_t shown = 0;

	for (size_t i = 0; config && i < config->n_jails; i++) {
		cleanup_free char *text = NULL;

		if (!is_all && strcmp(config->jails[i].name, name) != 0)
			continue;
		text = config_show(config, &config->jails[i]);
		(void)printf("%s%s", shown++ ? "\n" : "", text);
	}
	if (shown || (config && is_all))
		return EXIT_DONE;
	if (is_all)
		return EXIT_NO;
	return client_say(EXIT_NO, "there is no jail '%s'", text_shown_string(name).text);
}

static int check_command(const struct request *request)
{
	struct protected *protected = protected_new();
	const struct guard_events events = { 0 };
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct guard *guard = NULL;
	int status = EXIT_DONE;

	if (config_load(request->run.config_dir, NULL, &config, &findings) == 0)
		guard = guard_new(config, protected, true, &events, &findings);
	if (config)
		asterisk_check(config, &findings);
	if (config && config->asterisk_dir)
		pbx_free(pbx_read(config->asterisk_dir, &findings));
	findings_sort(&findings);
	findings_print(&findings, stdout);
	if (request->show)
		status = show_jail(config, request->show);
	else if (!findings.errors)
		(void)printf("%s: %zu jails enabled, no errors\n", request->run.config_dir,
			guard ? guard_active_jails(guard) : 0);
	if (findings.errors)
		status = EXIT_NO;
	guard_free(guard);
	config_free(config);
	protected_free(protected);
	findings_done(&findings);
	return status;
}

static int test_command(const struct request *request)
{
	bool is_journal = request->logtype && strcmp(request->logtype, "journal") == 0;
	struct test_options options = { .filter = request->arguments[0],
		.path = request->arguments[1],
		.json = request->json,
		.missed = request->missed,
		.journal = is_journal,
		.now_s = request->now_s ? request->now_s : clock_wall_s() };

	if (request->logtype && !is_journal && strcmp(request->logtype, "file") != 0)
		return client_say(EXIT_USAGE, "--logtype takes file or journal");
	if (request->config_said || access(request->run.config_dir, R_OK) == 0)
		options.config_dir = request->run.config_dir;
	return test_run(&options);
}

static int import_command(const struct request *request)
{
	struct import_options options = { .from = request->arguments[0],
		.database = request->database,
		.run = &request->run,
		.keep_filters = request->keep_filters };

	return import_run(&options);
}

/* fail2ban_client() reads the words behind the command, the options of fail2ban among them. */
static int fail2ban_command(const struct request *request)
{
	return fail2ban_client(request->run.socket_path, request->n_arguments, request->arguments);
}

static int version_command(const struct request *request)
{
	(void)request;
	(void)printf("voipguard %s\n", VERSION);
	return EXIT_DONE;
}

static int help_command(const struct request *request);

static const struct command commands[] = {
	{ "run", "[-c DIR] [--state DIR] [--user NAME] [--dry-run] [--strict]",
		"guard, in the foreground", "config socket state user dry-run strict role", 0, 0,
		run_command },
	{ "status", "[JAIL] [--json]", "jails, files, counts, bans, health", "socket json", 0, 1,
		status_command },
	{ "explain", "ADDR[/LEN] [--json]", "why an address is banned, or is not", "socket json", 1,
		1, explain_command },
	{ "ban", "ADDR[/LEN] [--jail JAIL] [--for 1h] [--note TEXT]", "ban by hand",
		"socket jail for note", 1, 1, change_ban },
	{ "unban", "ADDR[/LEN]|--all [--jail JAIL]", "lift bans, reset counters",
		"socket jail all config state", 0, 1, change_unban },
	{ "allow", "ADDR[/LEN]|NAME [--for 1h] [--note TEXT]",
		"protect from bans, lift those there are", "socket for note", 1, 1, change_allow },
	{ "disallow", "ADDR[/LEN]|NAME", "end that", "socket", 1, 1, change_disallow },
	{ "reload", "", "read the configuration anew; keeps the old one on any error", "socket", 0,
		0, change_reload },
	{ "check", "[-c DIR] [--show JAIL]", "all errors of a configuration", "config show", 0, 0,
		check_command },
	{ "test",
		"[-c DIR] FILTER|REGEX FILE|- [--json] [--missed] [--now EPOCH] [--logtype journal]",
		"a filter over a log", "config json missed now logtype", 2, 2, test_command },
	{ "import", "DIR [--db FILE] [-c DIR] [--state DIR] [--keep-filters] [--dry-run]",
		"fail2ban's tree becomes voipguard's, its bans too",
		"config state socket db keep-filters dry-run", 1, 1, import_command },
	{ "fail2ban-client", "COMMAND...", "what scripts ask of fail2ban's client", "", 0, 99,
		fail2ban_command },
	{ "version", "", "print the version", "", 0, 0, version_command },
	{ "help", "[COMMAND]", "this text", "", 0, 1, help_command },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_usage(FILE *to)
{
	(void)fprintf(to, "voipguard guards Asterisk and other VoIP servers.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(to, "  voipguard %s %s\n      %s\n", commands[i].name,
			commands[i].usage, commands[i].does);
	(void)fprintf(to,
		"\n  -c DIR   configuration (default /etc/voipguard)\n"
		"  -s PATH  control socket (default /run/voipguard/control.sock)\n\n"
		"Exit status: 0 done; 1 no, or findings; 2 usage; 3 daemon not reachable; 4 not "
		"permitted.\nMore: man voipguard\n");
}

static int print_command(const struct command *command)
{
	(void)printf("voipguard %s %s\n  %s\n", command->name, command->usage, command->does);
	return EXIT_DONE;
}

static int help_command(const struct request *request)
{
	const struct command *command =
		request->n_arguments ? find_command(request->arguments[0]) : NULL;

	if (command)
		return print_command(command);
	print_usage(request->n_arguments ? stderr : stdout);
	return request->n_arguments ? EXIT_USAGE : EXIT_DONE;
}

/* ---- reading the command line ---- */

static bool is_allowed(const struct command *command, const char *option)
{
	size_t length = strlen(option);

	for (const char *at = command->options; *at; at += strcspn(at, " "), at += *at == ' ')
		if (strncmp(at, option, length) == 0 && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

/* The row of what getopt_long has returned. NULL: it was no option, which getopt_long has printed.
 */
static const struct option_row *find_option(int option)
{
	for (size_t i = 0; i < OPTION_ROWS; i++)
		if (option == OPTION_FIRST + (int)i || option == option_rows[i].letter)
			return &option_rows[i];
	return NULL;
}

static int read_duration(const char *text, int64_t *ret_s)
{
	struct error err;

	if (duration_parse(text, ret_s, &err) < 0)
		return client_say(EXIT_USAGE, "--for: %s", err.text);
	return *ret_s ? EXIT_DONE : client_say(EXIT_USAGE, "--for: no time at all");
}

static int read_epoch(const char *text, int64_t *ret_s)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value <= 0)
		return client_say(EXIT_USAGE, "--now: '%s' is no number of seconds", text);
	*ret_s = value;
	return EXIT_DONE;
}

/* Sets the field of an option. Returns the exit status. */
static int take_option(struct request *request, const struct option_row *option, const char *value)
{
	void *at = (char *)request + option->offset;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		break;
	case OPTION_TEXT:
		*(const char **)at = value;
		break;
	case OPTION_DURATION:
		return read_duration(value, at);
	case OPTION_EPOCH:
		return read_epoch(value, at);
	case OPTION_HELP:
		break;
	}
	return EXIT_DONE;
}

/* Fills in *request. Returns -1: the command is to be run; else the exit status, as after --help or
 * a wrong option. */
static int read_options(const struct command *command, struct request *request, int argc,
	char **argv)
{
	struct option known[OPTION_ROWS + 1] = { 0 };
	int got;

	for (size_t i = 0; i < OPTION_ROWS; i++) {
		bool is_flag =
			option_rows[i].kind == OPTION_FLAG || option_rows[i].kind == OPTION_HELP;

		known[i] = (struct option){ .name = option_rows[i].name,
			.has_arg = is_flag ? no_argument : required_argument,
			.val = OPTION_FIRST + (int)i };
	}
	while ((got = getopt_long(argc, argv, "c:s:h", known, NULL)) != -1) {
		const struct option_row *option = find_option(got);

		if (!option)
			return EXIT_USAGE; /* getopt_long has printed it */
		if (option->kind == OPTION_HELP)
			return print_command(command);
		if (!is_allowed(command, option->name))
			return client_say(EXIT_USAGE, "%s has no option --%s", command->name,
				option->name);
		if (take_option(request, option, optarg) != EXIT_DONE)
			return EXIT_USAGE;
	}
	request->arguments = argv + optind;
	request->n_arguments = argc - optind;
	if (request->n_arguments >= command->least && request->n_arguments <= command->most)
		return -1;
	(void)fprintf(stderr, "usage: voipguard %s %s\n", command->name, command->usage);
	return EXIT_USAGE;
}

static int run_it(const struct command *command, int argc, char **argv)
{
	const char *state = getenv("STATE_DIRECTORY");
	struct request request = { .run = { .config_dir = "/etc/voipguard",
					   .state_dir = state ? state : "/var/lib/voipguard",
					   .user = "voipguard",
					   .socket_path = "/run/voipguard/control.sock" } };
	int status = -1;

	if (command->run == fail2ban_command) {
		request.arguments = argv + 1;
		request.n_arguments = argc - 1;
	} else {
		status = read_options(command, &request, argc, argv);
	}
	if (status >= 0)
		return status;
	if (request.config_said)
		request.run.config_dir = request.config_said;
	return command->run(&request);
}

int cli_main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

	log_open(NULL);
	if (!command && argc > 1 && strcmp(argv[1], "--version") == 0)
		command = find_command("version");
	if (!command && argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		command = find_command("help");
	if (!command) {
		if (argc > 1)
			(void)client_say(EXIT_USAGE, "there is no command '%s'\n",
				text_shown_string(argv[1]).text);
		print_usage(stderr);
		return EXIT_USAGE;
	}
	argv[1] = argv[0];
	return run_it(command, argc - 1, argv + 1);
}
