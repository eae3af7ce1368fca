#ifndef VG_UNBAN_OFFLINE_H
#define VG_UNBAN_OFFLINE_H

struct ip;
struct run_options;

/* `unban` as root while no daemon runs: takes the bans of ip (NULL: all), of one jail or of every
 * jail (NULL), out of the database and the kernel. Returns the exit status. */
int unban_offline(const struct run_options *options, const struct ip *ip, const char *jail);

#endif
