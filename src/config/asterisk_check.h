#ifndef VG_ASTERISK_CHECK_H
#define VG_ASTERISK_CHECK_H

struct config;
struct findings;

/* Adds the warnings of `check` about enabled jails that ban by Asterisk's log: plain rules where
 * only the structured reader cannot be fooled; rules that cannot match what Asterisk writes; one
 * log channel that is followed in two files, so that each attempt counts twice. For the last one it
 * reads the ends of the logs; a log that does not exist or cannot be read is no finding. */
void asterisk_check(const struct config *config, struct findings *findings);

#endif
