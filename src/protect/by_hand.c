/* Addresses that a person protects. */
#include "decide/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/protected.h"
#include "base/text.h"
#include "base/times.h"
#include "dialect/ignore_words.h"

enum { ALLOW_SOURCE = 2, NOTE_SHOWN_MAX = 64 };

static void note_free(const struct store_allow *allow)
{
	free((void *)(uintptr_t)allow->note); /* const only for those who read it */
}

static void because_write(char because[MESSAGE_TEXT_MAX], const struct store_allow *allow)
{
	char shown[NOTE_SHOWN_MAX];

	text_render_string(shown, sizeof(shown), allow->note);
	(void)snprintf(because, MESSAGE_TEXT_MAX, "allowed by hand%s%s", shown[0] ? ": " : "",
		shown); /* fits */
}

static void protect_again(struct guard *guard)
{
	char because[MESSAGE_TEXT_MAX];

	protected_clear(guard->protected, ALLOW_SOURCE);
	for (size_t i = 0; i < guard->allows.count; i++) {
		because_write(because, &guard->allows.list[i]);
		(void)protected_add(guard->protected, &guard->allows.list[i].ip, because,
			ALLOW_SOURCE); /* they were in it before */
	}
}

static void remove_at(struct guard_allows *allows, size_t at)
{
	note_free(&allows->list[at]);
	allows->count--;
	memmove(allows->list + at, allows->list + at + 1,
		(allows->count - at) * sizeof(*allows->list));
	if (at < allows->sent)
		allows->sent--;
}

static size_t find(const struct guard_allows *allows, const struct ip *ip)
{
	size_t at = 0;

	while (at < allows->count && !ip_equal(&allows->list[at].ip, ip))
		at++;
	return at;
}

static void add(struct guard *guard, const struct store_allow *allow, int64_t now_s)
{
	struct guard_allows *allows = &guard->allows;
	char because[MESSAGE_TEXT_MAX];

	allows->list = alloc_grow(allows->list, allows->count + 1, sizeof(*allows->list));
	allows->list[allows->count] = *allow;
	allows->list[allows->count].note = alloc_string(allow->note ? allow->note : "");
	because_write(because, &allows->list[allows->count++]);
	guard_protect(guard, &allow->ip, because, ALLOW_SOURCE, now_s);
}

int guard_allow_until(int64_t for_s, int64_t now_s, int64_t *ret_until_s, struct error *err)
{
	if (for_s < 0)
		return error_set(err, "a time that is over before it begins");
	if (for_s > DURATION_LONGEST_S)
		return error_set(err, "more than 3000 years: name no time to allow it for ever");
	*ret_until_s = for_s ? now_s + for_s : 0;
	return 0;
}

int guard_allow_width(const struct ip *ip, struct error *err)
{
	char address[IP_TEXT_MAX];

	if (!ignore_words_is_wide(ip))
		return 0;
	return error_set(err,
		"%s is too wide to be allowed by hand: name its networks of /%d or longer, or "
		"write ignoreip = %s into [DEFAULT] of the jails if nobody there is ever to be "
		"banned",
		ip_format(ip, address),
		ip->family == 4 ? IGNORE_WORDS_WIDE4_BITS : IGNORE_WORDS_WIDE6_BITS, address);
}

int guard_allow(struct guard *guard, const struct ip *ip, int64_t for_s, const char *note,
	int64_t now_s, struct error *err)
{
	struct store_allow allow = { .ip = *ip, .at_s = now_s, .note = note ? note : "" };
	size_t at = find(&guard->allows, ip);

	if (guard_allow_until(for_s, now_s, &allow.until_s, err) < 0 ||
		guard_allow_width(ip, err) < 0)
		return -1;
	if (at < guard->allows.count)
		remove_at(&guard->allows, at);
	if (guard->allows.count == GUARD_ALLOWS_MAX)
		return error_set(err, "%d addresses are allowed by hand: that is the most",
			GUARD_ALLOWS_MAX);
	add(guard, &allow, now_s);
	if (guard->store)
		store_allow(guard->store, &allow);
	return 0;
}

int guard_disallow(struct guard *guard, const struct ip *ip, struct error *err)
{
	size_t at = find(&guard->allows, ip);
	char address[IP_TEXT_MAX];

	if (at == guard->allows.count)
		return error_set(err, "%s is not allowed by hand", ip_format(ip, address));
	remove_at(&guard->allows, at);
	protect_again(guard);
	if (guard->store)
		store_forget_allow(guard->store, ip);
	return 0;
}

void guard_load_allow(struct guard *guard, const struct store_allow *allow, int64_t now_s)
{
	if (guard->allows.count < GUARD_ALLOWS_MAX && (!allow->until_s || allow->until_s > now_s))
		add(guard, allow, now_s);
	else if (allow->until_s && guard->store)
		store_forget_allow(guard->store, &allow->ip);
}

bool guard_allowed(const struct guard *guard, size_t index, struct store_allow *ret_allow)
{
	if (index >= guard->allows.count)
		return false;
	*ret_allow = guard->allows.list[index];
	return true;
}

bool guard_allow_peek(struct guard *guard, int64_t now_s, struct ip *ret_ip, int64_t *ret_ttl_s,
	const char **ret_because)
{
	struct guard_allows *allows = &guard->allows;
	const struct store_allow *next;

	if (allows->sent == allows->count)
		return false;
	next = &allows->list[allows->sent];
	because_write(allows->because, next);
	*ret_ip = next->ip;
	*ret_ttl_s = 0;
	if (next->until_s)
		*ret_ttl_s = next->until_s > now_s ? next->until_s - now_s : 1;
	*ret_because = allows->because;
	return true;
}

void guard_allow_sent(struct guard *guard)
{
	if (guard->allows.sent < guard->allows.count)
		guard->allows.sent++;
}

void guard_allow_tick(struct guard *guard, int64_t now_s)
{
	struct guard_allows *allows = &guard->allows;
	char address[IP_TEXT_MAX];
	char text[128];
	bool any = false;

	for (size_t i = allows->count; i-- > 0;) {
		if (!allows->list[i].until_s || allows->list[i].until_s > now_s)
			continue;
		(void)snprintf(text, sizeof(text),
			"%s is no longer allowed by hand: its time is over",
			ip_format(&allows->list[i].ip, address)); /* fits */
		guard->events.note(guard->events.context, LOG_NOTICE, text);
		if (guard->store)
			store_forget_allow(guard->store, &allows->list[i].ip);
		remove_at(allows, i);
		any = true;
	}
	if (any)
		protect_again(guard);
}

void guard_allow_done(struct guard *guard)
{
	for (size_t i = 0; i < guard->allows.count; i++)
		note_free(&guard->allows.list[i]);
	free(guard->allows.list);
}
