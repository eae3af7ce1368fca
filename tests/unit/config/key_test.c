#include "config/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/config_fixture.h"
#include "config/daemon.h"
#include "config/filter_keys.h"
#include "config/jail.h"

enum { WORDS_MAX = 200, LISTS = 3 };

/* The words behind .Ic in one of the lists of keys, and behind .It Ic among them. */
struct manual {
	char *words[WORDS_MAX];
	bool heads[WORDS_MAX];
	size_t count;
};

static void add_words(struct manual *manual, const char *line)
{
	bool is_head = strncmp(line, ".It Ic ", 7) == 0;
	char *at = NULL;
	char *copy = strdup(line + (is_head ? 7 : 4));

	assert_non_null(copy);
	for (char *word = strtok_r(copy, " ,\n", &at); word; word = strtok_r(NULL, " ,\n", &at)) {
		assert_true(manual->count < WORDS_MAX);
		manual->heads[manual->count] = is_head;
		manual->words[manual->count++] = strdup(word);
	}
	free(copy);
}

/* The lists follow each other: keys of a jail, of [mail], of [voipguard]. */
static void read_manual(struct manual manuals[LISTS])
{
	static const char *const begins[LISTS + 1] = { "Keys of a jail; ",
		".Ql [mail] :", ".Ql [voipguard] :", ".Sh JSON" };
	FILE *file = fopen("man/voipguard.8", "r");
	char line[512];
	int list = -1;

	assert_non_null(file);
	while (list < LISTS && fgets(line, sizeof(line), file)) {
		if (strncmp(line, begins[list + 1], strlen(begins[list + 1])) == 0)
			list++;
		else if (list >= 0 && list < LISTS &&
			 (strncmp(line, ".It Ic ", 7) == 0 || strncmp(line, ".Ic ", 4) == 0))
			add_words(&manuals[list], line);
	}
	assert_int_equal(list, LISTS);
	assert_int_equal(fclose(file), 0);
}

static bool has_word(const struct manual *manual, const char *name)
{
	for (size_t i = 0; i < manual->count; i++)
		if (strcmp(manual->words[i], name) == 0)
			return true;
	return false;
}

static const struct key *find_key(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

/* What `check` knows is what the manual explains, and nothing else. */
static void the_manual_has_all_keys_and_no_other(void **state)
{
	static const struct key_table *const tables[LISTS][2] = { { &jail_keys, &filter_keys },
		{ &daemon_mail_keys }, { &daemon_keys } };
	struct manual manuals[LISTS] = { 0 };
	unsigned failed = 0;

	(void)state;
	read_manual(manuals);
	for (size_t list = 0; list < LISTS; list++) {
		const struct key_table *more = tables[list][1];

		for (size_t t = 0; t < 2 && tables[list][t]; t++) {
			for (size_t i = 0; i < tables[list][t]->count; i++) {
				const char *name = tables[list][t]->rows[i].name;

				if (has_word(&manuals[list], name))
					continue;
				print_message("the manual lacks %s\n", name);
				failed++;
			}
		}
		for (size_t i = 0; i < manuals[list].count; i++) {
			const char *word = manuals[list].words[i];

			if (manuals[list].heads[i] && !find_key(tables[list][0], word) &&
				!(more && find_key(more, word))) {
				print_message("nobody reads %s\n", word);
				failed++;
			}
			free(manuals[list].words[i]);
		}
	}
	assert_int_equal(failed, 0);
}

/* No key has two rows. */
static void each_key_has_one_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < jail_keys.count; i++) {
		assert_ptr_equal(find_key(&jail_keys, jail_keys.rows[i].name), &jail_keys.rows[i]);
		assert_null(find_key(&filter_keys, jail_keys.rows[i].name));
	}
	for (size_t i = 0; i < filter_keys.count; i++)
		assert_ptr_equal(find_key(&filter_keys, filter_keys.rows[i].name),
			&filter_keys.rows[i]);
}

