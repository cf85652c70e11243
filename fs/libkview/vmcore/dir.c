// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "node/fixed_dir.h"
#include "node/text.h"
#include "vmcore/file.h"
#include "vmcore/notes.h"
#include "vmcore/source.h"
#include "vmcore/text.h"

/* Numbers within KVFS_PROVIDER_VMCORE. */
#define NR_DIR 1
#define NR_ENTRY 2		/* of the fixed entries, in their order */
#define NR_FIRST_CPU 0x1000000
#define NR_FIRST_SEG (1ULL << 32)

/* Fixed entries. In a listing the segments follow them. */
#define NR_FIXED 5
/* Segments that `status` lists: a dump has some ten, or some ten thousand. */
#define MAX_WALK_SEGS 32

struct vmcoredir {
	struct kvfs_fixed_dir fixed;		/* first; all but the segments */
	struct kvfs_vmcore_source *src;		/* a reference */
	struct kvfs_err cut_log;		/* errnum 0 if dmesg is whole */
};

static struct vmcoredir *to_dir(struct kvfs_node *node)
{
	return (struct vmcoredir *)node;
}

static size_t nr_segs(const struct vmcoredir *dir)
{
	return kvfs_vmcore_source_dump(dir->src)->nr_segs;
}

static uint64_t seg_ino(uint64_t nr)
{
	return KVFS_INO(KVFS_PROVIDER_VMCORE, NR_FIRST_SEG + nr);
}

static int dir_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct vmcoredir *dir = to_dir(node);
	uint64_t nr;

	if (kvfs_number_parse_name(name, "seg", UINT64_MAX, &nr) < 0 || nr >= nr_segs(dir))
		return kvfs_fixed_dir_lookup(node, name, out);
	return kvfs_vmcore_file_create_seg(dir->src, nr, seg_ino(nr), node->ino, out);
}

static int dir_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct vmcoredir *dir = to_dir(node);
	int ret = cookie < NR_FIXED ? kvfs_fixed_dir_list(node, cookie, out) : 0;
	uint64_t nr = cookie < NR_FIXED ? 0 : cookie - NR_FIXED;

	if (ret != 0)
		return ret;
	if (nr >= nr_segs(dir))
		return 0;
	snprintf(out->name, sizeof(out->name), "seg%" PRIu64, nr);
	out->ino = seg_ino(nr);
	out->kind = KVFS_NODE_FILE;
	out->next = NR_FIXED + nr + 1;
	return 1;
}

static void dir_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	struct vmcoredir *dir = to_dir(node);

	snprintf(out->source, sizeof(out->source), "%s", kvfs_vmcore_source_name(dir->src));
	/* A dump that lacks pages lacks more than its log does. */
	out->incomplete = kvfs_vmcore_source_dump(dir->src)->missing;
	if (!out->incomplete && dir->cut_log.errnum)
		out->incomplete = dir->cut_log.msg;
	out->has_damaged = true;
	out->damaged = atomic_load(&kvfs_vmcore_source_dump(dir->src)->nr_damaged);
}

static void dir_destroy(struct kvfs_node *node)
{
	struct vmcoredir *dir = to_dir(node);

	kvfs_fixed_dir_deinit(&dir->fixed);
	kvfs_vmcore_source_put(dir->src);
	free(dir);
}

static const struct kvfs_dir_ops dir_ops = {
	.lookup = dir_lookup,
	.list = dir_list,
	.missing = kvfs_fixed_dir_missing,
	.walk_max = NR_FIXED + MAX_WALK_SEGS,
};

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.describe = dir_describe,
	.dir = &dir_ops,
};

/* The ino of the fixed entry that is added next. */
static uint64_t next_ino(const struct vmcoredir *dir)
{
	return KVFS_INO(KVFS_PROVIDER_VMCORE, NR_ENTRY + dir->fixed.nr);
}

static int add_memory(struct vmcoredir *dir)
{
	uint64_t parent_ino = dir->fixed.node.ino;
	int ret;

	ret = kvfs_fixed_dir_add(&dir->fixed, "core", kvfs_vmcore_file_create_core(dir->src, next_ino(dir), parent_ino));
	if (ret < 0)
		return ret;
	return kvfs_fixed_dir_add(&dir->fixed, "ram", kvfs_vmcore_file_create_ram(dir->src, next_ino(dir), parent_ino));
}

/* Adds a text, or the reason why the dump has none. A text with a reason is one that breaks off. */
static int add_text(struct vmcoredir *dir, const char *name, const char *label,
		    int (*make)(struct kvfs_dump *dump, char **text, size_t *len, struct kvfs_err *err))
{
	struct kvfs_err why = { 0 };
	char *text;
	size_t len;
	int ret = make(kvfs_vmcore_source_dump(dir->src), &text, &len, &why);

	if (ret == -ENOMEM)
		return ret;
	if (ret < 0)
		return kvfs_fixed_dir_add_missing(&dir->fixed, name, &why);
	if (why.errnum)
		kvfs_err_set(&dir->cut_log, why.errnum, "the log breaks off: %s", why.msg);
	return kvfs_fixed_dir_add(&dir->fixed, name,
				  kvfs_text_create(label, next_ino(dir), dir->fixed.node.ino, text, len));
}

static int add_texts(struct vmcoredir *dir)
{
	int ret = add_text(dir, "vmcoreinfo", "vmcore/vmcoreinfo", kvfs_vmcore_text_vmcoreinfo);

	return ret == 0 ? add_text(dir, "dmesg", "vmcore/dmesg", kvfs_vmcore_text_dmesg) : ret;
}

static int add_notes(struct vmcoredir *dir)
{
	struct kvfs_err why = { 0 };
	struct kvfs_node *notes;
	int ret = kvfs_vmcore_notes_create(dir->src, next_ino(dir), dir->fixed.node.ino,
					   KVFS_INO(KVFS_PROVIDER_VMCORE, NR_FIRST_CPU), &notes, &why);

	if (ret == -ENOMEM)
		return ret;
	if (ret < 0)
		return kvfs_fixed_dir_add_missing(&dir->fixed, "notes", &why);
	return kvfs_fixed_dir_add(&dir->fixed, "notes", notes);
}

int kvfs_vmcore_dir_create(const struct kvfs_dump_config *config, const struct kvfs_kmod *kmod,
			   const char *kmod_reason, struct kvfs_node **out, struct kvfs_err *err)
{
	struct kvfs_vmcore_source *src;
	struct vmcoredir *dir;
	int ret;

	ret = kvfs_vmcore_source_create(config, kmod, kmod_reason, &src, err);
	if (ret < 0)
		return ret;
	dir = calloc(1, sizeof(*dir));
	if (!dir) {
		kvfs_vmcore_source_put(src);
		return kvfs_err_sys(err, ENOMEM, "vmcore");
	}
	kvfs_fixed_dir_init(&dir->fixed, &node_ops, "vmcore", KVFS_INO(KVFS_PROVIDER_VMCORE, NR_DIR),
			    KVFS_INO_ROOT);
	dir->src = src;
	ret = add_memory(dir);
	if (ret == 0)
		ret = add_texts(dir);
	if (ret == 0)
		ret = add_notes(dir);
	if (ret < 0) {
		kvfs_node_put(&dir->fixed.node);
		return kvfs_err_sys(err, -ret, "vmcore");
	}
	*out = &dir->fixed.node;
	return 0;
}
