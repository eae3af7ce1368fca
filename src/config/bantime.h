#ifndef VG_BANTIME_H
#define VG_BANTIME_H

struct config_jail;
struct config_reader;
struct key;
struct sheet;

/* Reads bantime.increment and the keys beside it: how bans of one address grow longer. fail2ban
 * takes Python expressions there; here bantime.factor may be arithmetic of numbers ("24*60"), and
 * bantime.formula one of the two formulas of fail2ban's jail.conf. */

/* Read and print these keys of a jail (config/key.h). They are read in the order bantime,
 * increment, multipliers, formula, maxtime. */
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
