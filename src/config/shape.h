#ifndef VG_SHAPE_H
#define VG_SHAPE_H

#include <stdbool.h>

/* Can somebody whose text a daemon logs, a user name say, choose the address that a rule finds?
 * Seen in the rule's text alone, so two shapes only are told, both of which let such a text stand
 * for what the daemon writes:
 *
 *   CONFIG_SHAPE_ANYWHERE   "refused <HOST>": neither ^ in front nor $ behind the address. A
 *                           client named "refused 192.0.2.1" is enough. ^.* in front is no ^,
 *                           .*$ behind is no $.
 *   CONFIG_SHAPE_RUNS_OVER  "^login of .* from <HOST>": the daemon's words, then .* .+ \S+ or the
 *                           like, then the address, and no $. .*? takes the first " from ", that
 *                           of the name; .* takes the last, which is somebody else's as soon as
 *                           the daemon writes more behind the address.
 *
 * Not told: "^login of .* from <HOST>$" and "from <HOST>( port \d+)?$", in which the address is
 * the last thing and what a client says stands before it; "^<HOST> ", before which nothing
 * stands; "^refused '[^']*' at <HOST>", whose text ends at a mark that daemons escape;
 * "^\S+ \S+ daemon: " in front of the first word, which is the prefix of a log. */
enum config_shape { CONFIG_SHAPE_FIXED, CONFIG_SHAPE_ANYWHERE, CONFIG_SHAPE_RUNS_OVER };

/* The worst of the rule's alternatives. starts: what the rule looks at begins where the daemon
 * begins, so that its ^ means something. A rule without an address, one that is no failure
 * (F-NOFAIL, F-MLFFORGET, F-MLFGAINED) or that nests deeper than 32 is CONFIG_SHAPE_FIXED. */
enum config_shape config_shape_of(const char *rule, bool starts);
/* What a prefregex hands on begins at a fixed place of the line. */
bool config_shape_starts(const char *prefregex);

#endif
