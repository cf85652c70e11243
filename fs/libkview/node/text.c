// SPDX-License-Identifier: GPL-2.0-only
#include "node/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct info {
	struct kvfs_node node;
	kvfs_text_fn fn;
	void *arg;
};

/* The handle of an open file. */
struct text {
	char *buf;
	size_t len;
};

static struct info *to_info(struct kvfs_node *node)
{
	return (struct info *)node;
}

static int make_text(struct info *info, struct text *text)
{
	FILE *out = open_memstream(&text->buf, &text->len);

	if (!out)
		return -ENOMEM;
	info->fn(info->arg, out);
	if (fclose(out) != 0) {
		free(text->buf);
		return -ENOMEM;
	}
	return 0;
}

static int info_open(struct kvfs_node *node, void **handle)
{
	struct text *text = calloc(1, sizeof(*text));
	int ret;

	if (!text)
		return -ENOMEM;
	ret = make_text(to_info(node), text);
	if (ret < 0) {
		free(text);
		return ret;
	}
	*handle = text;
	return 0;
}

static void info_release(struct kvfs_node *node, void *handle)
{
	struct text *text = handle;

	free(text->buf);
	free(text);
}

static ssize_t info_read(struct kvfs_node *node, void *handle, void *buf, size_t len, uint64_t off)
{
	const struct text *text = handle;

	if (off >= text->len)
		return 0;
	if (len > text->len - off)
		len = text->len - off;
	memcpy(buf, text->buf + off, len);
	return len;
}

static int info_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	struct text text;
	int ret = make_text(to_info(node), &text);

	if (ret < 0)
		return ret;
	out->size = out->data_len = text.len;
	free(text.buf);
	return 0;
}

static void info_destroy(struct kvfs_node *node)
{
	free(to_info(node));
}

static const struct kvfs_file_ops file_ops = {
	.open = info_open,
	.release = info_release,
	.read = info_read,
	.no_backing = "a text that the daemon writes",
};

static const struct kvfs_node_ops constant_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = info_destroy,
	.getattr = info_getattr,
	.file = &file_ops,
};

static const struct kvfs_node_ops changing_ops = {
	.kind = KVFS_NODE_FILE,
	.entry_timeout = 3600,
	.attr_timeout = 0,
	.destroy = info_destroy,
	.getattr = info_getattr,
	.file = &file_ops,
};

struct kvfs_node *kvfs_text_create(const char *label, kvfs_text_fn fn, void *arg,
				   bool changes, unsigned int nr)
{
	struct info *info = calloc(1, sizeof(*info));

	if (!info)
		return NULL;
	kvfs_node_init(&info->node, changes ? &changing_ops : &constant_ops, label,
		       KVFS_INO(KVFS_PROVIDER_INFO, nr), KVFS_INO_ROOT);
	info->fn = fn;
	info->arg = arg;
	return &info->node;
}

void kvfs_text_readme(void *arg, FILE *out)
{
	fputs("kviewfs shows kernel memory as plain files: read them, seek in them, map them.\n"
	      "\n"
	      "README           this text\n"
	      "status           what is served, in which mode, and why: lines of key: value\n"
	      "kcore/ram        physical memory of the running kernel: file offset = physical\n"
	      "                 address; holes where there is no RAM\n"
	      "kcore/text       the kernel image: file offset 0 = _text\n"
	      "kcore/core       an ELF core of the running kernel, for gdb, drgn, crash and\n"
	      "                 makedumpfile\n"
	      "kcore/sym/NAME   the bytes of one kernel symbol; NAME@ADDRESS where several\n"
	      "                 symbols have that name\n"
	      "pid/N/pagemap    the page table of process N as /proc/N/pagemap has it: 8 bytes a\n"
	      "                 page, holes where nothing is mapped\n"
	      "pid/N/mincore    a byte a page. Bit 0: in memory, as mincore(2) tells the process\n"
	      "                 itself. Bit 1: in its page table, 2: anonymous, 3: in the page\n"
	      "                 cache, 4: in the swap cache, 5: in swap\n"
	      "pid/self         a link to the directory of the process that reads it\n"
	      "trace/cpuN       the trace ring buffer of a CPU as the kernel maps it: the meta\n"
	      "                 page, then the sub-buffers; a mapping is live, a read is a copy\n"
	      "                 of one moment; kview-trace prints what is in it\n"
	      "trace/instances/NAME/cpuN\n"
	      "                 the same of a tracing instance\n"
	      "vmcore/core      the crash dump that -o vmcore=FILE named, or in a crash kernel\n"
	      "                 /proc/vmcore, as an ELF core whatever its format is; for gdb,\n"
	      "                 drgn, crash and makedumpfile\n"
	      "vmcore/ram       its memory: file offset = physical address\n"
	      "vmcore/segN      the N-th segment of the core: file offset 0 = its first byte\n"
	      "vmcore/vmcoreinfo, vmcore/dmesg\n"
	      "                 what the crashed kernel says of itself, and its log\n"
	      "vmcore/notes/cpuN\n"
	      "                 the registers of a CPU\n"
	      "\n"
	      "What may not be shown, such as memory that is offline or secret, and holes read\n"
	      "as zeros. Everything can be read and nothing can be written, by root alone.\n"
	      "\n"
	      "getfattr -d FILE says where a file's bytes lie and how it is served:\n"
	      "\n"
	      "user.kview.vaddr   kernel virtual address of file offset 0\n"
	      "user.kview.paddr   physical address of file offset 0\n"
	      "user.kview.source  where the bytes come from\n"
	      "user.kview.mode    direct: reads and mappings go to the kernel's own pages;\n"
	      "                   split: mappings do, and the daemon answers reads;\n"
	      "                   cached: the daemon fills the page cache, which is kept;\n"
	      "                   copy: the daemon copies, and a mapping is a copy, too\n"
	      "user.kview.reason  why it is not direct\n"
	      "\n"
	      "A page, by its page frame number:\n"
	      "  dd if=kcore/ram bs=4096 skip=PFN count=1 | xxd\n"
	      "The page frame number of a process's page, by its virtual address:\n"
	      "  echo $(($(od -An -td8 -N8 -j$((ADDRESS / 4096 * 8)) pid/N/pagemap) & (1 << 55) - 1))\n"
	      "The banner of the kernel:\n"
	      "  strings kcore/sym/linux_banner\n",
	      out);
}
