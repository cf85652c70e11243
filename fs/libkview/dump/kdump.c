// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "dump/chunkcache.h"
#include "dump/kdump_elf.h"
#include "dump/kdump_header.h"
#include "dump/kdump_lib.h"
#include "dump/kdump_pages.h"
#include "dump/kdump_set.h"
#include "dump/zstd.h"

struct kdump {
	struct kvfs_dump dump;
	int *fds;
	size_t nr_fds;
	struct kvfs_kdump_set set;
	struct kvfs_kdump_lib *lib;
	struct kvfs_zstd *zstd;	/* NULL in a build without libzstd */
	struct kvfs_chunkcache *cache;
};

static struct kdump *to_kdump(struct kvfs_dump *dump)
{
	return (struct kdump *)dump;
}

/* The blocks of a chunk that hold its pages in mask; bit 0 of mask is page first of the chunk. */
static uint64_t blocks_of(const struct kdump *kd, uint64_t mask, size_t first)
{
	size_t each = kd->set.page_size / KVFS_CHUNK_BLOCK_LEN;
	uint64_t blocks = 0;

	for (size_t i = 0; mask >> i; i++)
		if (mask >> i & 1)
			blocks |= ((1ULL << each) - 1) << (first + i) * each;
	return blocks;
}

/* Has the library read n pages from pfn on, all of which are dumped and have good descriptors. */
static void read_by_library(struct kdump *kd, uint64_t pfn, size_t n, unsigned char *buf,
			    struct kvfs_dump_result *result)
{
	size_t page_size = kd->set.page_size;

	for (size_t i = 0; i < n;) {
		size_t done;
		int ret = kvfs_kdump_lib_read(kd->lib, buf + i * page_size, (n - i) * page_size,
					      (pfn + i) * page_size, &done);

		i += done / page_size;
		if (i < n)
			kvfs_dump_result_note(result, i++, ret < 0 ? ret : -EIO);
	}
}

/* Reads a run of n pages that are dumped, from pfn on. What cannot be read becomes zeros. */
static void fill_run(struct kdump *kd, uint64_t pfn, size_t n, unsigned char *buf,
		     struct kvfs_dump_result *result)
{
	struct kvfs_kdump_location locs[KVFS_KDUMP_SET_LOCATE_MAX];
	uint64_t wrong;
	size_t end;

	kvfs_kdump_set_locate(&kd->set, pfn, n, locs, result);
	wrong = result->damaged | result->unavailable;
	for (size_t i = 0; i < n; i = end) {
		bool own = !(wrong >> i & 1) && kvfs_kdump_pages_can(kd->zstd, &locs[i]);
		unsigned char *at = buf + i * kd->set.page_size;
		struct kvfs_dump_result part = { 0 };

		end = i + 1;
		if (wrong >> i & 1)
			continue;
		while (end < n && !(wrong >> end & 1) && kvfs_kdump_pages_can(kd->zstd, &locs[end]) == own)
			end++;
		if (own)
			kvfs_kdump_pages_read(kd->zstd, locs + i, end - i, kd->set.page_size, at, &part);
		else
			read_by_library(kd, pfn + i, end - i, at, &part);
		kvfs_dump_result_merge(result, &part, i);
	}
	for (size_t i = 0; i < n; i++) {
		if ((result->damaged | result->unavailable) >> i & 1)
			memset(buf + i * kd->set.page_size, 0, kd->set.page_size);
		if (result->damaged >> i & 1)
			kvfs_dump_note_damaged(&kd->dump, pfn + i, kd->set.nr_pfns);
	}
}

static void fill_chunk(void *arg, uint64_t nr, unsigned char *buf, struct kvfs_dump_result *result)
{
	struct kdump *kd = arg;
	size_t pages = KVFS_CHUNK_LEN / kd->set.page_size;
	uint64_t first = nr * pages, pfn = first;

	_Static_assert(KVFS_CHUNK_BLOCKS <= KVFS_KDUMP_SET_LOCATE_MAX, "one call locates a chunk");
	memset(buf, 0, KVFS_CHUNK_LEN);
	while ((pfn = kvfs_kdump_set_next_dumped(&kd->set, pfn, first + pages)) < first + pages) {
		uint64_t end = kvfs_kdump_set_next_excluded(&kd->set, pfn, first + pages);
		struct kvfs_dump_result run = { 0 };
		size_t page = (size_t)(pfn - first);

		fill_run(kd, pfn, (size_t)(end - pfn), buf + page * kd->set.page_size, &run);
		run.damaged = blocks_of(kd, run.damaged, page);
		run.unavailable = blocks_of(kd, run.unavailable, page);
		kvfs_dump_result_merge(result, &run, 0);
		pfn = end;
	}
}

