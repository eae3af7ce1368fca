#ifndef VG_CLIENT_H
#define VG_CLIENT_H

#include <stdbool.h>

struct json_t;

/* The client's side of the control protocol (control/control.h), and how the answers are printed
 * for people. */

/* Exit statuses of every command: done; refused, failed or with findings; a wrong command line; no
 * daemon answers; this user may not ask. */
enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_FORBIDDEN = 4 };

/* Prints "voipguard: ", a sentence and a newline to standard error. Returns status, so that a
 * command can end with `return client_say(EXIT_NO, ...)`. */
int client_say(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a daemon listens at socket_path. Also true if that cannot be found out (no rights): then
 * a request tells why. */
bool client_reaches(const char *socket_path);

/* Sends a request and waits for the answer, up to 60 s for each read and write. Takes the reference
 * to request. EXIT_DONE: *ret_answer is a new reference to an answer with "ok": true. Else the
 * status to exit with: the reason has been printed, and *ret_answer is untouched. The findings of
 * an answer are printed in any case. */
int client_ask(const char *socket_path, struct json_t *request, struct json_t **ret_answer);

/* `voipguard fail2ban-client ...`: the commands that scripts send to fail2ban's client: ping,
 * version, status [JAIL], banned, reload, unban, get JAIL ..., set JAIL
 * banip|unbanip|addignoreip|delignoreip. For what voipguard has, too, the output is byte for byte
 * that of fail2ban 1.0. arguments[0] is the first word behind fail2ban-client. Returns the exit
 * status. */
int fail2ban_client(const char *socket_path, int n_arguments, char **arguments);

/* The string, or the integer, of a key of an answer; `otherwise`, or 0, if it has none there. */
const char *client_string(const struct json_t *object, const char *key, const char *otherwise);
long long client_integer(const struct json_t *object, const char *key);

/* Prints the answer to `status` for people, in aligned columns. */
void client_print_status(const struct json_t *answer);
/* True if a part in "health" of the answer is not ok. */
bool client_is_unwell(const struct json_t *answer);

#endif
