// SPDX-License-Identifier: GPL-2.0-only
#include "kview-pages/xml.h"

#include "unit.h"

/* Asserts what text, in memory that ends with its NUL, is written as. */
static void check_put(const char *text, const char *expected)
{
	char *copy = strdup(text), *written;
	size_t len;
	FILE *out = open_memstream(&written, &len);

	ck_assert(copy && out);
	xml_put(out, copy);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(written, expected);
	free(written);
	free(copy);
}

START_TEST(test_markup)
{
	check_put("", "");
	check_put("/usr/lib/libc.so.6", "/usr/lib/libc.so.6");
	check_put("<a href=\"x\">&amp;'</a>", "&lt;a href=&quot;x&quot;&gt;&amp;amp;&#39;&lt;/a&gt;");
	check_put("]]>", "]]&gt;");
}
END_TEST

START_TEST(test_controls)
{
	check_put("a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd");
	check_put("\x01\x1b\x7f", "\\x01\\x1b\\x7f");
	check_put("\xc2\x85", "\\xc2\\x85");
}
END_TEST

START_TEST(test_utf8)
{
	check_put("\xc2\xa0\xc3\xa9\xe2\x82\xac\xef\xbf\xbd\xf0\x9f\x90\xa7\xf4\x8f\xbf\xbf",
		  "\xc2\xa0\xc3\xa9\xe2\x82\xac\xef\xbf\xbd\xf0\x9f\x90\xa7\xf4\x8f\xbf\xbf");
	check_put("\x80z", "\\x80z");				/* continues nothing */
	check_put("\xc0\xaf", "\\xc0\\xaf");			/* too long forms of "/" */
	check_put("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	check_put("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf");
	check_put("\xe0\x82\xa9", "\\xe0\\x82\\xa9");		/* of U+00A9 and U+20AC */
	check_put("\xf0\x82\x82\xac", "\\xf0\\x82\\x82\\xac");
	check_put("\xed\xa0\x80", "\\xed\\xa0\\x80");		/* a surrogate */
	check_put("\xef\xbf\xbe", "\\xef\\xbf\\xbe");		/* U+FFFE and U+FFFF */
	check_put("\xef\xbf\xbf", "\\xef\\xbf\\xbf");
	check_put("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");	/* U+110000 */
	check_put("\xff<", "\\xff&lt;");
	check_put("\xe2\x82<", "\\xe2\\x82&lt;");		/* cut short by another character */
	check_put("\xf0\x9f\x90", "\\xf0\\x9f\\x90");		/* cut short by the end */
}
END_TEST

UNIT_MAIN("xml", test_markup, test_controls, test_utf8)
