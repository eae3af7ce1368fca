#include "base/host_name.h"

#include "base/ascii.h"

bool host_name_is_valid(const char *text, size_t length)
{
	size_t label = 0;      /* bytes of the label so far */
	bool is_number = true; /* the label has only digits so far */

	if (length && text[length - 1] == '.')
		length--;
	if (length > HOST_NAME_BYTES_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool is_dot = text[i] == '.';
		bool is_in_label = ascii_is_word(text[i]) || (text[i] == '-' && label);

		if (is_dot ? !label : !is_in_label || label == HOST_NAME_LABEL_BYTES_MAX)
			return false;
		label = is_dot ? 0 : label + 1;
		is_number = is_dot || (is_number && ascii_is_digit(text[i]));
	}
	return label && !is_number;
}
