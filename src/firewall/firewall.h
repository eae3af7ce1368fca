#ifndef VG_FIREWALL_H
#define VG_FIREWALL_H

struct run_options;

/* The parent: holds CAP_NET_ADMIN, the netlink sockets, the table and the listening control
 * socket; starts, joins and watches the other roles; parses nothing. Returns the exit status of
 * the service. */
int firewall_run(const struct run_options *options);

#endif
