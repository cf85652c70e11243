// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmcore/file.h"
#include "vmcore/notes.h"
#include "vmcore/source.h"
#include "vmcore/text.h"

/* Numbers within KVFS_PROVIDER_VMCORE. */
#define NR_DIR 1
#define NR_ENTRY 2
#define NR_FIRST_CPU 0x1000000
#define NR_FIRST_SEG (1ULL << 32)

/* What there is one of. The segments come behind these. */
enum {
	ENTRY_CORE,
	ENTRY_RAM,
	ENTRY_VMCOREINFO,
	ENTRY_DMESG,
	ENTRY_NOTES,
	NR_ENTRIES,
};

/* Segments that `status` tells of: a dump has some ten, or some ten thousand. */
#define MAX_WALK_SEGS 32

struct vmcoredir {
	struct kvfs_node node;
	struct kvfs_vmcore_source *src;		/* a reference */
	struct kvfs_entry entries[NR_ENTRIES];
	struct kvfs_err errs[NR_ENTRIES];	/* why an entry is missing */
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

	if (!kvfs_vmcore_notes_parse(name, "seg", nr_segs(dir), &nr))
		return kvfs_entries_lookup(dir->entries, NR_ENTRIES, name, out);
	return kvfs_vmcore_file_create_seg(dir->src, nr, seg_ino(nr), node->ino, out);
}

static int dir_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct vmcoredir *dir = to_dir(node);
	int ret = cookie < NR_ENTRIES ? kvfs_entries_list(dir->entries, NR_ENTRIES, cookie, out) : 0;
	uint64_t nr = cookie < NR_ENTRIES ? 0 : cookie - NR_ENTRIES;

	if (ret != 0)
		return ret;
	if (nr >= nr_segs(dir))
		return 0;
	snprintf(out->name, sizeof(out->name), "seg%" PRIu64, nr);
	out->ino = seg_ino(nr);
	out->kind = KVFS_NODE_FILE;
	out->next = NR_ENTRIES + nr + 1;
	return 1;
}

static bool dir_missing(struct kvfs_node *node, size_t i, const char **name, const char **reason)
{
	return kvfs_entries_missing(to_dir(node)->entries, NR_ENTRIES, i, name, reason);
}

static void dir_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	struct vmcoredir *dir = to_dir(node);

	snprintf(out->source, sizeof(out->source), "%s", kvfs_vmcore_source_name(dir->src));
	out->incomplete = kvfs_vmcore_source_dump(dir->src)->missing;
	if (!out->incomplete && dir->cut_log.errnum)
		out->incomplete = dir->cut_log.msg;
	out->has_damaged = true;
	out->damaged = atomic_load(&kvfs_vmcore_source_dump(dir->src)->nr_damaged);
}

static void dir_destroy(struct kvfs_node *node)
{
	struct vmcoredir *dir = to_dir(node);

	for (size_t i = 0; i < NR_ENTRIES; i++)
		kvfs_node_put(dir->entries[i].node);
	kvfs_vmcore_source_put(dir->src);
	free(dir);
}

static const struct kvfs_dir_ops dir_ops = {
	.lookup = dir_lookup,
	.list = dir_list,
	.missing = dir_missing,
	.walk_max = NR_ENTRIES + MAX_WALK_SEGS,
};

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.describe = dir_describe,
	.dir = &dir_ops,
};

static uint64_t entry_ino(int entry)
{
	return KVFS_INO(KVFS_PROVIDER_VMCORE, NR_ENTRY + entry);
}

static int add_memory(struct vmcoredir *dir)
{
	struct kvfs_entry *core = &dir->entries[ENTRY_CORE], *ram = &dir->entries[ENTRY_RAM];

	core->name = "core";
	core->node = kvfs_vmcore_file_create_core(dir->src, entry_ino(ENTRY_CORE), dir->node.ino);
	ram->name = "ram";
	ram->node = kvfs_vmcore_file_create_ram(dir->src, entry_ino(ENTRY_RAM), dir->node.ino);
	return core->node && ram->node ? 0 : -ENOMEM;
}

/* A text that the dump has nothing for is missing, and the reason is told. */
static int add_text(struct vmcoredir *dir, int entry, const char *name, const char *label,
		    int (*make)(struct kvfs_dump *dump, char **text, size_t *len, struct kvfs_err *err))
{
	struct kvfs_entry *e = &dir->entries[entry];
	char *text;
	size_t len;
	int ret;

	e->name = name;
	e->reason = dir->errs[entry].msg;
	ret = make(kvfs_vmcore_source_dump(dir->src), &text, &len, &dir->errs[entry]);
	if (ret == -ENOMEM)
		return ret;
	if (ret < 0)
		return 0;
	e->node = kvfs_vmcore_text_create(label, text, len, entry_ino(entry), dir->node.ino);
	return e->node ? 0 : -ENOMEM;
}

static int add_notes(struct vmcoredir *dir)
{
	struct kvfs_entry *e = &dir->entries[ENTRY_NOTES];
	int ret;

	e->name = "notes";
	e->reason = dir->errs[ENTRY_NOTES].msg;
	ret = kvfs_vmcore_notes_create(dir->src, entry_ino(ENTRY_NOTES), dir->node.ino,
				       KVFS_INO(KVFS_PROVIDER_VMCORE, NR_FIRST_CPU), &e->node,
				       &dir->errs[ENTRY_NOTES]);
	return ret == -ENOMEM ? ret : 0;
}

static int add_entries(struct vmcoredir *dir)
{
	int ret = add_memory(dir);

	if (ret == 0)
		ret = add_text(dir, ENTRY_VMCOREINFO, "vmcoreinfo", "vmcore/vmcoreinfo",
			       kvfs_vmcore_text_vmcoreinfo);
	if (ret == 0)
		ret = add_text(dir, ENTRY_DMESG, "dmesg", "vmcore/dmesg", kvfs_vmcore_text_dmesg);
	return ret == 0 ? add_notes(dir) : ret;
}

/* Notes a log that breaks off. A dump that lacks something else reports that instead. */
static void note_cut_log(struct vmcoredir *dir)
{
	const struct kvfs_err *log = &dir->errs[ENTRY_DMESG];

	if (dir->entries[ENTRY_DMESG].node && log->errnum)
		kvfs_err_set(&dir->cut_log, log->errnum, "the log breaks off: %s", log->msg);
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
	kvfs_node_init(&dir->node, &node_ops, "vmcore", KVFS_INO(KVFS_PROVIDER_VMCORE, NR_DIR),
		       KVFS_INO_ROOT);
	dir->src = src;
	ret = add_entries(dir);
	if (ret < 0) {
		kvfs_node_put(&dir->node);
		return kvfs_err_sys(err, -ret, "vmcore");
	}
	note_cut_log(dir);
	*out = &dir->node;
	return 0;
}
