// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/lockdown.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[33];

	for (size_t len = sizeof("unknown"); len < sizeof(out); len += 12) {
		memset(out, 'x', sizeof(out));
		kvfs_lockdown_parse((const char *)data, size, out, len);
		fuzz_assert(memchr(out, '\0', len) && out[len] == 'x');
		fuzz_assert(out[0] && strspn(out, "abcdefghijklmnopqrstuvwxyz") == strlen(out));
	}
	return 0;
}
