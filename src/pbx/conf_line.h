#ifndef VG_CONF_LINE_H
#define VG_CONF_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* One line of conf.h's language. */

enum conf_line_kind {
	CONF_LINE_NONE,    /* blank, a comment, or nothing that Asterisk would read */
	CONF_LINE_SECTION, /* name; value: what stands in the parentheses, or "" */
	CONF_LINE_SETTING, /* name, value; appends: it is += */
	CONF_LINE_COMMAND, /* name: what stands behind #; value: its argument, without quotes, or ""
			    */
};

/* name and value point into the line. */
struct conf_line {
	enum conf_line_kind kind;
	char *name;
	char *value;
	bool appends;
};

/* Takes the comments out of the line, in place. *depth is how many comments over lines are open
 * before it, and then behind it. */
void conf_line_strip(char *line, unsigned *depth);
/* Takes apart a line without comments, which it changes. */
struct conf_line conf_line_read(char *line);

/* Cuts the next word that ends at the separator off *rest, without the blanks around it; NULL:
 * there is none left. */
char *conf_line_word(char **rest, char separator);

#endif
