// SPDX-License-Identifier: GPL-2.0-only
#include "kview-pages/xml.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Returns the length of the character of UTF-8 at s, or 0 if there is none that XML allows: too
 * long a form, a surrogate, U+FFFE, U+FFFF, above U+10FFFF, or a control character. The NUL that
 * ends s continues no character, so it is never passed.
 */
static size_t char_len(const unsigned char *s)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;
	uint32_t c;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc0 && s[0] < 0xe0)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf8)
		len = 4;
	else
		return 0;
	c = s[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < lowest[len] || c < 0xa0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff)
		return 0;
	return len;
}

/* Returns what stands for a character that is markup, or NULL. */
static const char *entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void xml_put(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t len = char_len(s);

		if (!len)
			fprintf(out, "\\x%02x", *s);
		else if (entity(*s))
			fputs(entity(*s), out);
		else
			fwrite(s, 1, len, out);
		s += len ? len : 1;
	}
}
