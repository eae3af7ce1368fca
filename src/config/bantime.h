#ifndef VG_BANTIME_H
#define VG_BANTIME_H

struct config_jail;
struct config_reader;

enum { CONFIG_MULTIPLIERS_MAX = 100 };

/* Reads bantime.increment and its family into jail->increment, after bantime. Of fail2ban's Python
 * expressions arithmetic of numbers is known (factor), and the two formulas of its jail.conf. */
void config_increment_read(struct config_reader *reader, struct config_jail *jail);
void config_increment_done(struct config_jail *jail);

#endif
