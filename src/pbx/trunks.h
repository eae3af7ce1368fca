#ifndef VG_TRUNKS_H
#define VG_TRUNKS_H

#include "pbx/pbx.h"

struct conf;
struct sources;

/* The trunks in what was read. Each of these adds to pbx->trunks; what names nobody (a wildcard, a
 * loopback address, a value that refers to another) is left out. Networks that are too wide to be a
 * trunk are counted in *n_wide, and *first_wide says where the first is. */
struct trunks {
	struct pbx *pbx;         /* borrowed */
	struct sources *sources; /* borrowed */
	size_t n_hosts;          /* looked at so far, the same one again too */
	size_t n_wide;
	size_t n_left_out; /* beyond PBX_TRUNKS_MAX and PBX_HOSTS_MAX */
	struct position first_wide;
	struct ip wide; /* that first one */
};

/* pjsip.conf and pjsip_wizard.conf */
void trunks_of_pjsip(struct trunks *trunks, const struct conf *conf);
/* sip.conf and iax.conf, whose peers have the same keys */
void trunks_of_peers(struct trunks *trunks, const struct conf *conf);
/* Warns of what was left out. */
void trunks_warn(const struct trunks *trunks);

#endif
