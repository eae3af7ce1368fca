#ifndef VG_START_H
#define VG_START_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct error;
struct guard;
struct guard_events;
struct prepared;
struct letter;
struct protected;
struct message;
struct run_options;

/* What an engine does before it may open a log: reads the configuration, compiles every rule,
 * confines itself, tells the firewall role the scopes and whom to protect, and seals that. */

/* client_fd (-1: none) is the connection of a client that asked for a reload; it is taken. -1: the
 * configuration does not stand: the findings have been told to the client, or logged. */
int prepared_new(const struct run_options *options, int client_fd,
	const struct guard_events *events, struct prepared **ret_prepared, struct error *err);
void prepared_free(struct prepared *prepared);

/* Borrowed from prepared. */
struct guard *prepared_guard(const struct prepared *prepared);
const struct config *prepared_config(const struct prepared *prepared);
struct protected *prepared_protected(const struct prepared *prepared);
/* How well this process is confined, for status. */
const char *prepared_sandbox_text(const struct prepared *prepared);
int64_t prepared_longest_findtime(const struct prepared *prepared);

/* Names of the jails left out, "" if none. The caller frees. */
char *prepared_broken_text(const struct prepared *prepared);
/* The mail that says so, with all findings. */
void prepared_broken_letter(const struct prepared *prepared, struct letter *ret_letter);

/* Waits for the firewall role's word; what the host protects comes before it. 1: go, 0: stop, -1.
 */
int prepared_wait_for_go(struct prepared *prepared, struct error *err);
/* A MESSAGE_OWN_ADDRESS record: an address to protect, or the start of a new list. */
void prepared_host_record(struct prepared *prepared, const struct message *record, int64_t now_s);

/* Tells the firewall role whom a person has protected since the last call. False: the pair is full
 * (or broken: reading says so), call again when it is writable. */
bool prepared_send_allows(struct prepared *prepared, int64_t now_s, bool dry_run);
/* Sends to the firewall role and waits for room if there is none. */
int prepared_send(const struct message *record, struct error *err);
/* Answers the client that asked for the reload, if there is one. */
void prepared_answer(struct prepared *prepared, bool ok);

#endif
