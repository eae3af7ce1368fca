#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "wire/nonces.h"

enum { START_S = 1000, NOW_S = START_S + NONCES_DOUBT_S };

#define NONCE "1796141025/d68d621e131a1d32d7c68446bcc6a41b"
#define OTHER "1796141026/651faf12b72a66966037307cd6edaa72"

static struct ip address(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, strlen(text), &ip), 0);
	return ip;
}

/* What was withdrawn, one after the other. */
static char withdrawn[512];

static void on_withdrawn(void *context, const struct ip *ip)
{
	char text[IP_TEXT_MAX];
	size_t used = strlen(withdrawn);

	assert_ptr_equal(context, withdrawn);
	(void)snprintf(withdrawn + used, sizeof(withdrawn) - used, "%s ", ip_format(ip, text));
}

static struct nonces *start(void)
{
	withdrawn[0] = '\0';
	return nonces_new(START_S, on_withdrawn, withdrawn);
}

static void seen(struct nonces *nonces, const char *to, const char *nonce, int64_t now_s)
{
	struct ip ip = address(to);

	nonces_seen(nonces, &ip, true, nonce, strlen(nonce), now_s);
	nonces_check(nonces);
}

static bool prove(struct nonces *nonces, const char *from, const char *challenge, int64_t now_s)
{
	struct ip ip = address(from);
	bool proven = nonces_prove(nonces, &ip, challenge, strlen(challenge), now_s);

	nonces_check(nonces);
	return proven;
}

static bool is_proven(struct nonces *nonces, const char *from, int64_t now_s)
{
	struct ip ip = address(from);

	return nonces_is_proven(nonces, &ip, now_s);
}

