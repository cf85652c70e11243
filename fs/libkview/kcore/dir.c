// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kcore/file.h"
#include "kcore/sym.h"

/* Numbers within KVFS_PROVIDER_KCORE. Symbols follow, one number a byte of the image. */
enum {
	NR_DIR = 1,
	NR_SYM_DIR,
	NR_FILES,
	NR_FIRST_SYM = 0x1000,
};

/* Keeps the numbers of symbols inside the provider's; x86-64 leaves 1 GiB for the image. */
#define MAX_IMAGE_LEN (1ULL << 40)

enum {
	ENTRY_SYM = KVFS_KCORE_SOURCE_NR_FILES,
	NR_ENTRIES,
};

struct kcoredir {
	struct kvfs_node node;
	struct kvfs_entry entries[NR_ENTRIES];
	struct kvfs_err errs[NR_ENTRIES];	/* why an entry is missing */
};

static struct kcoredir *to_dir(struct kvfs_node *node)
{
	return (struct kcoredir *)node;
}

static int dir_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	return kvfs_entries_lookup(to_dir(node)->entries, NR_ENTRIES, name, out);
}

static int dir_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	return kvfs_entries_list(to_dir(node)->entries, NR_ENTRIES, cookie, out);
}

static bool dir_missing(struct kvfs_node *node, size_t i, const char **name, const char **reason)
{
	return kvfs_entries_missing(to_dir(node)->entries, NR_ENTRIES, i, name, reason);
}

static void dir_destroy(struct kvfs_node *node)
{
	struct kcoredir *dir = to_dir(node);

	for (size_t i = 0; i < NR_ENTRIES; i++)
		kvfs_node_put(dir->entries[i].node);
	free(dir);
}

static const struct kvfs_dir_ops dir_ops = {
	.lookup = dir_lookup,
	.list = dir_list,
	.missing = dir_missing,
};

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.dir = &dir_ops,
};

/* Why there can be no kcore/sym: 0, or -errno and the reason. */
static int check_syms(const struct kvfs_kcore_source_layout *layout, const char *kallsyms,
		      struct kvfs_err *err)
{
	if (layout->map.image.len == 0)
		return kvfs_err_set(err, ENODATA, "it is not known where the kernel image lies");
	if (layout->map.image.len > MAX_IMAGE_LEN)
		return kvfs_err_set(err, EBADMSG, "no kernel image has %#" PRIx64 " bytes", layout->map.image.len);
	if (access(kallsyms, R_OK) < 0)
		return kvfs_err_sys(err, errno, "%s", kallsyms);
	return 0;
}

static int add_entries(struct kcoredir *dir, struct kvfs_kcore_source *src,
		       const struct kvfs_kcore_source_layout *layout, const char *kallsyms)
{
	static const char *const names[] = { "ram", "text", "core" };
	uint64_t ino = dir->node.ino;

	for (int i = 0; i < KVFS_KCORE_SOURCE_NR_FILES; i++) {
		struct kvfs_entry *entry = &dir->entries[i];

		entry->name = names[i];
		if (layout->errs[i].errnum) {
			dir->errs[i] = layout->errs[i];
			entry->reason = dir->errs[i].msg;
			continue;
		}
		entry->node = kvfs_kcore_file_create(src, i, KVFS_INO(KVFS_PROVIDER_KCORE, NR_FILES + i), ino);
		if (!entry->node)
			return -ENOMEM;
	}
	dir->entries[ENTRY_SYM].name = "sym";
	dir->entries[ENTRY_SYM].reason = dir->errs[ENTRY_SYM].msg;
	if (check_syms(layout, kallsyms, &dir->errs[ENTRY_SYM]) < 0)
		return 0;
	dir->entries[ENTRY_SYM].node =
		kvfs_kcore_sym_create(src, kallsyms, KVFS_INO(KVFS_PROVIDER_KCORE, NR_SYM_DIR), ino,
				      KVFS_INO(KVFS_PROVIDER_KCORE, NR_FIRST_SYM));
	return dir->entries[ENTRY_SYM].node ? 0 : -ENOMEM;
}

/* A source without memory, such as a core without segments, is no source. */
static int check_layout(const struct kvfs_kcore_source_layout *layout, const char *name,
			struct kvfs_err *err)
{
	for (int i = 0; i < KVFS_KCORE_SOURCE_NR_FILES; i++) {
		if (!layout->errs[i].errnum)
			return 0;
	}
	return kvfs_err_set(err, ENODATA, "%s: %s", name, layout->errs[0].msg);
}

int kvfs_kcore_dir_create(const struct kvfs_kcore_source_config *config, struct kvfs_node **out,
			  struct kvfs_err *err)
{
	struct kvfs_kcore_source_layout *layout;
	struct kvfs_kcore_source *src;
	struct kcoredir *dir;
	int ret;

	ret = kvfs_kcore_source_create(config, &src, err);
	if (ret < 0)
		return ret;
	layout = kvfs_kcore_source_layout_get(src);
	ret = check_layout(layout, kvfs_kcore_source_name(src), err);
	dir = ret == 0 ? calloc(1, sizeof(*dir)) : NULL;
	if (!dir) {
		kvfs_kcore_source_layout_put(layout);
		kvfs_kcore_source_put(src);
		return ret < 0 ? ret : kvfs_err_sys(err, ENOMEM, "kcore");
	}
	kvfs_node_init(&dir->node, &node_ops, "kcore", KVFS_INO(KVFS_PROVIDER_KCORE, NR_DIR), KVFS_INO_ROOT);
	ret = add_entries(dir, src, layout, config->kallsyms);
	kvfs_kcore_source_layout_put(layout);
	/* The nodes hold it now. */
	kvfs_kcore_source_put(src);
	if (ret < 0) {
		kvfs_node_put(&dir->node);
		return kvfs_err_sys(err, -ret, "kcore");
	}
	*out = &dir->node;
	return 0;
}
