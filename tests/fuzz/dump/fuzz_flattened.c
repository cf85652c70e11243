// SPDX-License-Identifier: GPL-2.0-only
#include "dump/flattened.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int out = -1;
	struct kvfs_err err = { 0 };
	uint64_t cut;
	int ret;

	if (out < 0)
		out = memfd_create("fuzz-out", MFD_CLOEXEC);
	fuzz_assert(out >= 0 && ftruncate(out, 0) == 0);
	if (size >= KVFS_FLATTENED_HEAD_LEN)
		kvfs_flattened_is(data);
	ret = kvfs_flattened_unfold(fuzz_file(data, size), "fuzz", size, out, &cut, NULL, NULL, &err);
	if (ret)
		fuzz_check_error(ret, &err);
	else
		fuzz_assert(cut == 0 || cut == size);
	return 0;
}
