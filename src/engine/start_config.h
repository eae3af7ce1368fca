#ifndef VG_START_CONFIG_H
#define VG_START_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/utsname.h>

#include "base/findings.h"

struct config;
struct error;
struct guard;
struct guard_events;
struct letter;
struct message;
struct protected;
struct run_options;

/* What an engine does before it may open a log: reads the configuration, compiles every rule,
 * confines itself, tells the firewall role the scopes and whom to protect, and seals that. */
struct start_config {
	struct config *config;       /* owned */
	struct protected *protected; /* owned */
	struct guard *guard;         /* owned */
	struct findings findings;
	struct utsname names;
	char sandbox_text[128]; /* how well this process is confined, for status */
	int client_fd;          /* of a client that asked for a reload and waits; -1: none */
};

/* client_fd (-1: none) is the connection of a client that asked for a reload; it is taken. -1: the
 * configuration does not stand: the findings have been told to the client, or logged. Also then the
 * caller ends *ret_start. */
int start_config(const struct run_options *options, int client_fd,
	const struct guard_events *events, struct start_config *ret_start, struct error *err);
void start_config_done(struct start_config *start);

int64_t start_config_longest_findtime(const struct start_config *start);

/* Names of the jails left out, "" if none. The caller frees. */
char *start_config_broken_text(const struct start_config *start);
/* The mail that says so, with all findings. */
void start_config_broken_letter(const struct start_config *start, struct letter *ret_letter);

/* Waits for the firewall role's word; what the host protects comes before it. 1: go, 0: stop, -1.
 */
int start_config_wait_for_go(struct start_config *start, struct error *err);
/* A MESSAGE_HOSTNET record: an address to protect, or the start of a new list. */
void start_config_host_record(struct start_config *start, const struct message *record);
/* Answers the client that asked for the reload, if there is one. */
void start_config_answer(struct start_config *start, bool ok);

#endif