static int kdump_read(struct kvfs_dump *dump, void *buf, size_t len, uint64_t off)
{
	struct kdump *kd = to_kdump(dump);
	uint64_t page_size = kd->set.page_size;
	uint64_t end = (off + len + page_size - 1) / page_size;

	/* Chunks that are all left out, which most can be, take no room in the cache. */
	if (kvfs_kdump_set_next_dumped(&kd->set, off / page_size, end) == end) {
		memset(buf, 0, len);
		return 0;
	}
	return kvfs_chunkcache_read(kd->cache, buf, len, off);
}

static uint64_t kdump_seek(struct kvfs_dump *dump, uint64_t off, uint64_t end, int whence)
{
	struct kdump *kd = to_kdump(dump);
	uint64_t pfn = off / kd->set.page_size;
	uint64_t end_pfn = (end + kd->set.page_size - 1) / kd->set.page_size;
	uint64_t found;

	pfn = whence == SEEK_DATA ? kvfs_kdump_set_next_dumped(&kd->set, pfn, end_pfn) :
				    kvfs_kdump_set_next_excluded(&kd->set, pfn, end_pfn);
	found = pfn * kd->set.page_size;
	if (found < off)
		found = off;
	return found < end ? found : end;
}

static uint64_t kdump_data_len(struct kvfs_dump *dump, const struct kvfs_extents *t)
{
	struct kdump *kd = to_kdump(dump);
	uint64_t page_size = kd->set.page_size, sum = 0;

	/* Segments are whole pages. */
	for (size_t i = 0; i < t->n; i++) {
		const struct kvfs_extent *e = &t->v[i];
		uint64_t pfn = e->file_off / page_size;

		if (e->kind == KVFS_EXTENT_FILE)
			sum += kvfs_kdump_set_count_dumped(&kd->set, pfn, pfn + e->len / page_size) * page_size;
		else
			sum += e->len;
	}
	return sum;
}

static void kdump_destroy(struct kvfs_dump *dump)
{
	struct kdump *kd = to_kdump(dump);

	kvfs_chunkcache_destroy(kd->cache);
	kvfs_kdump_lib_close(kd->lib);
	kvfs_zstd_destroy(kd->zstd);
	kvfs_kdump_set_deinit(&kd->set);
	for (size_t i = 0; i < kd->nr_fds; i++)
		close(kd->fds[i]);
	free(kd->fds);
	free(kd);
}

static const struct kvfs_dump_ops ops = {
	.read = kdump_read,
	.seek = kdump_seek,
	.data_len = kdump_data_len,
	.destroy = kdump_destroy,
};

/* Reads [off, off + len), which was checked to be in the file, and appends a NUL. Caller frees *out. */
static int read_blob(const struct kvfs_kdump_part *part, uint64_t off, uint64_t len, char **out,
		     const char *name, struct kvfs_err *err)
{
	_cleanup_free_ char *buf = calloc(1, len + 1);
	int ret;

	if (!buf)
		return kvfs_err_sys(err, ENOMEM, "%s", name);
	ret = kvfs_io_pread_exact(part->fd, buf, len, off);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot read the notes of %s", name);
	*out = kvfs_steal_ptr(buf);
	return 0;
}

/* Every part of a split dump has the same notes: those of the first are loaded. */
static int load_notes(struct kdump *kd, const char *name, struct kvfs_err *err)
{
	const struct kvfs_kdump_part *part = &kd->set.parts[0];
	const struct kvfs_kdump_header *head = &part->head;
	char *notes;
	int ret = 0;

	if (head->notes_len) {
		ret = read_blob(part, head->notes_off, head->notes_len, &notes, name, err);
		if (ret < 0)
			return ret;
		/* This format has no p_align; makedumpfile copies the notes of an ELF core of Linux. */
		ret = kvfs_elf_notes_add(&kd->dump.notes, &(struct kvfs_elf_note_segment){
			.bytes = notes, .len = head->notes_len, .align = 4, .off = head->notes_off,
		});
		if (ret < 0) {
			free(notes);
			return kvfs_err_sys(err, -ret, "%s", name);
		}
	}
	if (head->vmcoreinfo_len)
		ret = read_blob(part, head->vmcoreinfo_off, head->vmcoreinfo_len, &kd->dump.vmcoreinfo,
				name, err);
	else
		ret = kvfs_kdump_elf_find_vmcoreinfo(&kd->dump, err);
	if (ret == 0 && kd->dump.vmcoreinfo)
		kd->dump.vmcoreinfo_len = strlen(kd->dump.vmcoreinfo);
	return ret;
}

