#include "notifier/name_files.h"

#include <errno.h>
#include <fcntl.h>

#include "base/alloc.h"
#include "process/sandbox.h"

static const struct sandbox_path host_files[] = {
	{ "/etc/gai.conf", false },
	{ "/etc/host.conf", false },
	{ "/etc/hosts", false },
	{ "/etc/nsswitch.conf", false },
	{ "/etc/resolv.conf", false },
	{ "/etc/services", false },
	{ "/etc/ld.so.cache", false },
	{ "/etc/ld.so.preload", false },
	/* directories: OpenSSL's configuration, and certificates as several systems keep them */
	{ "/etc/ssl", false },
	{ "/etc/ca-certificates", false },
	{ "/etc/crypto-policies", false },
	{ "/etc/pki/ca-trust", false },
	{ "/etc/pki/tls", false },
};

static bool is_refused(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 && errno == EACCES;
}

void name_files_init(struct name_files *files, const struct sandbox_path *paths, size_t count)
{
	if (!paths) {
		paths = host_files;
		count = sizeof(host_files) / sizeof(host_files[0]);
	}
	*files = (struct name_files){ .paths = paths, .count = count };
	if (files->count > NAME_FILES_MAX)
		files->count = NAME_FILES_MAX;
	for (size_t i = 0; i < files->count; i++)
		files->unreadable[i] = is_refused(paths[i].path);
}

bool name_files_are_stale(const struct name_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (!files->unreadable[i] && is_refused(files->paths[i].path))
			return true;
	return false;
}
