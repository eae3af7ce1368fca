#ifndef VG_FIREWALL_H
#define VG_FIREWALL_H

struct run_options;

/* Runs the firewall role, the parent of the other roles, until the service ends; returns the exit
 * status of the service. It alone holds CAP_NET_ADMIN, and makes the nftables table; it listens on
 * the control socket and hands each client to the engine; it starts the engine and the notifier,
 * connects them with each other, and replaces them. It parses no text from outside. */
int firewall_run(const struct run_options *options);

#endif
