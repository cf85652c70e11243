// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf/notes.h"
#include "kernel/virt.h"
#include "vmcore/printk.h"
#include "vmcore/prstatus.h"

struct textfile {
	struct kvfs_node node;
	char *text;
	size_t len;
};

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

static int text_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	out->size = out->data_len = ((struct textfile *)node)->len;
	return 0;
}

static ssize_t text_read(struct kvfs_node *node, void *handle, void *buf, size_t len, uint64_t off)
{
	const struct textfile *file = (struct textfile *)node;

	if (off >= file->len)
		return 0;
	if (len > file->len - off)
		len = file->len - off;
	memcpy(buf, file->text + off, len);
	return (ssize_t)len;
}

static void text_destroy(struct kvfs_node *node)
{
	struct textfile *file = (struct textfile *)node;

	free(file->text);
	free(file);
}

static const struct kvfs_file_ops file_ops = {
	.read = text_read,
	.no_backing = "a text that the daemon wrote",
	.unchanging = true,
};

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = text_destroy,
	.getattr = text_getattr,
	.file = &file_ops,
};

struct kvfs_node *kvfs_vmcore_text_create(const char *label, char *text, size_t len, uint64_t ino,
					  uint64_t parent_ino)
{
	struct textfile *file = calloc(1, sizeof(*file));

	if (!file) {
		free(text);
		return NULL;
	}
	kvfs_node_init(&file->node, &node_ops, label, ino, parent_ino);
	file->text = text;
	file->len = len;
	return &file->node;
}
