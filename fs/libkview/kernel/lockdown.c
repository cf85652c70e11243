// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/lockdown.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"
#define TEXT_MAX 256	/* bytes; the kernel writes 34 */
#define UNKNOWN "unknown"

void kvfs_lockdown_parse(const char *text, size_t len, char *out, size_t out_len)
{
	const char *open = memchr(text, '[', len), *end = text + len, *p;

	for (p = open ? open + 1 : end; p < end && *p >= 'a' && *p <= 'z'; p++)
		;
	if (p < end && *p == ']' && p > open + 1 && (size_t)(p - open) <= out_len)
		snprintf(out, out_len, "%.*s", (int)(p - open - 1), open + 1);
	else
		snprintf(out, out_len, UNKNOWN);
}

void kvfs_lockdown_load(char *out, size_t out_len)
{
	_cleanup_close_ int fd = open(LOCKDOWN_PATH, O_RDONLY | O_CLOEXEC);
	char text[TEXT_MAX];
	ssize_t len = fd < 0 ? 0 : kvfs_io_pread(fd, text, sizeof(text), 0);

	kvfs_lockdown_parse(text, len < 0 ? 0 : (size_t)len, out, out_len);
}

bool kvfs_lockdown_is_confidential(void)
{
	char lockdown[32];

	kvfs_lockdown_load(lockdown, sizeof(lockdown));
	return strcmp(lockdown, "confidentiality") == 0;
}
