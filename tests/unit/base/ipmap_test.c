#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ipmap.h"

enum { KEYS = 4096, STEPS = 400000, MANY = 1000000 };

static uint64_t random_state = 88172645463325252U;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static struct ip ip_numbered(uint32_t number)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	memcpy(bytes + 4, &number, sizeof(number));
	return ip_from_bytes(6, bytes);
}

static void keys_differ_by_every_part(void **state)
{
	static const struct {
		const char *text;
		uint32_t tag;
	} keys[] = {
		{ "192.0.2.1", 0 },
		{ "192.0.2.1", 1 },
		{ "192.0.2.2", 0 },
		{ "192.0.2.0/24", 0 },
		{ "192.0.2.0", 0 },
		{ "2001:db8::", 0 },
		{ "2001:db8::/64", 0 },
		{ "2001:db8::/48", 0 },
		{ "2001:db8::", 4294967295U },
	};
	enum { N = sizeof(keys) / sizeof(keys[0]) };
	struct ipmap *map = ipmap_new(N);
	struct ip ip;
	int values[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(ip_parse_prefix(keys[i].text, &ip, NULL), 0);
		assert_null(ipmap_get(map, &ip, keys[i].tag));
		assert_true(ipmap_put(map, &ip, keys[i].tag, &values[i]));
	}
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(ip_parse_prefix(keys[i].text, &ip, NULL), 0);
		assert_ptr_equal(ipmap_get(map, &ip, keys[i].tag), &values[i]);
	}
	assert_int_equal(ipmap_count(map), N);
	ipmap_free(map);
	ipmap_free(NULL);
}

static void cap_is_refused_and_replacing_is_not(void **state)
{
	struct ipmap *map = ipmap_new(2);
	struct ip ips[3] = { ip_numbered(0), ip_numbered(1), ip_numbered(2) };
	int values[3];

	(void)state;
	assert_true(ipmap_put(map, &ips[0], 0, &values[0]));
	assert_true(ipmap_put(map, &ips[1], 0, &values[1]));
	assert_false(ipmap_put(map, &ips[2], 0, &values[2]));
	assert_null(ipmap_get(map, &ips[2], 0));
	assert_true(ipmap_put(map, &ips[0], 0, &values[2]));
	assert_ptr_equal(ipmap_remove(map, &ips[0], 0), &values[2]);
	assert_null(ipmap_remove(map, &ips[0], 0));
	assert_true(ipmap_put(map, &ips[2], 0, &values[2]));
	assert_int_equal(ipmap_count(map), 2);
	ipmap_free(map);
}

static void random_steps_agree_with_an_array(void **state)
{
	static char model[KEYS]; /* 1 + the index into values, 0: absent */
	static char values[2];
	struct ipmap *map = ipmap_new(KEYS);
	size_t count = 0;

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		uint32_t key = random_next() % KEYS;
		unsigned act = random_next() % 3;
		struct ip ip = ip_numbered(key / 2);
		void *expected = model[key] ? &values[model[key] - 1] : NULL;

		assert_ptr_equal(ipmap_get(map, &ip, key % 2), expected);
		if (act == 2) {
			assert_ptr_equal(ipmap_remove(map, &ip, key % 2), expected);
			count -= expected != NULL;
			model[key] = 0;
			continue;
		}
		assert_true(ipmap_put(map, &ip, key % 2, &values[act]));
		count += expected == NULL;
		model[key] = (char)(act + 1);
		assert_int_equal(ipmap_count(map), count);
	}
	ipmap_free(map);
}

/* Every third entry is removed while it is the one just returned. */
static void next_visits_each_once_though_some_go(void **state)
{
	static uint8_t seen[KEYS];
	struct ipmap *map = ipmap_new(KEYS);
	size_t cursor = 0;
	size_t left = 0;
	uint8_t *at;

	(void)state;
	assert_null(ipmap_next(map, &cursor));
	for (uint32_t i = 0; i < KEYS; i++) {
		struct ip ip = ip_numbered(i);

		assert_true(ipmap_put(map, &ip, 7, &seen[i]));
	}
	cursor = 0;
	while ((at = ipmap_next(map, &cursor))) {
		struct ip ip = ip_numbered((uint32_t)(at - seen));

		++*at;
		if ((at - seen) % 3 == 0)
			assert_ptr_equal(ipmap_remove(map, &ip, 7), at);
	}
	assert_null(ipmap_next(map, &cursor));
	for (size_t i = 0; i < KEYS; i++)
		assert_int_equal(seen[i], 1);
	cursor = 0;
	while ((at = ipmap_next(map, &cursor))) {
		assert_int_not_equal((at - seen) % 3, 0);
		left++;
	}
	assert_int_equal(left, ipmap_count(map));
	ipmap_free(map);
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* No insert may pay for a whole table (doubling 1 M entries at once takes 77 ms): memory grows with
 * what comes, never by a multiple of what is there. */
static void no_insert_stalls(void **state)
{
	enum { STEP = 100, STEP_BYTES_MAX = 65536 };
	struct ipmap *map = ipmap_new(MANY);

	(void)state;
	for (uint32_t i = 0; i < MANY; i += STEP) {
		size_t before = heap_bytes();

		for (uint32_t j = i; j < i + STEP; j++) {
			struct ip ip = ip_numbered(j);

			assert_true(ipmap_put(map, &ip, 0, map));
		}
		assert_true(heap_bytes() <= before + STEP_BYTES_MAX);
	}
	assert_int_equal(ipmap_count(map), MANY);
	ipmap_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_differ_by_every_part),
		cmocka_unit_test(cap_is_refused_and_replacing_is_not),
		cmocka_unit_test(random_steps_agree_with_an_array),
		cmocka_unit_test(next_visits_each_once_though_some_go),
		cmocka_unit_test(no_insert_stalls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
