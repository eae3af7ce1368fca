#include "base/ascii.h"

bool ascii_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool ascii_is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool ascii_is_word(char byte)
{
	return ascii_is_letter(byte) || ascii_is_digit(byte) || byte == '_';
}

char ascii_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

char *ascii_lower_string(char *text)
{
	for (char *byte = text; *byte; byte++)
		*byte = ascii_lower(*byte);
	return text;
}
