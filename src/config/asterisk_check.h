#ifndef VG_ASTERISK_CHECK_H
#define VG_ASTERISK_CHECK_H

struct config;
struct findings;

/* Warnings for `check` about enabled jails that ban by Asterisk's log: plain rules where only the
 * structured reader is sound, rules that its text cannot match, and one channel that is followed in
 * two files, so that an attempt counts twice. For the last the ends of the logs are read; one that
 * is not there or not readable is no finding. */
void asterisk_check(const struct config *config, struct findings *findings);

#endif
