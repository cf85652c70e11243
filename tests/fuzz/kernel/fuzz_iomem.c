// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz.h"
#include "kernel/iomem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvfs_iomem iomem = { 0 };
	struct kvfs_err err = { 0 };
	int ret = kvfs_iomem_parse((const char *)data, size, &iomem, &err);

	if (ret) {
		fuzz_check_error(ret, &err);
		fuzz_assert(!iomem.ram);
		return 0;
	}
	for (size_t i = 0; i < iomem.nr_ram; i++) {
		fuzz_assert(iomem.ram[i].start < iomem.ram[i].end);
		fuzz_assert(!(iomem.ram[i].start % 4096) && !(iomem.ram[i].end % 4096));
		fuzz_assert(!i || iomem.ram[i].start >= iomem.ram[i - 1].end);
	}
	fuzz_assert(iomem.kernel.start <= iomem.kernel.end);
	kvfs_iomem_deinit(&iomem);
	return 0;
}
