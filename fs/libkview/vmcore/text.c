// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf/notes.h"
#include "kernel/virt.h"
#include "vmcore/printk.h"
#include "vmcore/prstatus.h"

int kvfs_vmcore_text_vmcoreinfo(struct kvfs_dump *dump, char **text, size_t *len,
				struct kvfs_err *err)
{
	if (!dump->vmcoreinfo)
		return kvfs_err_set(err, ENODATA, "the dump has no VMCOREINFO note");
	*text = malloc(dump->vmcoreinfo_len + 1);
	if (!*text)
		return kvfs_err_sys(err, ENOMEM, "VMCOREINFO");
	memcpy(*text, dump->vmcoreinfo, dump->vmcoreinfo_len);
	*len = dump->vmcoreinfo_len;
	return 0;
}

static int read_virt(void *arg, void *buf, size_t len, uint64_t vaddr)
{
	return kvfs_virt_read(arg, buf, len, vaddr);
}

static int write_dmesg(struct kvfs_dump *dump, FILE *out, struct kvfs_err *err)
{
	const struct kvfs_vmcoreinfo info = { .text = dump->vmcoreinfo, .len = dump->vmcoreinfo_len };
	struct kvfs_virt mem;
	int ret;

	if (!dump->vmcoreinfo)
		return kvfs_err_set(err, ENODATA, "the dump has no VMCOREINFO note");
	ret = kvfs_virt_init(&mem, &info, dump->machine, dump->segs, dump->nr_segs,
			     kvfs_dump_read_phys, dump, err);
	return ret < 0 ? ret : kvfs_printk_decode(&info, read_virt, &mem, out, err);
}

int kvfs_vmcore_text_dmesg(struct kvfs_dump *dump, char **text, size_t *len, struct kvfs_err *err)
{
	FILE *out = open_memstream(text, len);
	int ret;

	if (!out)
		return kvfs_err_sys(err, ENOMEM, "dmesg");
	ret = write_dmesg(dump, out, err);
	if (fclose(out) != 0)
		ret = kvfs_err_sys(err, ENOMEM, "dmesg");
	if (ret == 0 || (ret != -ENOMEM && *len > 0))
		return 0;
	free(*text);
	return ret;
}

int kvfs_vmcore_text_cpu(struct kvfs_dump *dump, size_t nr, char **text, size_t *len,
			 struct kvfs_err *err)
{
	struct kvfs_elf_note note;
	FILE *out;
	int ret;

	if (!kvfs_elf_notes_prstatus(&dump->notes, nr, &note))
		return kvfs_err_set(err, ENODATA, "the dump has no such NT_PRSTATUS note");
	out = open_memstream(text, len);
	if (!out)
		return kvfs_err_sys(err, ENOMEM, "the registers");
	ret = kvfs_vmcore_prstatus_write(&note, dump->machine, out);
	if (fclose(out) != 0)
		ret = -ENOMEM;
	if (ret == 0)
		return 0;
	free(*text);
	return kvfs_err_sys(err, -ret, "the registers of machine %u", dump->machine);
}
