// SPDX-License-Identifier: GPL-2.0-only
#include "dump/dump.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "dump/kdump_header.h"

/* Files of a split set; makedumpfile is not asked for more. */
#define MAX_FILES 256
/* Pieces of a read that are worked on at a time. */
#define MAX_PIECES 32

/* Opening. */

/* Without O_NONBLOCK a FIFO in the place of the file would hang the mount. */
static int open_file(const char *name, uint64_t *len, struct kvfs_err *err)
{
	_cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return kvfs_err_sys(err, errno, "cannot open %s", name);
	if (fstat(fd, &st) < 0)
		return kvfs_err_sys(err, errno, "cannot stat %s", name);
	if (!S_ISREG(st.st_mode))
		return kvfs_err_set(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				    "%s is not a regular file", name);
	*len = (uint64_t)st.st_size;
	return kvfs_steal_fd(&fd);
}

/* Replaces *fd by a file without a name that has the flattened dump in order. */
static int unfold(const struct kvfs_dump_config *config, const char *name, int *fd,
		  uint64_t *len, struct kvfs_err *missing, struct kvfs_err *err)
{
	_cleanup_close_ int out = open(config->tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
	struct stat st;
	uint64_t cut;
	int ret;

	if (out < 0)
		return kvfs_err_sys(err, errno, "%s is flattened; cannot make a file in %s to put it in order",
				    name, config->tmpdir);
	ret = kvfs_flattened_unfold(*fd, name, *len, out, &cut, config->progress,
				    config->progress_arg, err);
	if (ret < 0)
		return ret;
	if (fstat(out, &st) < 0)
		return kvfs_err_sys(err, errno, "cannot stat the file in %s", config->tmpdir);
	if (cut)
		kvfs_err_set(missing, ENODATA, "%s is truncated: the flattened stream breaks off at byte 0x%llx",
			     name, (unsigned long long)cut);
	close(*fd);
	*fd = kvfs_steal_fd(&out);
	*len = (uint64_t)st.st_size;
	return 0;
}

/* Reads what tells the format; a short file has zeros behind it. */
static int read_magic(int fd, const char *name, unsigned char head[KVFS_FLATTENED_HEAD_LEN],
		      struct kvfs_err *err)
{
	ssize_t n;

	memset(head, 0, KVFS_FLATTENED_HEAD_LEN);
	n = kvfs_io_pread(fd, head, KVFS_FLATTENED_HEAD_LEN, 0);
	return n < 0 ? kvfs_err_sys(err, (int)-n, "cannot read %s", name) : 0;
}

static bool is_elf(const unsigned char *head)
{
	return memcmp(head, ELFMAG, SELFMAG) == 0;
}

static bool is_kdump(const unsigned char *head)
{
	return memcmp(head, KVFS_KDUMP_HEADER_MAGIC, KVFS_KDUMP_HEADER_MAGIC_LEN) == 0;
}

/* The files of a dump on their way in. */
struct input {
	int fds[MAX_FILES];
	size_t nr;
	uint64_t len;			/* of the first */
	unsigned char magic[KVFS_FLATTENED_HEAD_LEN];	/* of the first, in order */
	struct kvfs_err missing;
};

static void close_input(struct input *in)
{
	while (in->nr > 0) {
		int fd = in->fds[--in->nr];

		if (fd >= 0)
			close(fd);
	}
}

static int open_input(const struct kvfs_dump_config *config, struct input *in,
		      struct kvfs_err *err)
{
	for (size_t i = 0; i < config->nr_files; i++) {
		const char *name = config->files[i];
		unsigned char magic[KVFS_FLATTENED_HEAD_LEN];
		uint64_t len = 0;
		int ret = open_file(name, &len, err);

		if (ret < 0)
			return ret;
		in->fds[in->nr++] = ret;
		ret = read_magic(in->fds[i], name, magic, err);
		if (ret == 0 && kvfs_flattened_is(magic)) {
			ret = unfold(config, name, &in->fds[i], &len, &in->missing, err);
			if (ret == 0)
				ret = read_magic(in->fds[i], name, magic, err);
		}
		if (ret < 0)
			return ret;
		if (!is_elf(magic) && !is_kdump(magic))
			return kvfs_err_set(err, ENOEXEC, "%s is neither an ELF core nor a kdump-compressed dump", name);
		if (config->nr_files > 1 && !is_kdump(magic))
			return kvfs_err_set(err, EINVAL, "%s is an ELF core, which is never one of a set", name);
		if (i == 0) {
			in->len = len;
			memcpy(in->magic, magic, sizeof(magic));
		}
	}
	return 0;
}

int kvfs_dump_open(const struct kvfs_dump_config *config, struct kvfs_dump **out,
		   struct kvfs_err *err)
{
	struct input in = { .nr = 0 };
	int ret;

	if (config->nr_files == 0 || config->nr_files > MAX_FILES)
		return kvfs_err_set(err, EINVAL, "a dump of %zu files", config->nr_files);
	ret = open_input(config, &in, err);
	if (ret == 0 && is_elf(in.magic))
		ret = kvfs_dump_elf_open(in.fds[0], config->files[0], in.len, out, err);
	else if (ret == 0)
		ret = kvfs_dump_kdump_open(in.fds, config, out, err);
	if (ret < 0) {
		close_input(&in);
		return ret;
	}
	/* Where the stream broke off says more than what its last piece was to be. */
	if (in.missing.errnum)
		(*out)->missing = in.missing;
	(*out)->is_proc = config->nr_files == 1 && strcmp(config->files[0], KVFS_DUMP_PROC) == 0;
	return 0;
}

void kvfs_dump_close(struct kvfs_dump *dump)
{
	if (!dump)
		return;
	free(dump->segs);
	kvfs_extents_deinit(&dump->ram);
	kvfs_extents_deinit(&dump->core);
	free(dump->core_head);
	kvfs_elf_notes_deinit(&dump->notes);
	free(dump->vmcoreinfo);
	free(atomic_load(&dump->damaged));
	dump->ops->destroy(dump);
}

void kvfs_dump_note_damaged(struct kvfs_dump *dump, uint64_t nr, uint64_t nr_pages)
{
	_Atomic(uint8_t) *map = atomic_load(&dump->damaged), *before = NULL;
	uint8_t bit = (uint8_t)(1U << nr % 8);

	if (!map) {
		map = calloc(nr_pages / 8 + 1, 1);
		if (map && !atomic_compare_exchange_strong(&dump->damaged, &before, map)) {
			free(map);
			map = before;
		}
	}
	if (!map || !(atomic_fetch_or(&map[nr / 8], bit) & bit))
		atomic_fetch_add(&dump->nr_damaged, 1);
}

/* Tables. */

int kvfs_dump_seg_table(const struct kvfs_dump *dump, size_t nr, struct kvfs_extents *out)
{
	const struct kvfs_segment *seg = &dump->segs[nr];
	struct kvfs_extent e = {
		.len = seg->len,
		.kind = KVFS_EXTENT_FILE,
		.file_off = dump->fd >= 0 ? seg->off : seg->paddr,
	};
	int ret;

	*out = (struct kvfs_extents) { 0 };
	ret = seg->len ? kvfs_extents_add(out, &e) : 0;
	if (ret == 0)
		out->size = seg->memsz;
	return ret;
}

/* A segment on its way into ram. */
struct range {
	uint64_t start, end;	/* physical addresses */
	uint64_t space_off;	/* of start */
	size_t nr;		/* of the segment: the lower one counts */
};

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

/* Adds what of ranges, sorted by start, is not covered by what came before. */
static int add_ranges(struct kvfs_dump *dump, const struct range *v, size_t n)
{
	uint64_t covered = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t start = v[i].start > covered ? v[i].start : covered;
		struct kvfs_extent e = {
			.off = start,
			.kind = KVFS_EXTENT_FILE,
			.file_off = v[i].space_off + (start - v[i].start),
		};
		int ret;

		if (start >= v[i].end)
			continue;
		e.len = v[i].end - start;
		ret = kvfs_extents_add(&dump->ram, &e);
		if (ret < 0)
			return ret;
		covered = v[i].end;
	}
	return 0;
}

