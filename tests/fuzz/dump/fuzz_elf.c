// SPDX-License-Identifier: GPL-2.0-only
#include "dump/elf.h"
#include "fuzz_dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kvfs_dump_config config = { .nr_files = 1 };
	struct kvfs_dump_file file = { .name = "fuzz", .fd = dup(fuzz_file(data, size)), .len = size };
	struct kvfs_err err = { 0 };
	struct kvfs_dump *dump;
	int ret;

	fuzz_assert(file.fd >= 0);
	ret = kvfs_dump_elf.open(&file, 1, &config, &dump, &err);
	if (ret) {
		fuzz_check_error(ret, &err);
		close(file.fd);
		return 0;
	}
	fuzz_assert(file.fd == -1);
	fuzz_dump(dump, 64, 16);
	kvfs_dump_close(dump);
	return 0;
}
