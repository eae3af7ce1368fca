/* Addresses and prefixes: what is read is written so that it is read alike. Input: two lines. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ip.h"

static void ip_check(const struct ip *ip)
{
	char text[IP_TEXT_MAX];
	struct error err;
	struct ip again;
	struct ip masked;

	fuzz_need(ip->family == 4 || ip->family == 6, "a family");
	fuzz_need(ip->bits <= (ip->family == 4 ? 32 : 128), "a length");
	masked = ip_mask(ip, ip->bits);
	fuzz_need(ip_equal(&masked, ip), "no bits behind the prefix");
	for (size_t i = ip->family == 4 ? 4 : 16; i < 16; i++)
		fuzz_need(!ip->bytes[i], "no bytes behind the family's");
	fuzz_need(ip_is_canonical(ip), "one spelling");
	fuzz_need(ip_format(ip, text) == text && strlen(text) < IP_TEXT_MAX, "fits");
	fuzz_need(ip_parse_prefix(text, &again, &err) == 0, "reads what it writes");
	fuzz_need(ip_equal(&again, ip), "reads it alike");
	fuzz_need(ip_contains(ip, ip) && ip_overlaps(ip, ip), "is in itself");
	fuzz_need(ip_is_host(ip) == (ip->bits == (ip->family == 4 ? 32 : 128)), "a host");
	(void)ip_is_special(ip);
	if (ip->bits) {
		masked = ip_mask(ip, ip->bits / 2);
		fuzz_need(ip_contains(&masked, ip) && ip_overlaps(ip, &masked), "a wider one");
		fuzz_need(ip_overlaps(&masked, ip), "the same the other way round");
	}
}

static bool ip_of(struct fuzz_input *input, struct ip *ret_ip)
{
	struct fuzz_input same = *input;
	struct error err = { "" };
	size_t length;
	char *piece = fuzz_piece(input, '\n', &length);
	char *text = fuzz_text(&same, '\n');
	bool found;

	found = ip_parse(piece, length, ret_ip) == 0;
	if (found) {
		ip_check(ret_ip);
		fuzz_need(ip_is_host(ret_ip), "one address");
	}
	if (ip_parse_prefix(text, ret_ip, &err) == 0) {
		ip_check(ret_ip);
		found = true;
	} else {
		fuzz_need(err.text[0], "says why");
		fuzz_need_shown(err.text);
	}
	free(piece);
	free(text);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	struct ip first;
	struct ip second;

	if (!ip_of(&input, &first) || !ip_of(&input, &second))
		return 0;
	fuzz_need(ip_overlaps(&first, &second) == ip_overlaps(&second, &first), "symmetry");
	fuzz_need(ip_overlaps(&first, &second) ==
			  (ip_contains(&first, &second) || ip_contains(&second, &first)),
		"prefixes overlap where one holds the other");
	return 0;
}