int kvfs_dump_make_ram(struct kvfs_dump *dump, bool paddr_is_space)
{
	_cleanup_free_ struct range *v = calloc(dump->nr_segs + 1, sizeof(*v));
	uint64_t size = 0;
	size_t n = 0;
	int ret;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < dump->nr_segs; i++) {
		const struct kvfs_segment *seg = &dump->segs[i];

		/* A view cannot be longer than a file can. */
		if (seg->paddr > INT64_MAX || seg->memsz > INT64_MAX - seg->paddr)
			continue;
		if (seg->paddr + seg->memsz > size)
			size = seg->paddr + seg->memsz;
		if (seg->len)
			v[n++] = (struct range) {
				.start = seg->paddr,
				.end = seg->paddr + seg->len,
				.space_off = paddr_is_space ? seg->paddr : seg->off,
				.nr = i,
			};
	}
	qsort(v, n, sizeof(*v), by_start);
	ret = add_ranges(dump, v, n);
	if (ret == 0)
		dump->ram.size = size;
	return ret;
}

/* Bytes. */

static int read_piece(struct kvfs_dump *dump, const struct kvfs_extent_piece *p, char *buf)
{
	const struct kvfs_extent *e = p->extent;

	if (e && e->kind == KVFS_EXTENT_FILE)
		return dump->ops->read(dump, buf, p->len, e->file_off + p->extent_off);
	if (e)
		memcpy(buf, (const char *)e->blob + p->extent_off, p->len);
	else
		memset(buf, 0, p->len);
	return 0;
}

