// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/sym.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kcore/file.h"
#include "kernel/ksyms.h"

struct symdir {
	struct kvfs_node node;
	struct kvfs_kcore_source *src;	/* a reference */
	const char *kallsyms;		/* borrowed, for describe */
	uint64_t first_ino;
	uint64_t image_start;		/* virtual address that first_ino belongs to */
};

static struct symdir *to_symdir(struct kvfs_node *node)
{
	return (struct symdir *)node;
}

/*
 * Symbols at one address are one file with several names. The image is shorter than 4 GiB, so
 * 32 bits distinguish its addresses, wherever the latest layout says that it begins.
 */
static uint64_t ino_of(const struct symdir *dir, const struct kvfs_ksym *sym)
{
	return dir->first_ino + (uint32_t)(sym->vaddr - dir->image_start);
}

static int dir_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct symdir *dir = to_symdir(node);
	const struct kvfs_ksyms *syms;
	struct kvfs_ksym sym;
	int ret;

	ret = kvfs_kcore_source_syms(dir->src, &syms);
	if (ret == 0)
		ret = kvfs_ksyms_lookup(syms, name, &sym);
	if (ret < 0)
		return ret;
	*out = kvfs_kcore_file_create_sym(dir->src, sym.vaddr, sym.len, ino_of(dir, &sym), node->ino);
	return *out ? 0 : -ENOMEM;
}

/* Writes the name that sym is listed under. Returns false if it has none. */
static bool name_of(const struct kvfs_ksym *sym, char *out, size_t out_len)
{
	int len;

	if (sym->unique)
		len = snprintf(out, out_len, "%s", sym->name);
	else
		len = snprintf(out, out_len, "%s@%" PRIx64, sym->name, sym->vaddr);
	/* readdir(3) would end at a name that is no file name. */
	return len > 0 && (size_t)len < out_len && !strchr(out, '/') && strcmp(out, ".") != 0 &&
	       strcmp(out, "..") != 0;
}

static int dir_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct symdir *dir = to_symdir(node);
	const struct kvfs_ksyms *syms;
	int ret = kvfs_kcore_source_syms(dir->src, &syms);

	if (ret < 0)
		return ret;
	for (uint64_t i = cookie; i < kvfs_ksyms_count(syms); i++) {
		struct kvfs_ksym sym;

		kvfs_ksyms_at(syms, i, &sym);
		if (!name_of(&sym, out->name, sizeof(out->name)))
			continue;
		out->ino = ino_of(dir, &sym);
		out->kind = KVFS_NODE_FILE;
		out->next = i + 1;
		return 1;
	}
	return 0;
}

static void dir_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	snprintf(out->source, sizeof(out->source), "%s", to_symdir(node)->kallsyms);
}

static void dir_destroy(struct kvfs_node *node)
{
	struct symdir *dir = to_symdir(node);

	kvfs_kcore_source_put(dir->src);
	free(dir);
}

static const struct kvfs_dir_ops dir_ops = {
	.lookup = dir_lookup,
	.list = dir_list,
	.huge = true,
};

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.describe = dir_describe,
	.dir = &dir_ops,
};

struct kvfs_node *kvfs_kcore_sym_create(struct kvfs_kcore_source *src, const char *kallsyms,
					uint64_t ino, uint64_t parent_ino, uint64_t first_ino)
{
	struct kvfs_kcore_source_layout *layout;
	struct symdir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return NULL;
	kvfs_node_init(&dir->node, &node_ops, "kcore/sym", ino, parent_ino);
	layout = kvfs_kcore_source_layout_get(src);
	dir->image_start = layout->map.image.vaddr;
	kvfs_kcore_source_layout_put(layout);
	dir->src = kvfs_kcore_source_get(src);
	dir->kallsyms = kallsyms;
	dir->first_ino = first_ino;
	return &dir->node;
}
