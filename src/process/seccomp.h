#ifndef VG_SECCOMP_H
#define VG_SECCOMP_H

#include "process/sandbox.h"

#include <stdbool.h>

struct error;

/* Loads the filter of a role's system calls; sandbox.c is the only caller. no_new_privs must be
 * set. *ret_loaded false: the kernel lacks seccomp. */
int seccomp_enter(enum sandbox_role role, bool *ret_loaded, struct error *err);

#endif
