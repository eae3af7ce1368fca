/* What "voipguard allow" protects: addresses and host names, in the order they were allowed. */
#include "protect/parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/protected.h"
#include "base/text.h"
#include "base/times.h"
#include "decide/guard.h"
#include "dialect/ignore_words.h"
#include "state/store.h"

enum { NOTE_SHOWN_MAX = 64 };

/* The index of the entry with this name (in lower case) or, without a name, address; n_allows:
 * none. */
static size_t entry_find(const struct protect *protect, const struct store_allow *wanted)
{
	size_t at = 0;

	for (; at < protect->n_allows; at++) {
		const struct store_allow *entry = &protect->allows[at];

		if (wanted->name ? entry->name && strcmp(entry->name, wanted->name) == 0
				 : ip_equal(&entry->ip, &wanted->ip))
			break;
	}
	return at;
}

static void entry_free(const struct store_allow *entry)
{
	free((void *)(uintptr_t)entry->name); /* owned here; const is for those who read entries */
	free((void *)(uintptr_t)entry->note);
}

static void entry_remove(struct protect *protect, size_t at)
{
	entry_free(&protect->allows[at]);
	protect->n_allows--;
	memmove(protect->allows + at, protect->allows + at + 1,
		(protect->n_allows - at) * sizeof(*protect->allows));
}

static void entry_protect(struct protect *protect, const struct store_allow *entry,
	char because[PROTECTED_BECAUSE_MAX])
{
	char shown[NOTE_SHOWN_MAX];

	text_format(because, PROTECTED_BECAUSE_MAX, "allowed by hand%s%s",
		entry->note[0] ? ": " : "", text_render_string(shown, sizeof(shown), entry->note));
	/* false: the list is full, which the firewall role finds and logs, too */
	(void)protected_add(protect->protected, &entry->ip, because, PROTECTED_BY_HAND);
}

static int entry_add(struct protect *protect, const struct store_allow *allow, struct error *err)
{
	char because[PROTECTED_BECAUSE_MAX];
	struct store_allow *entry;

	if (protect->n_allows == PROTECT_ALLOWS_MAX)
		return error_set(err,
			"%d addresses and names are allowed by hand: that is the most",
			PROTECT_ALLOWS_MAX);
	if (allow->name && !hosts_allow(protect, allow->name, allow->until_s))
		return error_set(err, "%d names are protected: that is the most",
			PROTECT_NAMES_MAX);
	protect->allows =
		alloc_grow(protect->allows, protect->n_allows + 1, sizeof(*protect->allows));
	entry = &protect->allows[protect->n_allows++];
	*entry = *allow;
	entry->name = allow->name ? alloc_string(allow->name) : NULL;
	entry->note = alloc_string(allow->note ? allow->note : "");
	if (entry->name)
		return 0; /* its addresses are protected when they are known */
	entry_protect(protect, entry, because);
	guard_lift_protected(protect->guard, &entry->ip, because);
	telling_add(protect, &entry->ip, because, entry->until_s);
	return 0;
}

static void row_forget(const struct protect *protect, const struct store_allow *allow)
{
	struct store_allow gone = { .ip = allow->ip, .name = allow->name, .forget = true };

	if (protect->store)
		store_allow(protect->store, &gone);
}

/* Ends one entry. What it protected stays so until the caller calls entries_protect_again(). */
static void entry_end(struct protect *protect, size_t at)
{
	const struct store_allow *entry = &protect->allows[at];

	if (entry->name)
		hosts_disallow(protect, entry->name);
	row_forget(protect, entry);
	entry_remove(protect, at);
}

/* Builds the protection by hand anew from the entries that are left. */
static void entries_protect_again(struct protect *protect)
{
	char because[PROTECTED_BECAUSE_MAX];

	hosts_sweep(protect);
	protected_clear(protect->protected, PROTECTED_BY_HAND);
	for (size_t i = 0; i < protect->n_allows; i++)
		if (!protect->allows[i].name)
			entry_protect(protect, &protect->allows[i], because);
}

