#ifndef VG_SECCOMP_H
#define VG_SECCOMP_H

#include <stdbool.h>

struct error;

/* The system calls of each role, as seccomp filters; sandbox.c is the only caller. no_new_privs
 * must be set. Returns 0 and *ret_loaded (false: the kernel lacks seccomp), or -1. */
int seccomp_firewall(bool *ret_loaded, struct error *err);
int seccomp_engine(bool *ret_loaded, struct error *err);
int seccomp_notifier(bool *ret_loaded, struct error *err);
int seccomp_delivery(bool *ret_loaded, struct error *err);

#endif
