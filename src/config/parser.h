#ifndef VG_PARSER_H
#define VG_PARSER_H

struct config_filter;
struct config_reader;
struct filter_def;

/* Of a def that has been read: an error if its parser is none. With one, keys that have no meaning
 * are warned of where the jail (NULL: none), the call of the filter or the filter's own files set
 * them; what [DEFAULT] says is for other jails, what an include says for other filters. */
void config_parser_check(struct config_filter *filter, const struct config_reader *jail,
	const struct filter_def *def);

#endif
