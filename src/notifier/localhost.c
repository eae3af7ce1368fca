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

/* The dynamic loader prefers this definition to libc's, for the libraries as well. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret_found)
{
	int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
	struct addrinfo loopback = { 0 };

	*(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo"); /* POSIX: ISO C has no cast */
	if (!libc)
		return EAI_SYSTEM;
	if (!name || !localhost_is(name))
		return libc(name, service, hints, ret_found);
	if (hints)
		loopback = *hints;
	/* For no name at all, libc answers with the loopback addresses. A canonical name cannot be
	 * asked for then, and AI_PASSIVE would give the wildcard addresses. */
	loopback.ai_flags &= ~(AI_CANONNAME | AI_PASSIVE);
	return libc(NULL, service, &loopback, ret_found);
}