/* Keys of a jail; what is written of it is read as the same jail. */
static const char *const jails[] = {
	"logpath = /var/log/a\n  /var/log/b* head\n  /var/log/c%% tail\n",
	"maxretry = 7\nmaxmatches = 3\nfindtime = 1h 1s\nbantime = -1\n",
	"bantime.increment = true\nbantime.factor = 1/3\nbantime.multipliers = 1 2.5\n  1/7\n"
	"bantime.maxtime = 5w\nbantime.rndtime = 7\nbantime.overalljails = yes\n",
	"bantime.increment = true\nbantime.formula = ban.Time * math.exp(float(ban.Count+1)*"
	"banFactor)/math.exp(1*banFactor)\n",
	"ignoreip = 192.0.2.1 pbx.example.org 2001:db8::/32\nignoreself = no\n",
	"backend = polling\n",
	"backend = systemd\njournalmatch = _COMM=a _COMM='b c' + _EXE=\"d\"\n  A=1\n",
	"backend = systemd[journalfiles='/a /b*', journalflags=3, rotated=yes]\njournalmatch = A=1\n",
	"backend = systemd[journalpath=/j, namespace=n]\njournalmatch = A=1\n",
	"usedns = raw\nport = 5060\n",
	"usedns = no\nport = 5060,5061:5063\nprotocol = udp\n",
	"action = nftables-multiport[port=80, protocol=tcp]\n  mail[dest=a@b, sender=c]\n",
	"action = nftables-allports\n",
	"action = mail[dest=a@b]\n",
	"action =\n",
};

static char *load_and_write(struct tree *tree, const char *text, char **ret_shown)
{
	put(tree, "jails/a.conf", text);
	load(tree);
	print_findings(tree);
	assert_int_equal(tree->rc, 0);
	assert_int_equal(tree->findings.errors, 0);
	*ret_shown = config_show(tree->config, &tree->config->jails[0]);
	return config_write_jail(&tree->config->jails[0]);
}

static void a_jail_is_written_as_it_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(jails) / sizeof(jails[0]); i++) {
		cleanup_free char *text =
			alloc_format("[a]\nenabled = true\nfilter = asterisk\n%s%s",
				strstr(jails[i], "logpath") ? "" : "logpath = /var/log/a\n",
				jails[i]);
		cleanup_free char *shown = NULL;
		cleanup_free char *shown_again = NULL;
		struct tree tree;

		make(&tree);
		cleanup_free char *written = load_and_write(&tree, text, &shown);
		config_free(tree.config);
		cleanup_free char *copy = alloc_format("[a]\n%s", written);
		cleanup_free char *again = load_and_write(&tree, copy, &shown_again);
		assert_string_equal(again, written);
		assert_string_equal(shown_again, shown);
		done(&tree);
	}
}

static char *load_and_write_filter(struct tree *tree, const char *text)
{
	struct filter_def filter;

	put(tree, "filters/f.conf", text);
	tree->rc = config_load_filter(tree->dir, tree->shipped, "f", false, &tree->config, &filter,
		&tree->findings);
	assert_int_equal(tree->rc, 0);
	return config_write_filter(&filter);
}

static void a_filter_is_written_as_it_is_read(void **state)
{
	static const char text[] =
		"[Definition]\nmaxlines = 3\nlogtimezone = UTC\ndatepattern = ^%%Y\n    ^EPOCH\n"
		"prefregex = ^x%%y <F-CONTENT>.+</F-CONTENT>$\n"
		"failregex = ^a\\d <HOST>$\n    ^b <ADDR>$\nignoreregex = ^c\n";
	struct tree tree;

	(void)state;
	make(&tree);
	cleanup_free char *written = load_and_write_filter(&tree, text);
	assert_string_equal(written, text + strlen("[Definition]\n"));
	done(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_has_all_keys_and_no_other),
		cmocka_unit_test(each_key_has_one_row),
		cmocka_unit_test(a_jail_is_written_as_it_is_read),
		cmocka_unit_test(a_filter_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
