// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/vmcoreinfo.h"

#include <errno.h>
#include <string.h>

#include "base/number.h"

bool kvfs_vmcoreinfo_get(const struct kvfs_vmcoreinfo *info, const char *key, const char **val,
			 size_t *len)
{
	const char *line = info->text;
	const char *end = info->text + info->len;
	size_t key_len = strlen(key);
	bool found = false;

	while (line < end) {
		const char *eol = memchr(line, '\n', (size_t)(end - line));

		if (!eol)
			eol = end;
		if ((size_t)(eol - line) > key_len && line[key_len] == '=' &&
		    memcmp(line, key, key_len) == 0) {
			*val = line + key_len + 1;
			*len = (size_t)(eol - *val);
			found = true;
		}
		line = eol < end ? eol + 1 : end;
	}
	return found;
}

static int parse_digits(const char *s, size_t len, unsigned int base, uint64_t *out)
{
	return kvfs_number_parse(s, len, base, UINT64_MAX, out) < 0 ? -EBADMSG : 0;
}

int kvfs_vmcoreinfo_hex(const struct kvfs_vmcoreinfo *info, const char *key, uint64_t *out)
{
	const char *val;
	size_t len;

	if (!kvfs_vmcoreinfo_get(info, key, &val, &len))
		return -ENOENT;
	if (len > 2 && val[0] == '0' && (val[1] == 'x' || val[1] == 'X')) {
		val += 2;
		len -= 2;
	}
	return parse_digits(val, len, 16, out);
}

int kvfs_vmcoreinfo_dec(const struct kvfs_vmcoreinfo *info, const char *key, uint64_t *out)
{
	const char *val;
	uint64_t value;
	size_t len;
	int ret;

	if (!kvfs_vmcoreinfo_get(info, key, &val, &len))
		return -ENOENT;
	if (len == 0 || val[0] != '-')
		return parse_digits(val, len, 10, out);
	ret = parse_digits(val + 1, len - 1, 10, &value);
	if (ret < 0)
		return ret;
	if (value > (uint64_t)INT64_MAX + 1)
		return -EBADMSG;
	*out = 0 - value;
	return 0;
}
