// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/dir.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "kcore/file.h"
#include "kcore/sym.h"
#include "node/fixed_dir.h"

/* Numbers within KVFS_PROVIDER_KCORE. From NR_FIRST_SYM on, one number for each byte of the image. */
enum {
	NR_DIR = 1,
	NR_SYM_DIR,
	NR_FILES,
	NR_FIRST_SYM = 0x1000,
};

/* Limit that keeps the numbers of symbols inside the provider's; x86-64 leaves 1 GiB for the image. */
#define MAX_IMAGE_LEN (1ULL << 40)

/* Tells whether kcore/sym can be: 0, or -errno and the reason why not. Does not read kallsyms. */
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

static int add_files(struct kvfs_fixed_dir *dir, struct kvfs_kcore_source *src,
		     const struct kvfs_kcore_source_layout *layout)
{
	static const char *const names[] = { "ram", "text", "core" };
	int ret = 0;

	for (int i = 0; i < KVFS_KCORE_SOURCE_NR_FILES && ret == 0; i++) {
		uint64_t ino = KVFS_INO(KVFS_PROVIDER_KCORE, NR_FILES + i);

		if (layout->errs[i].errnum)
			ret = kvfs_fixed_dir_add_missing(dir, names[i], &layout->errs[i]);
		else
			ret = kvfs_fixed_dir_add(dir, names[i],
						 kvfs_kcore_file_create(src, i, ino, dir->node.ino));
	}
	return ret;
}

static int add_sym(struct kvfs_fixed_dir *dir, struct kvfs_kcore_source *src,
		   const struct kvfs_kcore_source_layout *layout, const char *kallsyms)
{
	struct kvfs_err err = { 0 };

	if (check_syms(layout, kallsyms, &err) < 0)
		return kvfs_fixed_dir_add_missing(dir, "sym", &err);
	return kvfs_fixed_dir_add(dir, "sym",
				  kvfs_kcore_sym_create(src, kallsyms,
							KVFS_INO(KVFS_PROVIDER_KCORE, NR_SYM_DIR),
							dir->node.ino,
							KVFS_INO(KVFS_PROVIDER_KCORE, NR_FIRST_SYM)));
}

/* A source without memory, such as a core without segments, is an error of the directory. */
static int check_layout(const struct kvfs_kcore_source_layout *layout, const char *name,
			struct kvfs_err *err)
{
	for (int i = 0; i < KVFS_KCORE_SOURCE_NR_FILES; i++) {
		if (!layout->errs[i].errnum)
			return 0;
	}
	return kvfs_err_set(err, ENODATA, "%s: %s", name, layout->errs[0].msg);
}

/* The directory of a source that has memory; NULL if out of memory. */
static struct kvfs_fixed_dir *make_dir(struct kvfs_kcore_source *src,
				       const struct kvfs_kcore_source_layout *layout,
				       const char *kallsyms)
{
	struct kvfs_fixed_dir *dir = kvfs_fixed_dir_create("kcore", KVFS_INO(KVFS_PROVIDER_KCORE, NR_DIR),
							   KVFS_INO_ROOT);

	if (!dir)
		return NULL;
	if (add_files(dir, src, layout) == 0 && add_sym(dir, src, layout, kallsyms) == 0)
		return dir;
	kvfs_node_put(&dir->node);
	return NULL;
}

int kvfs_kcore_dir_create(const struct kvfs_kcore_source_config *config, struct kvfs_node **out,
			  struct kvfs_err *err)
{
	struct kvfs_kcore_source_layout *layout;
	struct kvfs_kcore_source *src;
	int ret;

	ret = kvfs_kcore_source_create(config, &src, err);
	if (ret < 0)
		return ret;
	layout = kvfs_kcore_source_layout_get(src);
	ret = check_layout(layout, kvfs_kcore_source_name(src), err);
	if (ret == 0) {
		struct kvfs_fixed_dir *dir = make_dir(src, layout, config->kallsyms);

		if (dir)
			*out = &dir->node;
		else
			ret = kvfs_err_sys(err, ENOMEM, "kcore");
	}
	kvfs_kcore_source_layout_put(layout);
	/* The nodes hold references of their own. */
	kvfs_kcore_source_put(src);
	return ret;
}