/* Parts without a page are left out: libkdumpfile 0.5 finds no page after one. */
static int open_lib(struct kdump *kd, const char *name, struct kvfs_err *err)
{
	_cleanup_free_ int *fds = calloc(kd->set.nr_parts, sizeof(*fds));
	size_t n = 0;
	int ret;

	if (!fds)
		return kvfs_err_sys(err, ENOMEM, "%s", name);
	for (size_t i = 0; i < kd->set.nr_parts; i++) {
		const struct kvfs_kdump_part *part = &kd->set.parts[i];

		if (part->head.start_pfn < part->head.end_pfn || (n == 0 && i == kd->set.nr_parts - 1))
			fds[n++] = part->fd;
	}
	ret = kvfs_kdump_lib_open(fds, n, kd->set.page_size, &kd->lib, err);
	return ret < 0 ? kvfs_err_prefix(err, "%s", name) : 0;
}

/* Everything but the descriptors, which stay the caller's until nothing can fail any more. */
static int set_up(struct kdump *kd, const int *fds, const struct kvfs_dump_config *config,
		  struct kvfs_err *err)
{
	uint64_t nr_chunks;
	int ret;

	ret = kvfs_kdump_set_load(fds, config->files, config->nr_files, &kd->set, &kd->dump.missing, err);
	if (ret < 0)
		return ret;
	ret = open_lib(kd, config->files[0], err);
	if (ret < 0)
		return ret;
	nr_chunks = (kd->set.nr_pfns * kd->set.page_size + KVFS_CHUNK_LEN - 1) / KVFS_CHUNK_LEN;
	kd->cache = kvfs_chunkcache_create(config->pool, config->threads, config->cache_len, nr_chunks,
					   fill_chunk, kd);
	if (!kd->cache || kvfs_zstd_create(&kd->zstd) < 0)
		return kvfs_err_sys(err, ENOMEM, "%s", config->files[0]);
	ret = load_notes(kd, config->files[0], err);
	if (ret < 0)
		return ret;
	kvfs_kdump_elf_find_machine(&kd->dump, kd->set.parts[0].head.machine);
	ret = kvfs_kdump_elf_make_ram(&kd->dump, &kd->set.ram, kd->set.page_size, err);
	if (ret == 0)
		ret = kvfs_kdump_elf_make(&kd->dump, kd->set.page_size, err);
	return ret;
}

static int kdump_probe(const struct kvfs_dump_file *file, struct kvfs_err *err)
{
	return memcmp(file->head, KVFS_KDUMP_HEADER_MAGIC, KVFS_KDUMP_HEADER_MAGIC_LEN) == 0;
}

static int kdump_open(struct kvfs_dump_file *files, size_t nr, const struct kvfs_dump_config *config,
		      struct kvfs_dump **out, struct kvfs_err *err)
{
	struct kdump *kd = calloc(1, sizeof(*kd));
	_cleanup_free_ int *fds = calloc(nr, sizeof(*fds));
	int ret;

	if (!kd || !fds) {
		free(kd);
		return kvfs_err_sys(err, ENOMEM, "%s", files[0].name);
	}
	for (size_t i = 0; i < nr; i++)
		fds[i] = files[i].fd;
	kd->dump.ops = &ops;
	kd->dump.fd = -1;
	kd->dump.format = nr > 1 ? "kdump-compressed, split" : "kdump-compressed";
	ret = set_up(kd, fds, config, err);
	if (ret < 0) {
		kvfs_dump_close(&kd->dump);
		return ret;
	}
	for (size_t i = 0; i < nr; i++)
		files[i].fd = -1;
	kd->fds = kvfs_steal_ptr(fds);
	kd->nr_fds = nr;
	*out = &kd->dump;
	return 0;
}

const struct kvfs_dump_format kvfs_dump_kdump = {
	.name = "a kdump-compressed dump",
	.can_split = true,
	.probe = kdump_probe,
	.open = kdump_open,
};