int protect_word(const char *word, bool may_be_wide, struct ip *ret_ip, struct error *err)
{
	enum ignore_words_kind kind;
	char address[IP_TEXT_MAX];

	if (ignore_words_word(word, &kind, ret_ip, err) < 0)
		return -1;
	if (kind == IGNORE_WORDS_FILE)
		return error_set(err, "an address is wanted, or a host name");
	if (kind == IGNORE_WORDS_NAME)
		*ret_ip = (struct ip){ 0 };
	else if (!may_be_wide && ignore_words_is_wide(ret_ip))
		return error_set(err,
			"%s is too wide to be allowed by hand: name its networks of /%d or longer, "
			"or write ignoreip = %s into [DEFAULT] of the jails if nobody there is ever "
			"to be banned",
			ip_format(ret_ip, address),
			ret_ip->family == 4 ? IGNORE_WORDS_WIDE4_BITS : IGNORE_WORDS_WIDE6_BITS,
			address);
	return 0;
}

/* Reads what the word names into ret_allow: its ip, or its name in lower case, which is *ret_name.
 * The caller frees *ret_name; for an address it stays NULL. */
static int allow_read(const char *word, bool may_be_wide, char **ret_name,
	struct store_allow *ret_allow, struct error *err)
{
	if (protect_word(word, may_be_wide, &ret_allow->ip, err) < 0)
		return -1;
	if (!ret_allow->ip.family)
		*ret_name = ascii_lower_string(alloc_string(word));
	ret_allow->name = *ret_name;
	return 0;
}

int protect_allow(struct protect *protect, const char *word, int64_t for_s, const char *note,
	int64_t now_s, struct error *err)
{
	struct store_allow allow = { .at_s = now_s, .note = note ? note : "" };
	cleanup_free char *name = NULL;
	size_t at;

	if (for_s < 0)
		return error_set(err, "a time that is over before it begins");
	if (for_s > DURATION_LONGEST_S)
		return error_set(err, "more than 3000 years: name no time to allow it for ever");
	if (allow_read(word, false, &name, &allow, err) < 0)
		return -1;
	allow.until_s = for_s ? now_s + for_s : 0;
	at = entry_find(protect, &allow);
	if (at < protect->n_allows)
		entry_remove(protect, at);
	if (entry_add(protect, &allow, err) < 0)
		return -1;
	if (protect->store)
		store_allow(protect->store, &allow);
	return 0;
}

int protect_disallow(struct protect *protect, const char *word, struct error *err)
{
	struct store_allow allow = { 0 };
	cleanup_free char *name = NULL;
	char address[IP_TEXT_MAX];
	size_t at;

	if (allow_read(word, true, &name, &allow, err) < 0)
		return -1;
	at = entry_find(protect, &allow);
	if (at == protect->n_allows)
		return error_set(err, "%s is not allowed by hand",
			allow.name ? word : ip_format(&allow.ip, address));
	entry_end(protect, at);
	entries_protect_again(protect);
	return 0;
}

void protect_load_allow(struct protect *protect, const struct store_allow *allow, int64_t now_s)
{
	if (allow->until_s && allow->until_s <= now_s)
		row_forget(protect, allow);
	else if (entry_add(protect, allow, NULL) < 0)
		protect->n_left_out++;
}

const struct store_allow *protect_allowed(const struct protect *protect, size_t index)
{
	return index < protect->n_allows ? &protect->allows[index] : NULL;
}

void by_hand_tick(struct protect *protect, int64_t now_s)
{
	char address[IP_TEXT_MAX];
	bool any = false;

	for (size_t i = protect->n_allows; i-- > 0;) {
		const struct store_allow *entry = &protect->allows[i];

		if (!entry->until_s || entry->until_s > now_s)
			continue;
		guard_note(protect->guard, LOG_NOTICE,
			"%s is no longer allowed by hand: its time is over",
			entry->name ? text_shown_string(entry->name).text
				    : ip_format(&entry->ip, address));
		entry_end(protect, i);
		any = true;
	}
	if (any)
		entries_protect_again(protect);
}

void by_hand_done(struct protect *protect)
{
	for (size_t i = 0; i < protect->n_allows; i++)
		entry_free(&protect->allows[i]);
	free(protect->allows);
}
