// SPDX-License-Identifier: GPL-2.0-only
/* Input: VMCOREINFO, a NUL, and the kernel's memory from BASE on. */
#include "fuzz.h"
#include "vmcore/printk.h"

#define BASE 0xffffffff81000000ULL

struct memory {
	const uint8_t *bytes;
	size_t len;
};

static int read_memory(void *arg, void *buf, size_t len, uint64_t vaddr)
{
	const struct memory *mem = arg;

	if (vaddr < BASE || vaddr - BASE > mem->len || len > mem->len - (vaddr - BASE))
		return -EFAULT;
	memcpy(buf, mem->bytes + (vaddr - BASE), len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 20];
	const uint8_t *end = memchr(data, 0, size);
	struct kvfs_vmcoreinfo info = { .text = (const char *)data };
	struct kvfs_err err = { 0 };
	struct memory mem;
	FILE *out;
	int ret;

	if (!end)
		return 0;
	info.len = (size_t)(end - data);
	mem = (struct memory) { end + 1, size - info.len - 1 };
	out = fmemopen(text, sizeof(text), "w");
	fuzz_assert(out);
	ret = kvfs_printk_decode(&info, read_memory, &mem, out, &err);
	if (ret)
		fuzz_check_error(ret, &err);
	fclose(out);
	return 0;
}
