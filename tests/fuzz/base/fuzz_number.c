// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>

#include "base/number.h"
#include "fuzz.h"

/* What a number is, written in another way: 128 bits hold all products before they are too large. */
static size_t count_digits(const char *text, size_t len, unsigned int base, uint64_t max,
			   uint64_t *value, bool *fits)
{
	static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
	unsigned __int128 v = 0;
	size_t n = 0;

	*fits = true;
	for (; n < len; n++) {
		const char *at = text[n] ? strchr(digits, text[n]) : NULL;

		if (!at || (size_t)(at - digits) / 2 >= base)
			break;
		v = v * base + (size_t)(at - digits) / 2;
		if (v > max) {
			*fits = false;
			v = 0;
		}
	}
	*value = (uint64_t)v;
	return n;
}

/* The input is a base, a delimiter, the lowest byte and the shift of a limit, and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t value = 0, want, max;
	const char *text, *end, *p;
	unsigned int base;
	size_t len, n;
	bool fits;
	int ret;

	if (size < 4)
		return 0;
	base = data[0] & 1 ? 16 : 10;
	max = data[2] ? UINT64_MAX >> (data[2] % 64) : data[3];
	text = (const char *)data + 4;
	len = size - 4;
	end = text + len;
	n = count_digits(text, len, base, max, &want, &fits);

	p = text;
	ret = kvfs_number_take(&p, end, base, max, &value);
	fuzz_assert(p == text + n);
	fuzz_assert(ret == (n == 0 ? -EINVAL : fits ? 0 : -ERANGE));
	fuzz_assert(ret || value == want);

	p = text;
	ret = kvfs_number_take_until(&p, end, base, (char)data[1], max, &value);
	if (n == 0 || (n == len ? data[1] != 0 : text[n] != (char)data[1]))
		fuzz_assert(ret == -EINVAL && p == text);
	else if (!fits)
		fuzz_assert(ret == -ERANGE && p == text);
	else
		fuzz_assert(ret == 0 && value == want && p == text + n + (n < len));

	ret = kvfs_number_parse(text, len, base, max, &value);
	fuzz_assert(ret == (n == 0 || n < len ? -EINVAL : fits ? 0 : -ERANGE));
	fuzz_assert(ret || value == want);
	return 0;
}
