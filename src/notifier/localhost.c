#include "notifier/localhost.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char localhost[] = "localhost";

bool localhost_is(const char *name)
{
	size_t own = sizeof(localhost) - 1;
	size_t length = strlen(name);

	if (length && name[length - 1] == '.')
		length--;
	return length >= own && strncasecmp(name + length - own, localhost, own) == 0 &&
	       (length == own || name[length - own - 1] == '.');
}

/* The program's definition goes before the one of libc, in the libraries too. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret_found)
{
	int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
	struct addrinfo loopback = { 0 };

	*(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo"); /* POSIX's way around ISO C */
	if (!libc)
		return EAI_SYSTEM;
	if (!name || !localhost_is(name))
		return libc(name, service, hints, ret_found);
	if (hints)
		loopback = *hints;
	/* Without a name the answer is the loopback addresses, and has no canonical name. */
	loopback.ai_flags &= ~(AI_CANONNAME | AI_PASSIVE);
	return libc(NULL, service, &loopback, ret_found);
}
