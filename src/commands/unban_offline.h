#ifndef VG_UNBAN_OFFLINE_H
#define VG_UNBAN_OFFLINE_H

struct ip;
struct run_options;

/* `unban` by root while no daemon runs: lifts the bans of ip (NULL: of all addresses) in one jail
 * (NULL: in every jail) in the database and the kernel. Prints why if it cannot. Returns the exit
 * status. */
int unban_offline(const struct run_options *options, const struct ip *ip, const char *jail);

#endif
