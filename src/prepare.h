#ifndef VG_PREPARE_H
#define VG_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct error;
struct guard;
struct guard_events;
struct prepared;
struct protect;
struct proto_record;
struct run_options;

/* What an engine does before it may open a log: reads the configuration, compiles every rule,
 * confines itself, tells the firewall role the scopes and whom to protect, and seals that. */

/* protect_add source of what the firewall role tells of the host. */
enum { PREPARED_HOST_SOURCE = 1 };

/* client_fd (-1: none) is the connection of a client that asked for a reload; it is taken. -1: the
 * configuration does not stand: the findings have been told to the client, or logged. */
int prepared_new(const struct run_options *options, int client_fd,
	const struct guard_events *events, struct prepared **ret_prepared, struct error *err);
void prepared_free(struct prepared *prepared);

/* Borrowed from prepared. */
struct guard *prepared_guard(const struct prepared *prepared);
const struct config *prepared_config(const struct prepared *prepared);
struct protect *prepared_protect(const struct prepared *prepared);
const char *prepared_host(const struct prepared *prepared);
/* How well this process is confined, for status. */
const char *prepared_sandbox_text(const struct prepared *prepared);
int64_t prepared_longest_findtime(const struct prepared *prepared);

/* Names of the jails left out, "" if none; all findings, one a line. The caller frees. */
char *prepared_broken_text(const struct prepared *prepared);
char *prepared_findings_text(const struct prepared *prepared);

/* Sends to the firewall role and waits for room if there is none. */
int prepared_send(const struct proto_record *record, struct error *err);
/* Answers the client that asked for the reload, if there is one. */
void prepared_answer(struct prepared *prepared, bool ok);

#endif
