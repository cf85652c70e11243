// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/source.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "elf/load.h"
#include "extent/fdpool.h"
#include "extent/read.h"
#include "kcore/layout.h"
#include "kcore/vmcoreinfo.h"
#include "kernel/lockdown.h"
#include "kernel/iomem.h"

#define PROC_KCORE "/proc/kcore"
#define PROC_IOMEM "/proc/iomem"
#define SYS_VMCOREINFO "/sys/kernel/vmcoreinfo"

struct kvfs_kcore_source {
	_Atomic(unsigned int) refs;
	struct kvfs_kcore_source_config config;
	struct kvfs_fdpool *pool;		/* of the file; NULL if there is none */
	uint64_t image_start, image_end;	/* virtual addresses, without the file only */
	pthread_mutex_t lock;			/* layout */
	struct kvfs_kcore_source_layout *layout;	/* never NULL once created */
	pthread_mutex_t syms_lock;		/* syms, until it is made */
	struct kvfs_ksyms *syms;		/* NULL until the first look-up; then it stays */
};

const char *kvfs_kcore_source_name(const struct kvfs_kcore_source *src)
{
	if (src->config.file)
		return src->config.file;
	return src->pool ? PROC_KCORE : "kview module";
}

bool kvfs_kcore_source_has_file(const struct kvfs_kcore_source *src)
{
	return src->pool;
}

