#ifndef VG_CLIENT_H
#define VG_CLIENT_H

#include <stdbool.h>

struct json_t;

/* The client's end of the control protocol, and what people see of the answers. */

/* Exit statuses of every command. */
enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_FORBIDDEN = 4 };

/* A daemon listens there. */
bool client_reaches(const char *socket_path);

/* Sends request (a new reference, taken) and waits for the answer (*ret_answer, a new reference).
 * Returns EXIT_DONE, or what to exit with: the reason has been printed then. An answer with "ok":
 * false is printed and EXIT_NO. */
int client_ask(const char *socket_path, struct json_t *request, struct json_t **ret_answer);

/* `voipguard fail2ban-client ...`: the commands that scripts send to fail2ban's client, with its
 * output, byte for byte, for what voipguard has: ping, version, status [JAIL], banned, reload,
 * unban, get JAIL ..., set JAIL banip|unbanip|addignoreip|delignoreip. arguments[0] is the first
 * word behind fail2ban-client. Layout as fail2ban 1.0 prints it. Returns the exit status. */
int fail2ban_client(const char *socket_path, int n_arguments, char **arguments);

/* The answer to `status`, for people, in aligned columns. */
void client_print_status(const struct json_t *answer);
/* True if an entry of "health" is not ok. */
bool client_is_unwell(const struct json_t *answer);

#endif
