// SPDX-License-Identifier: GPL-2.0-only
#include "dump/elf.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "dump/result.h"
#include "elf/load.h"

#define PAGE_LEN 4096	/* in which damage is counted, bytes */

static int elf_read(struct kvfs_dump *dump, void *buf, size_t len, uint64_t off)
{
	ssize_t got = kvfs_io_pread(dump->fd, buf, len, off);
	int ret;

	if (got >= 0 && (size_t)got == len)
		return 0;
	if (got < 0)
		return got == -EBADMSG ? -EIO : (int)got;
	/* Short: an error, or the file was cut since it was opened, since extents end with it. */
	ret = kvfs_dump_pread(dump->fd, (char *)buf + got, len - (size_t)got, off + (uint64_t)got);
	if (ret != -EBADMSG)
		return ret;
	/* Only the first page that is gone counts now; the others do when they are read. */
	off += (uint64_t)got;
	kvfs_dump_note_damaged(dump, off / PAGE_LEN, dump->core.size / PAGE_LEN + 1);
	return -EIO;
}

/* Holes of the file: a dump that `cp --sparse` copied has them for pages of zeros. */
static uint64_t elf_seek(struct kvfs_dump *dump, uint64_t off, uint64_t end, int whence)
{
	off_t found = lseek(dump->fd, (off_t)off, whence);

	if (found < 0 && errno == ENXIO)
		return end;
	/* A file system without SEEK_HOLE: everything is data. */
	if (found < 0)
		return whence == SEEK_DATA ? off : end;
	return (uint64_t)found < end ? (uint64_t)found : end;
}

/* The file's own holes can be anywhere, but no table has more data than the file. */
static uint64_t elf_data_len(struct kvfs_dump *dump, const struct kvfs_extents *t)
{
	uint64_t len = kvfs_extents_data_len(t);
	struct stat st;
	uint64_t stored;

	if (dump->is_proc || fstat(dump->fd, &st) < 0)
		return len;
	stored = (uint64_t)st.st_blocks * 512;
	return len < stored ? len : stored;
}

static void elf_destroy(struct kvfs_dump *dump)
{
	if (dump->fd >= 0)
		close(dump->fd);
	free(dump);
}

static const struct kvfs_dump_ops ops = {
	.read = elf_read,
	.seek = elf_seek,
	.data_len = elf_data_len,
	.destroy = elf_destroy,
};

/* Takes over what core holds; its counts stay valid. */
static void take_core(struct kvfs_dump *dump, struct kvfs_elf *core)
{
	dump->machine = core->machine;
	dump->segs = core->segs;
	dump->nr_segs = core->nr_segs;
	dump->notes = core->notes;
	dump->vmcoreinfo = core->vmcoreinfo;
	dump->vmcoreinfo_len = core->vmcoreinfo_len;
}

static int make_tables(struct kvfs_dump *dump, uint64_t file_len)
{
	const struct kvfs_extent whole = { .len = file_len, .kind = KVFS_EXTENT_FILE };
	int ret = kvfs_extents_add(&dump->core, &whole);

	return ret == 0 ? kvfs_dump_make_ram(dump, false) : ret;
}

/* A segment becomes a file of vmcore/, with p_memsz bytes. */
static int check_segments(const struct kvfs_elf *core, const char *name, struct kvfs_err *err)
{
	for (size_t i = 0; i < core->nr_segs; i++)
		if (core->segs[i].memsz > INT64_MAX)
			return kvfs_err_set(err, EBADMSG, "%s: seg%zu, at virtual address 0x%" PRIx64 ", claims 0x%" PRIx64
					    " bytes of memory, more than a file can have", name, i,
					    core->segs[i].vaddr, core->segs[i].memsz);
	return 0;
}

static int add_missing(struct kvfs_dump *dump, const struct kvfs_elf *core, const char *name,
		       uint64_t file_len)
{
	if (!core->nr_cut)
		return 0;
	return kvfs_dump_add_missing(&dump->missing, "%s is truncated: %zu of its segments end after byte 0x%"
				     PRIx64 ", the first is program header %zu with bytes 0x%" PRIx64 "-0x%" PRIx64,
				     name, core->nr_cut, file_len, core->first_cut.index, core->first_cut.off,
				     core->first_cut.off + core->first_cut.len - 1);
}

static int elf_probe(const struct kvfs_dump_file *file, struct kvfs_err *err)
{
	return memcmp(file->head, ELFMAG, SELFMAG) == 0;
}

static int elf_open(struct kvfs_dump_file *files, size_t nr, const struct kvfs_dump_config *config,
		    struct kvfs_dump **out, struct kvfs_err *err)
{
	struct kvfs_dump_file *file = &files[0];
	struct kvfs_elf core;
	struct kvfs_dump *dump;
	int ret;

	ret = kvfs_elf_load(file->fd, file->name, file->len, &core, err);
	if (ret < 0)
		return ret;
	ret = check_segments(&core, file->name, err);
	if (ret < 0) {
		kvfs_elf_deinit(&core);
		return ret;
	}
	dump = calloc(1, sizeof(*dump));
	if (!dump) {
		kvfs_elf_deinit(&core);
		return kvfs_err_sys(err, ENOMEM, "%s", file->name);
	}
	dump->ops = &ops;
	dump->format = core.elfclass == ELFCLASS32 ? "ELF32 core" : "ELF64 core";
	dump->fd = -1;
	take_core(dump, &core);
	ret = add_missing(dump, &core, file->name, file->len);
	if (ret == 0)
		ret = make_tables(dump, file->len);
	if (ret < 0) {
		kvfs_dump_close(dump);
		return kvfs_err_sys(err, -ret, "%s", file->name);
	}
	dump->fd = kvfs_steal_fd(&file->fd);
	*out = dump;
	return 0;
}

const struct kvfs_dump_format kvfs_dump_elf = {
	.name = "an ELF core",
	.probe = elf_probe,
	.open = elf_open,
};