/* Length of a regular file; 0, which is "not known", for all else. */
static uint64_t file_len(int fd)
{
	struct stat st;

	/* /proc/kcore is a regular file too, but its length means nothing. */
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static int load_map_of_file(struct kvfs_kcore_source *src, struct kvfs_memmap *out,
			    struct kvfs_err *err)
{
	struct kvfs_elf_file file = { .name = kvfs_kcore_source_name(src) };
	struct kvfs_elf core;
	int fd, ret;

	/*
	 * An open of /proc/kcore makes the kernel look for memory that came or went, an idle
	 * descriptor does not. If it cannot be opened any more, idle ones show what was there.
	 */
	(void)kvfs_fdpool_check(src->pool);
	fd = kvfs_fdpool_get(src->pool);
	if (fd < 0)
		return kvfs_err_sys(err, -fd, "%s", file.name);
	if (src->config.file)
		file.len = file_len(fd);
	ret = kvfs_elf_load(fd, file.name, file.len, &core, err);
	kvfs_fdpool_put(src->pool, fd);
	if (ret < 0)
		return ret;
	ret = kvfs_memmap_from_core(&core, &file, 0, 0, out, err);
	kvfs_elf_deinit(&core);
	return ret;
}

static int load_map_of_module(struct kvfs_kcore_source *src, struct kvfs_memmap *out,
			      struct kvfs_err *err)
{
	struct kvfs_iomem iomem;
	int ret;

	ret = kvfs_iomem_load(PROC_IOMEM, &iomem, err);
	if (ret < 0)
		return ret;
	ret = kvfs_memmap_from_iomem(&iomem, PROC_IOMEM, &src->config.kmod->info, src->image_start,
				     src->image_end, out, err);
	kvfs_iomem_deinit(&iomem);
	if (ret < 0)
		return ret;
	/* Without the note the core is less useful, but still a core. */
	kvfs_kcore_vmcoreinfo_load(SYS_VMCOREINFO, src->config.kmod, &out->vmcoreinfo,
				   &out->vmcoreinfo_len, NULL);
	return 0;
}

static bool same_segments(const struct kvfs_segment *a, size_t nr_a, const struct kvfs_segment *b,
			  size_t nr_b)
{
	if (nr_a != nr_b)
		return false;
	for (size_t i = 0; i < nr_a; i++) {
		if (a[i].off != b[i].off || a[i].len != b[i].len || a[i].memsz != b[i].memsz ||
		    a[i].vaddr != b[i].vaddr || a[i].paddr != b[i].paddr)
			return false;
	}
	return true;
}

static bool same_map(const struct kvfs_memmap *a, const struct kvfs_memmap *b)
{
	return same_segments(a->ram, a->nr_ram, b->ram, b->nr_ram) &&
	       same_segments(a->other, a->nr_other, b->other, b->nr_other) &&
	       same_segments(&a->image, 1, &b->image, 1) &&
	       a->vmcoreinfo_len == b->vmcoreinfo_len &&
	       (a->vmcoreinfo_len == 0 ||
		memcmp(a->vmcoreinfo, b->vmcoreinfo, a->vmcoreinfo_len) == 0);
}

/* Consumes *map. If a file has no place in it, only that file has an error. */
static struct kvfs_kcore_source_layout *layout_create(struct kvfs_memmap *map)
{
	struct kvfs_kcore_source_layout *layout = calloc(1, sizeof(*layout));

	if (!layout) {
		kvfs_memmap_deinit(map);
		return NULL;
	}
	atomic_init(&layout->refs, 1);
	layout->map = *map;
	kvfs_kcore_layout_ram(&layout->map, &layout->tables[KVFS_KCORE_SOURCE_RAM],
			      &layout->errs[KVFS_KCORE_SOURCE_RAM]);
	kvfs_kcore_layout_text(&layout->map, &layout->tables[KVFS_KCORE_SOURCE_TEXT],
			       &layout->errs[KVFS_KCORE_SOURCE_TEXT]);
	kvfs_kcore_layout_core(&layout->map, &layout->tables[KVFS_KCORE_SOURCE_CORE],
			       &layout->core_head, &layout->errs[KVFS_KCORE_SOURCE_CORE]);
	return layout;
}

static struct kvfs_kcore_source_layout *layout_ref(struct kvfs_kcore_source_layout *layout)
{
	atomic_fetch_add_explicit(&layout->refs, 1, memory_order_relaxed);
	return layout;
}

void kvfs_kcore_source_layout_put(struct kvfs_kcore_source_layout *layout)
{
	if (!layout || atomic_fetch_sub_explicit(&layout->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < KVFS_KCORE_SOURCE_NR_FILES; i++)
		kvfs_extents_deinit(&layout->tables[i]);
	free(layout->core_head);
	kvfs_memmap_deinit(&layout->map);
	free(layout);
}

/* With a reference for the caller; NULL while the source is created. */
static struct kvfs_kcore_source_layout *last_layout(struct kvfs_kcore_source *src)
{
	struct kvfs_kcore_source_layout *layout;

	pthread_mutex_lock(&src->lock);
	layout = src->layout ? layout_ref(src->layout) : NULL;
	pthread_mutex_unlock(&src->lock);
	return layout;
}

struct kvfs_kcore_source_layout *kvfs_kcore_source_layout_get(struct kvfs_kcore_source *src)
{
	return last_layout(src);
}

int kvfs_kcore_source_layout_load(struct kvfs_kcore_source *src, struct kvfs_kcore_source_layout **out,
				  struct kvfs_err *err)
{
	struct kvfs_kcore_source_layout *fresh, *old = NULL;
	struct kvfs_memmap map;
	int ret;

	/*
	 * No file can be opened under lockdown, so that none follows the layout. Reading it again
	 * would add a line to the kernel log for each stat(2) and each reading of status.
	 */
	if (!src->config.file && kvfs_lockdown_is_confidential()) {
		*out = last_layout(src);
		if (*out)
			return 0;
	}
	ret = src->pool ? load_map_of_file(src, &map, err) : load_map_of_module(src, &map, err);
	if (ret < 0)
		return ret;
	pthread_mutex_lock(&src->lock);
	if (src->layout && same_map(&src->layout->map, &map)) {
		*out = layout_ref(src->layout);
		pthread_mutex_unlock(&src->lock);
		kvfs_memmap_deinit(&map);
		return 0;
	}
	pthread_mutex_unlock(&src->lock);

	/* Two threads may both get here: the later one's layout stays, and both are right. */
	fresh = layout_create(&map);
	if (!fresh)
		return kvfs_err_sys(err, ENOMEM, "%s", kvfs_kcore_source_name(src));
	pthread_mutex_lock(&src->lock);
	old = src->layout;
	src->layout = layout_ref(fresh);
	pthread_mutex_unlock(&src->lock);
	kvfs_kcore_source_layout_put(old);
	*out = fresh;
	return 0;
}

int kvfs_kcore_source_layout_look(struct kvfs_kcore_source *src, struct kvfs_kcore_source_layout **out)
{
	if (!src->config.file)
		return kvfs_kcore_source_layout_load(src, out, NULL);
	*out = last_layout(src);
	return 0;
}

/* Finds the image in kallsyms, for want of /proc/kcore; on failure it stays unknown. */
static void find_image(struct kvfs_kcore_source *src)
{
	static const char *const names[] = { "_text", "_end" };
	uint64_t vaddrs[2];

	if (kvfs_ksyms_scan(src->config.kallsyms, names, vaddrs, 2, NULL) < 0)
		return;
	if (vaddrs[0] == 0 || vaddrs[1] <= vaddrs[0])
		return;
	src->image_start = vaddrs[0];
	src->image_end = vaddrs[1];
}

static int open_source(struct kvfs_kcore_source *src, struct kvfs_err *err)
{
	struct kvfs_err module_err = { 0 };
	int ret;

	ret = kvfs_fdpool_create(src->config.file ? src->config.file : PROC_KCORE, src->config.readers, &src->pool,
				 err);
	if (ret == 0 || src->config.file)
		return ret;
	if (kvfs_kcore_source_check_module(src, &module_err) < 0) {
		char first[KVFS_ERR_MSG_MAX];

		memcpy(first, err->msg, sizeof(first));
		return kvfs_err_set(err, err->errnum, "%s; %s", first, module_err.msg);
	}
	find_image(src);
	return 0;
}

int kvfs_kcore_source_create(const struct kvfs_kcore_source_config *config, struct kvfs_kcore_source **out,
			     struct kvfs_err *err)
{
	struct kvfs_kcore_source_layout *layout;
	struct kvfs_kcore_source *src = calloc(1, sizeof(*src));
	int ret;

	if (!src)
		return kvfs_err_sys(err, ENOMEM, "kcore");
	atomic_init(&src->refs, 1);
	src->config = *config;
	pthread_mutex_init(&src->lock, NULL);
	pthread_mutex_init(&src->syms_lock, NULL);
	ret = open_source(src, err);
	if (ret == 0)
		ret = kvfs_kcore_source_layout_load(src, &layout, err);
	if (ret < 0) {
		kvfs_kcore_source_put(src);
		return ret;
	}
	kvfs_kcore_source_layout_put(layout);
	*out = src;
	return 0;
}

struct kvfs_kcore_source *kvfs_kcore_source_get(struct kvfs_kcore_source *src)
{
	atomic_fetch_add_explicit(&src->refs, 1, memory_order_relaxed);
	return src;
}

void kvfs_kcore_source_put(struct kvfs_kcore_source *src)
{
	if (!src || atomic_fetch_sub_explicit(&src->refs, 1, memory_order_acq_rel) > 1)
		return;
	kvfs_kcore_source_layout_put(src->layout);
	kvfs_ksyms_destroy(src->syms);
	kvfs_fdpool_destroy(src->pool);
	pthread_mutex_destroy(&src->lock);
	pthread_mutex_destroy(&src->syms_lock);
	free(src);
}

int kvfs_kcore_source_syms(struct kvfs_kcore_source *src, const struct kvfs_ksyms **out)
{
	struct kvfs_kcore_source_layout *layout = kvfs_kcore_source_layout_get(src);
	uint64_t start = layout->map.image.vaddr;
	uint64_t end = start + layout->map.image.len;
	int ret = 0;

	kvfs_kcore_source_layout_put(layout);
	/* Held while kallsyms is read: every caller here needs the symbols. */
	pthread_mutex_lock(&src->syms_lock);
	if (!src->syms)
		ret = kvfs_ksyms_load(src->config.kallsyms, start, end, &src->syms, NULL);
	*out = src->syms;
	pthread_mutex_unlock(&src->syms_lock);
	return ret;
}

int kvfs_kcore_source_check_module(struct kvfs_kcore_source *src, struct kvfs_err *err)
{
	if (src->config.file)
		return kvfs_err_set(err, EOPNOTSUPP, "kcore=%s: the bytes of a given file are copied", src->config.file);
	if (src->config.kmod->fd < 0)
		return kvfs_err_set(err, ENODEV, "%s", src->config.kmod_reason);
	return kvfs_kmod_check_ram(src->config.kmod, err);
}

int kvfs_kcore_source_check_open(const struct kvfs_kcore_source *src)
{
	/* Without a file, the module judges each open: it makes a view for it. */
	return src->pool ? kvfs_fdpool_check(src->pool) : 0;
}

int kvfs_kcore_source_create_view(struct kvfs_kcore_source *src, const char *name,
				  const struct kvfs_extents *table, struct kvfs_err *err)
{
	int ret = kvfs_kcore_source_check_module(src, err);

	return ret < 0 ? ret : kvfs_kmod_create_view(src->config.kmod, name, table, err);
}

ssize_t kvfs_kcore_source_read(struct kvfs_kcore_source *src, const struct kvfs_extents *table, void *buf,
			       size_t len, uint64_t off)
{
	return kvfs_extents_read(table, src->pool, buf, len, off);
}
