// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/notes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "elf/notes.h"
#include "node/text.h"
#include "vmcore/text.h"

struct notesdir {
	struct kvfs_node node;
	struct kvfs_vmcore_source *src;	/* a reference */
	uint64_t nr_cpus;
	uint64_t first_ino;
};

static struct notesdir *to_dir(struct kvfs_node *node)
{
	return (struct notesdir *)node;
}

static int dir_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct notesdir *dir = to_dir(node);
	char *text;
	size_t len;
	uint64_t nr;
	int ret;

	if (kvfs_number_parse_name(name, "cpu", UINT64_MAX, &nr) < 0 || nr >= dir->nr_cpus)
		return -ENOENT;
	ret = kvfs_vmcore_text_cpu(kvfs_vmcore_source_dump(dir->src), nr, &text, &len, NULL);
	if (ret < 0)
		return ret;
	*out = kvfs_text_create("vmcore/notes/cpu", dir->first_ino + nr, node->ino, text, len);
	return *out ? 0 : -ENOMEM;
}

static int dir_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct notesdir *dir = to_dir(node);

	if (cookie >= dir->nr_cpus)
		return 0;
	snprintf(out->name, sizeof(out->name), "cpu%" PRIu64, cookie);
	out->ino = dir->first_ino + cookie;
	out->kind = KVFS_NODE_FILE;
	out->next = cookie + 1;
	return 1;
}

static void dir_destroy(struct kvfs_node *node)
{
	kvfs_vmcore_source_put(to_dir(node)->src);
	free(to_dir(node));
}

static const struct kvfs_dir_ops dir_ops = {
	.lookup = dir_lookup,
	.list = dir_list,
};

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.dir = &dir_ops,
};

static uint64_t count_cpus(const struct kvfs_dump *dump)
{
	struct kvfs_elf_note note;
	struct kvfs_elf_notes_pos pos = { 0 };
	uint64_t n = 0;

	while (kvfs_elf_notes_next(&dump->notes, &pos, &note))
		n += kvfs_elf_notes_is_prstatus(&note);
	return n;
}

int kvfs_vmcore_notes_create(struct kvfs_vmcore_source *src, uint64_t ino, uint64_t parent_ino,
			     uint64_t first_ino, struct kvfs_node **out, struct kvfs_err *err)
{
	struct kvfs_dump *dump = kvfs_vmcore_source_dump(src);
	struct notesdir *dir;
	char *text;
	size_t len;
	int ret;

	/* All CPUs are of one machine: if the first can be shown, so can the others. */
	ret = kvfs_vmcore_text_cpu(dump, 0, &text, &len, err);
	if (ret < 0)
		return ret;
	free(text);
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return kvfs_err_sys(err, ENOMEM, "the notes");
	kvfs_node_init(&dir->node, &node_ops, "vmcore/notes", ino, parent_ino);
	dir->src = kvfs_vmcore_source_get(src);
	dir->nr_cpus = count_cpus(dump);
	dir->first_ino = first_ino;
	*out = &dir->node;
	return 0;
}
