// SPDX-License-Identifier: GPL-2.0-only
/* Input: an address, then physical memory from 0 on, with the page tables at its start. */
#include <elf.h>

#include "fuzz.h"
#include "kernel/virt.h"

struct memory {
	const uint8_t *bytes;
	size_t len;
};

static int read_memory(void *arg, void *buf, size_t len, uint64_t paddr)
{
	const struct memory *mem = arg;

	if (paddr > mem->len || len > mem->len - paddr)
		return -EIO;
	memcpy(buf, mem->bytes + paddr, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const texts[] = {
		"SYMBOL(swapper_pg_dir)=ffffffff80000000\nNUMBER(phys_base)=0\n",
		"SYMBOL(swapper_pg_dir)=ffffffff80000000\nNUMBER(phys_base)=0\nNUMBER(pgtable_l5_enabled)=1\n",
	};
	uint64_t vaddr, paddr, len;
	struct memory mem;

	if (size < sizeof(vaddr))
		return 0;
	memcpy(&vaddr, data, sizeof(vaddr));
	mem = (struct memory) { data + sizeof(vaddr), size - sizeof(vaddr) };
	for (size_t i = 0; i < 2; i++) {
		const struct kvfs_vmcoreinfo info = { texts[i], strlen(texts[i]) };
		struct kvfs_virt kmem;
		struct kvfs_err err = { 0 };
		char buf[64];

		fuzz_assert(kvfs_virt_init(&kmem, &info, EM_X86_64, NULL, 0, read_memory, &mem, &err) == 0);
		if (kvfs_virt_translate(&kmem, vaddr, &paddr, &len) == 0)
			fuzz_assert(len >= 1 && len <= 1ULL << 30 && (vaddr & 0xfff) == (paddr & 0xfff));
		kvfs_virt_read(&kmem, buf, sizeof(buf), vaddr);
		if (kvfs_pagewalk_first(&kmem.walk, 0xffff888000000000, &vaddr, &paddr) == 0)
			fuzz_assert(vaddr >= 0xffff888000000000);
	}
	return 0;
}
