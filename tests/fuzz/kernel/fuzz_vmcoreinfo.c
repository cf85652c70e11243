// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz.h"
#include "kernel/vmcoreinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {
		"SYMBOL(prb)", "NUMBER(phys_base)", "KERNELOFFSET", "PAGESIZE", "SIZE(printk_info)", "",
	};
	const struct kvfs_vmcoreinfo info = { .text = (const char *)data, .len = size };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		uint64_t hex = 1, dec = 1;
		const char *val;
		size_t len;
		bool found = kvfs_vmcoreinfo_get(&info, keys[i], &val, &len);
		int hex_ret = kvfs_vmcoreinfo_hex(&info, keys[i], &hex);
		int dec_ret = kvfs_vmcoreinfo_dec(&info, keys[i], &dec);

		fuzz_assert(found == (hex_ret != -ENOENT) && found == (dec_ret != -ENOENT));
		fuzz_assert(hex_ret == 0 || hex == 1);
		fuzz_assert(dec_ret == 0 || dec == 1);
		if (found)
			fuzz_assert(val > info.text && val + len <= info.text + info.len && !memchr(val, '\n', len));
	}
	return 0;
}
