#ifndef VG_BANTIME_H
#define VG_BANTIME_H

struct config_jail;
struct config_reader;
struct key;
struct sheet;

/* bantime.increment and its family: how bans of one address grow. Of fail2ban's Python expressions
 * arithmetic of numbers is known (bantime.factor), and the two formulas of its jail.conf. */

/* For rows of the jail's keys (config/key.h), in the order bantime, increment, multipliers,
 * formula, maxtime. */
void bantime_read_factor(struct config_reader *reader, const struct key *key, void *base);
void bantime_read_multipliers(struct config_reader *reader, const struct key *key, void *base);
void bantime_read_formula(struct config_reader *reader, const struct key *key, void *base);
void bantime_read_maxtime(struct config_reader *reader, const struct key *key, void *base);
void bantime_print_increment(struct sheet *sheet, const struct key *key, const void *base);
void bantime_print_factor(struct sheet *sheet, const struct key *key, const void *base);
void bantime_print_multipliers(struct sheet *sheet, const struct key *key, const void *base);
void bantime_print_formula(struct sheet *sheet, const struct key *key, const void *base);
void bantime_print_overalljails(struct sheet *sheet, const struct key *key, const void *base);
void bantime_done(struct config_jail *jail);

#endif