static void a_nonce_proves_whom_it_was_sent_to(void **state)
{
	struct nonces *nonces = start();

	(void)state;
	assert_false(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	seen(nonces, "192.0.2.1", NONCE, NOW_S);
	seen(nonces, "2001:db8::1", OTHER, NOW_S);
	assert_false(is_proven(nonces, "192.0.2.1", NOW_S));
	assert_false(prove(nonces, "192.0.2.2", NONCE, NOW_S));
	assert_false(prove(nonces, "192.0.2.1", OTHER, NOW_S));
	assert_false(prove(nonces, "2001:db8::2", OTHER, NOW_S)); /* the same /64 */
	assert_true(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	assert_true(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	assert_true(prove(nonces, "2001:db8::1", OTHER, NOW_S));
	assert_true(is_proven(nonces, "192.0.2.1", NOW_S));
	assert_false(is_proven(nonces, "192.0.2.2", NOW_S));
	assert_false(is_proven(nonces, "2001:db8::2", NOW_S));
	/* an answer that is repeated */
	seen(nonces, "192.0.2.1", NONCE, NOW_S + 1);
	assert_true(prove(nonces, "192.0.2.1", NONCE, NOW_S + 1));
	assert_string_equal(withdrawn, "");
	assert_int_equal(nonces_count(nonces), 2);
	assert_int_equal(nonces_proven_count(nonces), 2);
	nonces_free(nonces);
}

static void a_second_receiver_ends_it(void **state)
{
	struct nonces *nonces = start();

	(void)state;
	seen(nonces, "192.0.2.1", NONCE, NOW_S);
	seen(nonces, "203.0.113.9", NONCE, NOW_S);
	assert_false(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	assert_false(prove(nonces, "203.0.113.9", NONCE, NOW_S));
	seen(nonces, "192.0.2.1", NONCE, NOW_S); /* for ever */
	assert_false(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	assert_string_equal(withdrawn, "");

	seen(nonces, "192.0.2.1", OTHER, NOW_S);
	assert_true(prove(nonces, "192.0.2.1", OTHER, NOW_S));
	seen(nonces, "203.0.113.9", OTHER, NOW_S + 1);
	assert_string_equal(withdrawn, "192.0.2.1 ");
	assert_false(is_proven(nonces, "192.0.2.1", NOW_S + 1));
	assert_false(prove(nonces, "192.0.2.1", OTHER, NOW_S + 1));
	seen(nonces, "203.0.113.10", OTHER, NOW_S + 1);
	assert_string_equal(withdrawn, "192.0.2.1 ");
	nonces_free(nonces);
}

static void another_program_proves_nothing(void **state)
{
	struct nonces *nonces = start();
	struct ip victim = address("192.0.2.1");
	struct ip other = address("203.0.113.9");

	(void)state;
	nonces_seen(nonces, &victim, false, NONCE, strlen(NONCE), NOW_S);
	assert_false(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	seen(nonces, "192.0.2.1", NONCE, NOW_S);
	assert_false(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	seen(nonces, "192.0.2.1", OTHER, NOW_S);
	assert_true(prove(nonces, "192.0.2.1", OTHER, NOW_S));
	nonces_seen(nonces, &other, false, OTHER, strlen(OTHER), NOW_S);
	assert_string_equal(withdrawn, "192.0.2.1 ");
	nonces_free(nonces);
}

static void nonces_have_a_length(void **state)
{
	static const struct {
		size_t length;
		bool proves;
	} rows[] = { { 0, false }, { 8, false }, { NONCES_BYTES_MIN - 1, false },
		{ NONCES_BYTES_MIN, true }, { NONCES_BYTES_MAX, true },
		{ NONCES_BYTES_MAX + 1, false }, { 200, false } };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nonces *nonces = start();

		memset(text, 'x', rows[i].length);
		text[rows[i].length] = '\0';
		seen(nonces, "192.0.2.1", text, NOW_S);
		assert_int_equal(prove(nonces, "192.0.2.1", text, NOW_S), rows[i].proves);
		/* a part of it is another one */
		if (rows[i].length > NONCES_BYTES_MIN) {
			text[rows[i].length - 1] = '\0';
			assert_false(prove(nonces, "192.0.2.1", text, NOW_S));
		}
		nonces_free(nonces);
	}
}

static void time_passes(void **state)
{
	struct nonces *nonces = start();
	const int64_t last_s = NOW_S + NONCES_KEEP_S - 1;

	(void)state;
	seen(nonces, "192.0.2.1", NONCE, NOW_S);
	seen(nonces, "192.0.2.2", OTHER, NOW_S);
	assert_true(prove(nonces, "192.0.2.1", NONCE, last_s));
	seen(nonces, "192.0.2.2", OTHER, last_s);
	assert_false(prove(nonces, "192.0.2.1", NONCE, last_s + 1));
	assert_true(prove(nonces, "192.0.2.2", OTHER, last_s + 1));
	assert_true(is_proven(nonces, "192.0.2.1", last_s + NONCES_PROVEN_S - 1));
	assert_false(is_proven(nonces, "192.0.2.1", last_s + NONCES_PROVEN_S));
	assert_true(is_proven(nonces, "192.0.2.2", last_s + NONCES_PROVEN_S));
	/* a proof that has expired is withdrawn all the same: a ban may stand on it */
	seen(nonces, "192.0.2.3", OTHER, last_s + 100);
	assert_string_equal(withdrawn, "192.0.2.2 ");
	nonces_free(nonces);
}

static void a_start_is_doubtful(void **state)
{
	struct nonces *nonces = start();

	(void)state;
	/* the first copy may be that of a nonce that went elsewhere before */
	assert_false(nonces_can_prove(nonces, NOW_S - 1));
	seen(nonces, "192.0.2.1", NONCE, NOW_S - 1);
	assert_false(prove(nonces, "192.0.2.1", NONCE, NOW_S - 1));
	assert_true(nonces_can_prove(nonces, NOW_S));
	seen(nonces, "192.0.2.1", NONCE, NOW_S);
	assert_false(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	seen(nonces, "192.0.2.1", OTHER, NOW_S);
	assert_true(prove(nonces, "192.0.2.1", OTHER, NOW_S));
	nonces_free(nonces);
}

static void a_lost_copy_costs_proofs(void **state)
{
	struct nonces *nonces = start();
	const int64_t later_s = NOW_S + NONCES_DOUBT_S;

	(void)state;
	seen(nonces, "192.0.2.1", NONCE, NOW_S);
	assert_true(prove(nonces, "192.0.2.1", NONCE, NOW_S));
	seen(nonces, "192.0.2.2", OTHER, NOW_S + 1);
	assert_true(prove(nonces, "192.0.2.2", OTHER, NOW_S + 1));
	nonces_forget(nonces, later_s);
	nonces_check(nonces);
	/* the older of the two cannot have been in a copy that was lost now */
	assert_string_equal(withdrawn, "192.0.2.2 ");
	assert_true(is_proven(nonces, "192.0.2.1", later_s));
	assert_false(is_proven(nonces, "192.0.2.2", later_s));
	assert_int_equal(nonces_count(nonces), 0);
	assert_false(prove(nonces, "192.0.2.1", NONCE, later_s));
	seen(nonces, "192.0.2.1", NONCE, later_s + NONCES_DOUBT_S - 1);
	seen(nonces, "192.0.2.1", NONCE, later_s + NONCES_DOUBT_S);
	assert_false(prove(nonces, "192.0.2.1", NONCE, later_s + NONCES_DOUBT_S));
	nonces_free(nonces);
}

static void nonce_numbered(char text[64], unsigned number)
{
	(void)snprintf(text, 64, "1796141025/%032u", number);
}

static void too_many_nonces(void **state)
{
	struct nonces *nonces = start();
	struct ip ip = address("203.0.113.9");
	int64_t now_s = NOW_S;
	char text[64];

	(void)state;
	seen(nonces, "192.0.2.1", NONCE, now_s);
	assert_true(prove(nonces, "192.0.2.1", NONCE, now_s));
	for (unsigned i = 1; i < NONCES_MAX; i++) {
		nonce_numbered(text, i);
		nonces_seen(nonces, &ip, true, text, strlen(text), now_s);
	}
	assert_int_equal(nonces_count(nonces), NONCES_MAX);
	/* if the oldest can be repeated no more, it makes room, and else all are forgotten */
	now_s += NONCES_DOUBT_S;
	seen(nonces, "192.0.2.1", OTHER, now_s);
	assert_int_equal(nonces_count(nonces), NONCES_MAX);
	assert_false(prove(nonces, "192.0.2.1", NONCE, now_s));
	assert_true(prove(nonces, "192.0.2.1", OTHER, now_s));
	assert_string_equal(withdrawn, "");
	for (unsigned i = 1; i < NONCES_MAX; i++) {
		nonce_numbered(text, i);
		nonces_seen(nonces, &ip, true, text, strlen(text), now_s);
	}
	assert_int_equal(nonces_count(nonces), NONCES_MAX);
	seen(nonces, "192.0.2.1", NONCE, now_s + NONCES_DOUBT_S - 1);
	assert_int_equal(nonces_count(nonces), 1);
	assert_string_equal(withdrawn, "192.0.2.1 ");
	assert_false(prove(nonces, "192.0.2.1", NONCE, now_s + NONCES_DOUBT_S - 1));
	nonces_free(nonces);
}

static void too_many_proven(void **state)
{
	struct nonces *nonces = start();
	char text[64];

	(void)state;
	for (unsigned i = 0; i <= NONCES_PROVEN_MAX; i++) {
		const uint8_t bytes[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		struct ip ip = ip_from_bytes(4, bytes);

		nonce_numbered(text, i);
		nonces_seen(nonces, &ip, true, text, strlen(text), NOW_S);
		assert_true(nonces_prove(nonces, &ip, text, strlen(text), NOW_S));
		if (i == NONCES_PROVEN_MAX / 2)
			assert_true(prove(nonces, "10.0.0.0",
				"1796141025/00000000000000000000000000000000", NOW_S));
	}
	nonces_check(nonces);
	assert_int_equal(nonces_proven_count(nonces), NONCES_PROVEN_MAX);
	assert_true(is_proven(nonces, "10.0.0.0", NOW_S)); /* it has proven itself again */
	assert_false(is_proven(nonces, "10.0.0.1", NOW_S));
	assert_true(is_proven(nonces, "10.0.0.2", NOW_S));
	/* what was not kept is withdrawn all the same */
	seen(nonces, "192.0.2.1", "1796141025/00000000000000000000000000000001", NOW_S);
	assert_string_equal(withdrawn, "10.0.0.1 ");
	nonces_free(nonces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nonce_proves_whom_it_was_sent_to),
		cmocka_unit_test(a_second_receiver_ends_it),
		cmocka_unit_test(another_program_proves_nothing),
		cmocka_unit_test(nonces_have_a_length),
		cmocka_unit_test(time_passes),
		cmocka_unit_test(a_start_is_doubtful),
		cmocka_unit_test(a_lost_copy_costs_proofs),
		cmocka_unit_test(too_many_nonces),
		cmocka_unit_test(too_many_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
