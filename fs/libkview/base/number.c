// SPDX-License-Identifier: GPL-2.0-only
#include "base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/checked.h"

#define NO_DIGIT 16

/* The value of a digit; NO_DIGIT for any other character. Unlike isxdigit(), not by locale. */
static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return NO_DIGIT;
}

int kvfs_number_take(const char **p, const char *end, unsigned int base, uint64_t max,
		     uint64_t *out)
{
	const char *s = *p;
	uint64_t value = 0;
	bool fits = true;

	for (; s < end; s++) {
		unsigned int digit = digit_of(*s);

		if (digit >= base)
			break;
		fits = fits && kvfs_mul_u64(value, base, &value) && kvfs_add_u64(value, digit, &value);
	}
	if (s == *p)
		return -EINVAL;
	*p = s;
	if (!fits || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int kvfs_number_take_until(const char **p, const char *end, unsigned int base, char delimiter,
			   uint64_t max, uint64_t *out)
{
	const char *s = *p;
	uint64_t value;
	int ret = kvfs_number_take(&s, end, base, max, &value);

	if (ret == -EINVAL)
		return ret;
	if (s == end ? delimiter != '\0' : *s != delimiter)
		return -EINVAL;
	if (ret < 0)
		return ret;
	*p = s < end ? s + 1 : s;
	*out = value;
	return 0;
}

int kvfs_number_parse(const char *text, size_t len, unsigned int base, uint64_t max,
		      uint64_t *out)
{
	const char *p = text, *end = text + len;
	uint64_t value;
	int ret = kvfs_number_take(&p, end, base, max, &value);

	if (ret == -EINVAL || p != end)
		return -EINVAL;
	if (ret == 0)
		*out = value;
	return ret;
}

int kvfs_number_parse_name(const char *name, const char *prefix, uint64_t max, uint64_t *out)
{
	size_t prefix_len = strlen(prefix);
	const char *digits = name + prefix_len;

	if (strncmp(name, prefix, prefix_len) != 0)
		return -EINVAL;
	if (digits[0] == '0' && digits[1] != '\0')
		return -EINVAL;
	return kvfs_number_parse(digits, strlen(digits), 10, max, out);
}
