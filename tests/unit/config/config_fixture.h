#ifndef VG_CONFIG_FIXTURE_H
#define VG_CONFIG_FIXTURE_H

/* A configuration tree in a temporary directory. Included behind cmocka.h. */

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define GOOD "[a]\nenabled = true\nfilter = asterisk\nlogpath = /var/log/a\n"

/* A tree under a new directory; the shipped filters are in its "shipped". */
struct tree {
	char dir[64];
	char shipped[80];
	struct config *config;
	struct findings findings;
	int rc;
};

static inline void write_file(const struct tree *tree, const char *name, const char *text,
	size_t length)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", tree->dir, name);
	for (char *slash = path + strlen(tree->dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static inline void put(const struct tree *tree, const char *name, const char *text)
{
	write_file(tree, name, text, strlen(text));
}

static inline void make(struct tree *tree)
{
	*tree = (struct tree){ 0 };
	(void)snprintf(tree->dir, sizeof(tree->dir), "/tmp/config_test.XXXXXX");
	assert_non_null(mkdtemp(tree->dir));
	(void)snprintf(tree->shipped, sizeof(tree->shipped), "%s/shipped", tree->dir);
	put(tree, "shipped/asterisk.conf", "[Definition]\nfailregex = from <HOST>$\n");
}

static inline void load(struct tree *tree)
{
	tree->rc = config_load(tree->dir, tree->shipped, &tree->config, &tree->findings);
}

static inline int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void done(struct tree *tree)
{
	if (tree->rc == 0)
		config_free(tree->config);
	findings_done(&tree->findings);
	assert_int_equal(nftw(tree->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* What is said of every tree of fail2ban's, and of every short rule. */
static inline size_t count_habits(const struct tree *tree)
{
	size_t count = 0;

	for (size_t i = 0; i < tree->findings.count; i++)
		count += strstr(tree->findings.list[i].text, "count for exactly findtime") ||
			 strstr(tree->findings.list[i].text, "is followed from its end") ||
			 strstr(tree->findings.list[i].text, "can be fooled"); /* short rules */
	return count;
}

/* Some finding, without the directory in front, holds what. */
static inline bool has_finding(const struct tree *tree, const char *place, const char *what)
{
	bool found = false;

	for (size_t i = 0; i < tree->findings.count && !found; i++) {
		char *text = finding_format(&tree->findings.list[i]);
		const char *plain = text + strlen(tree->dir) + 1;

		found = strncmp(plain, place, strlen(place)) == 0 && strstr(plain, what);
		free(text);
	}
	return found;
}

static inline void print_findings(const struct tree *tree)
{
	for (size_t i = 0; i < tree->findings.count; i++) {
		char *text = finding_format(&tree->findings.list[i]);

		print_message("  %s\n", text);
		free(text);
	}
}

/* Loads without any other finding. */
static inline const struct config_jail *good(struct tree *tree, const char *jail)
{
	const struct config_jail *found;

	load(tree);
	print_findings(tree);
	assert_int_equal(tree->rc, 0);
	assert_int_equal(tree->findings.count, count_habits(tree));
	found = config_find(tree->config, jail);
	assert_non_null(found);
	assert_false(found->broken);
	return found;
}

#endif
