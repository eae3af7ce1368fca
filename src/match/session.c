#include "match/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "match/filter.h"

struct text {
	char *bytes; /* owned; NULL: not known */
	size_t length;
};

struct session {
	struct text id;
	int64_t until_s;
	struct text values[GROUPS_MAX];
	struct text user;      /* the first one that was named */
	bool several_users;    /* a different one was named later */
	bool owes;             /* it had a failure whose address was not known */
	unsigned lines;        /* lines that tell of its failures */
	unsigned nofail_lines; /* lines that will tell of the next failure */
};

struct sessions {
	struct session *list[SESSIONS_MAX]; /* owned; in order of their opening */
	size_t count;
	/* The session of the last line, listed or not: the caller is still reading its values. */
	struct session *last;
	bool last_is_listed;
};

struct sessions *sessions_new(void)
{
	return alloc_zero(sizeof(struct sessions));
}

static void text_set(struct text *text, const char *bytes, size_t length)
{
	free(text->bytes);
	text->length = length < HIT_TEXT_MAX ? length : HIT_TEXT_MAX;
	text->bytes = bytes ? alloc_bytes(bytes, text->length) : NULL;
}

static void session_free(struct session *session)
{
	if (!session)
		return;
	free(session->id.bytes);
	for (size_t i = 0; i < GROUPS_MAX; i++)
		free(session->values[i].bytes);
	free(session->user.bytes);
	free(session);
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	for (size_t i = 0; i < sessions->count; i++)
		session_free(sessions->list[i]);
	if (!sessions->last_is_listed)
		session_free(sessions->last);
	free(sessions);
}

static void sessions_remove(struct sessions *sessions, size_t index)
{
	sessions->count--;
	memmove(&sessions->list[index], &sessions->list[index + 1],
		(sessions->count - index) * sizeof(*sessions->list));
}

/* The index of the session called id; sessions->count: there is none, or it has ended. */
static size_t sessions_find(struct sessions *sessions, const struct group_value *id, int64_t at_s)
{
	size_t i = 0;

	for (; i < sessions->count; i++)
		if (sessions->list[i]->id.length == id->length &&
			!memcmp(sessions->list[i]->id.bytes, id->text, id->length))
			break;
	if (i == sessions->count || sessions->list[i]->until_s > at_s)
		return i;
	session_free(sessions->list[i]);
	sessions_remove(sessions, i);
	return sessions->count;
}

/* Makes room for one more session: removes the oldest, and those behind it that have ended
 * anyway. */
static void sessions_make_room(struct sessions *sessions, int64_t at_s)
{
	bool is_over = true;

	if (sessions->count < SESSIONS_MAX)
		return;
	while (sessions->count && is_over) {
		is_over = sessions->list[0]->until_s <= at_s;
		session_free(sessions->list[0]);
		sessions_remove(sessions, 0);
	}
}

static bool is_filled(const struct groups *groups, enum group group)
{
	return groups->values[group].length > 0;
}

/* Removes a value. True: the session had it. */
static bool value_take(struct session *session, enum group group)
{
	bool was_filled = session->values[group].length > 0;

	text_set(&session->values[group], NULL, 0);
	return was_filled;
}

static void user_note(struct session *session, const struct group_value *user)
{
	size_t length = user->length < HIT_TEXT_MAX ? user->length : HIT_TEXT_MAX;

	if (!length)
		return;
	if (!session->user.length)
		text_set(&session->user, user->text, length);
	else if (session->user.length != length ||
		 memcmp(session->user.bytes, user->text, length) != 0)
		session->several_users = true;
}

/* Takes over what the line says, even that a value is empty. Values that the line does not mention
 * stay. */
static void values_update(struct session *session, const struct groups *groups)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		if (groups->values[i].text && i != GROUP_MLFFORGET)
			text_set(&session->values[i], groups->values[i].text,
				groups->values[i].length);
}

static void values_read(const struct session *session, struct groups *groups)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		groups->values[i] = (struct group_value){
			.text = session->values[i].bytes,
			.length = session->values[i].length,
			.is_named = groups->values[i].is_named || session->values[i].bytes,
		};
}

/* The next line of a session that is known: what held for the line before only goes. */
static void session_continue(struct session *session, const struct groups *groups, unsigned user)
{
	bool was_nofail = value_take(session, GROUP_NOFAIL);

	user_note(session, &groups->values[user]);
	was_nofail = value_take(session, GROUP_MLFGAINED) || was_nofail;
	if (is_filled(groups, GROUP_MLFGAINED))
		session->owes = false;
	if (!was_nofail && !session->owes) /* its lines have been told with a failure */
		session->lines = 0;
	values_update(session, groups);
}

/* Returns the session of the line, a new one if there is none yet. */
static struct session *session_get(struct sessions *sessions, const struct groups *groups,
	unsigned user, int64_t at_s)
{
	const struct group_value *id = &groups->values[GROUP_MLFID];
	bool forgets = is_filled(groups, GROUP_MLFFORGET);
	size_t index = sessions_find(sessions, id, at_s);
	struct session *session;

	sessions->last_is_listed = !forgets;
	if (index < sessions->count) {
		session = sessions->list[index];
		session_continue(session, groups, user);
		if (forgets)
			sessions_remove(sessions, index);
		return session;
	}
	session = alloc_zero(sizeof(*session));
	values_update(session, groups);
	sessions->last_is_listed = !forgets && id->length <= SESSION_ID_MAX;
	if (!forgets)
		user_note(session, &groups->values[user]);
	if (!sessions->last_is_listed)
		return session;
	session->id.bytes = alloc_bytes(id->text, id->length);
	session->id.length = id->length;
	session->until_s = at_s + SESSION_S;
	sessions_make_room(sessions, at_s);
	sessions->list[sessions->count++] = session;
	return session;
}

bool session_merge(struct sessions *sessions, struct groups *groups, unsigned user,
	unsigned n_lines, int64_t at_s, unsigned *ret_lines)
{
	bool gains = is_filled(groups, GROUP_MLFGAINED);
	bool fails = !gains && !is_filled(groups, GROUP_NOFAIL);
	bool forgets = is_filled(groups, GROUP_MLFFORGET);
	struct session *session;

	if (!sessions->last_is_listed)
		session_free(sessions->last);
	sessions->last = NULL;
	session = session_get(sessions, groups, user, at_s);
	sessions->last = session;
	if (session->owes || session->several_users) {
		(void)value_take(session, GROUP_NOFAIL);
		(void)value_take(session, GROUP_MLFGAINED);
		session->owes = false;
		fails = true;
	} else if (gains && !session->values[GROUP_NOFAIL].length) {
		text_set(&session->values[GROUP_NOFAIL], session->values[GROUP_MLFGAINED].bytes,
			session->values[GROUP_MLFGAINED].length);
	}
	if (fails) {
		session->lines += session->nofail_lines + n_lines;
		session->nofail_lines = 0;
	} else if (!forgets) {
		session->nofail_lines += n_lines;
	}
	values_read(session, groups);
	*ret_lines = session->lines;
	return fails;
}

void session_owe(struct sessions *sessions)
{
	if (sessions->last)
		sessions->last->owes = true;
}
