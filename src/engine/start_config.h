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

/* What an engine does before it opens a log: it reads the configuration, compiles every rule,
 * confines itself, tells the firewall role the scopes (ports and protocols that a ban closes) and
 * whom to protect, and then sends MESSAGE_SEAL, after which the role may hand over to this engine.
 */
struct start_config {
	struct config *config;       /* owned */
	struct protected *protected; /* owned */
	struct pbx *pbx;             /* owned until protect takes it; NULL: none is read */
	struct guard *guard;         /* owned */
	struct findings findings;
	struct utsname names;
	char sandbox_text[128]; /* how this process is confined, for status */
	int client_fd;          /* owned; the client that waits for its reload; -1: none */
};

/* Takes client_fd, the connection of a client that asked for a reload (-1: none). events is
 * borrowed. -1: the configuration cannot be used (the client has been told the findings, or the log
 * has them), or confinement or the firewall role failed. Also then the caller ends *ret_start by
 * start_config_done. */
int start_config(const struct run_options *options, int client_fd,
	const struct guard_events *events, struct start_config *ret_start, struct error *err);
void start_config_done(struct start_config *start);

/* Whether a jail reads records of Asterisk, in which challenges can prove a source. */
bool start_config_wants_wire(const struct start_config *start);
/* The longest findtime of all jails, in seconds; 0 without jails. */
int64_t start_config_longest_findtime(const struct start_config *start);

/* The sentence that names the jails left out, "" if none is. The caller frees it. */
char *start_config_broken_text(const struct start_config *start);
/* The mail about them, with the findings. */
void start_config_broken_letter(const struct start_config *start, struct letter *ret_letter);

/* Waits, without limit, until the firewall role lets this engine begin; the addresses of the host,
 * which come before that, are protected. 1: begin (MESSAGE_GO); 0: end (MESSAGE_STOP); -1: the role
 * is gone or has sent nonsense. */
int start_config_wait_for_go(struct start_config *start, struct error *err);
/* A MESSAGE_OWN_ADDRESS record: an address of the host to protect, whose bans are lifted; or,
 * without an address, the start of a new list, which forgets the old one. */
void start_config_host_record(struct start_config *start, const struct message *record);
/* Answers the client that asked for the reload with ok and the findings, and closes its connection.
 * Nothing happens if there is none, or if it has been answered. */
void start_config_answer(struct start_config *start, bool ok);

#endif
