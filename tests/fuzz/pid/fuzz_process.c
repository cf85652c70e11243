// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz.h"
#include "pid/process.h"

/* The input is a line of /proc/N/stat, and the name of a directory in /proc. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), again[16];
	uint64_t ticks;
	pid_t pid;
	int ret;

	fuzz_assert(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	ret = kvfs_process_parse_start(text, &ticks);
	fuzz_assert(ret == 0 || ret == -EINVAL);
	pid = kvfs_process_parse_pid(text);
	fuzz_assert(pid > 0 || pid == -ENOENT);
	snprintf(again, sizeof(again), "%d", pid);
	fuzz_assert(pid < 0 || strcmp(text, again) == 0);
	free(text);
	return 0;
}