ssize_t kvfs_dump_read(struct kvfs_dump *dump, const struct kvfs_extents *t, void *buf,
		       size_t len, uint64_t off)
{
	struct kvfs_extent_piece pieces[MAX_PIECES];
	size_t done = 0;

	while (done < len) {
		char *at = (char *)buf + done;
		size_t covered, n;

		n = kvfs_extents_cut(t, off + done, len - done, pieces, MAX_PIECES, &covered);
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i++) {
			int ret = read_piece(dump, &pieces[i], at + pieces[i].buf_off);

			if (ret < 0)
				return ret;
		}
		done += covered;
	}
	return (ssize_t)done;
}

/* SEEK_DATA: the first byte that is in an extent and not left out of it. */
static int seek_data(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		     uint64_t *out)
{
	for (size_t i = kvfs_extents_find(t, off); i < t->n; i++) {
		const struct kvfs_extent *e = &t->v[i];
		uint64_t start = off > e->off ? off - e->off : 0;
		uint64_t found = e->file_off + start;

		if (e->kind == KVFS_EXTENT_FILE)
			found = dump->ops->seek(dump, found, e->file_off + e->len, SEEK_DATA);
		if (found < e->file_off + e->len) {
			*out = e->off + (found - e->file_off);
			return 0;
		}
	}
	return -ENXIO;
}

/* SEEK_HOLE: the first byte that is in no extent, or left out of one. */
static int seek_hole(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		     uint64_t *out)
{
	for (size_t i = kvfs_extents_find(t, off); i < t->n && t->v[i].off <= off; i++) {
		const struct kvfs_extent *e = &t->v[i];
		uint64_t end = e->file_off + e->len;
		uint64_t found = end;

		if (e->kind == KVFS_EXTENT_FILE)
			found = dump->ops->seek(dump, e->file_off + (off - e->off), end, SEEK_HOLE);
		off = e->off + (found - e->file_off);
		if (found < end)
			break;
	}
	*out = off;
	return 0;
}

int kvfs_dump_seek(struct kvfs_dump *dump, const struct kvfs_extents *t, uint64_t off,
		   int whence, uint64_t *out)
{
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (off >= t->size)
		return -ENXIO;
	return whence == SEEK_DATA ? seek_data(dump, t, off, out) : seek_hole(dump, t, off, out);
}

int kvfs_dump_read_phys(void *arg, void *buf, size_t len, uint64_t paddr)
{
	struct kvfs_dump *dump = arg;
	ssize_t n = kvfs_dump_read(dump, &dump->ram, buf, len, paddr);

	if (n < 0)
		return (int)n;
	/* Beyond the end of memory nothing was dumped, either. */
	memset((char *)buf + n, 0, len - (size_t)n);
	return 0;
}
