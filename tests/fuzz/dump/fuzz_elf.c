// SPDX-License-Identifier: GPL-2.0-only
#include "dump/dump.h"
#include "fuzz_dump.h"

/* The other provider is fuzz_kdumpset's affair. */
int kvfs_dump_kdump_open(const int *fds, const struct kvfs_dump_config *config,
			 struct kvfs_dump **out, struct kvfs_err *err)
{
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = dup(fuzz_file(data, size));
	struct kvfs_err err = { 0 };
	struct kvfs_dump *dump;
	int ret;

	fuzz_assert(fd >= 0);
	ret = kvfs_dump_elf_open(fd, "fuzz", size, &dump, &err);
	if (ret) {
		fuzz_check_error(ret, &err);
		close(fd);
		return 0;
	}
	fuzz_dump(dump, 64, 16);
	kvfs_dump_close(dump);
	return 0;
}
