#ifndef VG_SECCOMP_H
#define VG_SECCOMP_H

#include "process/sandbox.h"

#include <stdbool.h>

struct error;

/* Restricts the process to the system calls of a role, for good; only sandbox.c calls it.
 * no_new_privs must be set. *ret_loaded false: the kernel lacks seccomp, and nothing is restricted.
 * -1 with a sentence: the process must end. */
int seccomp_enter(enum sandbox_role role, bool *ret_loaded, struct error *err);

#endif
