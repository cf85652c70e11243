// SPDX-License-Identifier: GPL-2.0-only
/* Opening a dump: its files are opened, those that are flattened unfolded, and the format found. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "dump/dump.h"
#include "dump/elf.h"
#include "dump/flattened.h"
#include "dump/format.h"
#include "dump/kdump.h"

/* Most files of a split dump. makedumpfile writes fewer. */
#define MAX_FILES 256

static const struct kvfs_dump_format *const formats[] = { &kvfs_dump_elf, &kvfs_dump_kdump };
#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

/* The files of a dump, and what is found out about them before the format is. */
struct input {
	const struct kvfs_dump_config *config;
	struct kvfs_err *err;
	struct kvfs_dump_file *files;	/* config->nr_files of them; fd is -1 for those not opened yet */
	const struct kvfs_dump_format *format;
	bool is_proc;			/* a file is /proc/vmcore */
	bool unchanging;		/* none is memory that changes */
	char *missing;
};

/*
 * Judges the source of a regular file: memory that changes must not be kept in the page cache. The
 * file system tells, not the name, which may be a symbolic link or a bind mount.
 */
static int check_source(struct input *in, int fd, const char *name, const struct stat *st)
{
	struct statfs fs;
	struct stat proc;

	if (fstatfs(fd, &fs) < 0)
		return kvfs_err_sys(in->err, errno, "cannot find out the file system of %s", name);
	if (fs.f_type == PROC_SUPER_MAGIC) {
		if (stat(KVFS_DUMP_PROC, &proc) < 0 || proc.st_dev != st->st_dev || proc.st_ino != st->st_ino)
			return kvfs_err_set(in->err, EINVAL, "%s is a file of procfs, which changes; of these only "
					    KVFS_DUMP_PROC " is a dump", name);
		in->is_proc = true;
		in->unchanging = false;
	}
	/* A view of a kviewfs mount may be memory of the running kernel. */
	if (fgetxattr(fd, "user.kview.mode", NULL, 0) >= 0)
		in->unchanging = false;
	return 0;
}

static int open_file(struct input *in, struct kvfs_dump_file *file)
{
	struct stat st;

	/* Without O_NONBLOCK the open of a FIFO would hang the mount. */
	file->fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return kvfs_err_sys(in->err, errno, "cannot open %s", file->name);
	if (fstat(file->fd, &st) < 0)
		return kvfs_err_sys(in->err, errno, "cannot stat %s", file->name);
	if (!S_ISREG(st.st_mode))
		return kvfs_err_set(in->err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				    "%s is not a regular file", file->name);
	file->len = (uint64_t)st.st_size;
	return check_source(in, file->fd, file->name, &st);
}

static int read_head(const struct input *in, struct kvfs_dump_file *file)
{
	ssize_t n;

	memset(file->head, 0, sizeof(file->head));
	n = kvfs_io_pread(file->fd, file->head, sizeof(file->head), 0);
	return n < 0 ? kvfs_err_sys(in->err, (int)-n, "cannot read %s", file->name) : 0;
}

/* Replaces a flattened file by a nameless one that has the dump in order. */
static int unfold(struct input *in, struct kvfs_dump_file *file)
{
	const struct kvfs_dump_config *config = in->config;
	_cleanup_close_ int out = open(config->tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
	struct stat st;
	uint64_t cut;
	int ret;

	if (out < 0)
		return kvfs_err_sys(in->err, errno, "%s is flattened; cannot make a file in %s to put it in order",
				    file->name, config->tmpdir);
	ret = kvfs_flattened_unfold(file->fd, file->name, file->len, out, &cut, config->progress,
				    config->progress_arg, in->err);
	if (ret < 0)
		return ret;
	if (fstat(out, &st) < 0)
		return kvfs_err_sys(in->err, errno, "cannot stat the file in %s", config->tmpdir);
	if (cut && kvfs_dump_add_missing(&in->missing, "%s is truncated: the flattened stream breaks off at byte 0x%llx",
					 file->name, (unsigned long long)cut) < 0)
		return kvfs_err_sys(in->err, ENOMEM, "%s", file->name);
	close(file->fd);
	file->fd = kvfs_steal_fd(&out);
	file->len = (uint64_t)st.st_size;
	return 0;
}

/* Finds the format of a file. That of the first file is the dump's. */
static int probe(struct input *in, const struct kvfs_dump_file *file)
{
	const struct kvfs_dump_format *format = NULL;

	for (size_t i = 0; i < NR_FORMATS && !format; i++) {
		int ret = formats[i]->probe(file, in->err);

		if (ret < 0)
			return ret;
		if (ret > 0)
			format = formats[i];
	}
	if (!format)
		return kvfs_err_set(in->err, ENOEXEC, "%s is neither an ELF core nor a kdump-compressed dump", file->name);
	if (in->config->nr_files > 1 && !format->can_split)
		return kvfs_err_set(in->err, EINVAL, "%s is %s, which is never one of a set", file->name, format->name);
	if (in->format && in->format != format)
		return kvfs_err_set(in->err, EINVAL, "%s is %s, but %s is %s", file->name, format->name,
				    in->files[0].name, in->format->name);
	in->format = format;
	return 0;
}

static int open_files(struct input *in)
{
	for (size_t i = 0; i < in->config->nr_files; i++) {
		struct kvfs_dump_file *file = &in->files[i];
		int ret = open_file(in, file);

		if (ret == 0)
			ret = read_head(in, file);
		if (ret == 0 && kvfs_flattened_is(file->head)) {
			ret = unfold(in, file);
			if (ret == 0)
				ret = read_head(in, file);
		}
		if (ret == 0)
			ret = probe(in, file);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Opens the dump of files that are open. What is missing of a stream is reported before the rest. */
static int open_format(struct input *in, struct kvfs_dump **out)
{
	size_t nr = in->config->nr_files;
	struct kvfs_dump *dump;
	int ret;

	ret = in->format->open(in->files, nr, in->config, &dump, in->err);
	if (ret < 0)
		return ret;
	if (in->missing) {
		if (dump->missing && kvfs_dump_add_missing(&in->missing, "%s", dump->missing) < 0) {
			kvfs_dump_close(dump);
			return kvfs_err_sys(in->err, ENOMEM, "%s", in->files[0].name);
		}
		free(dump->missing);
		dump->missing = kvfs_steal_ptr(in->missing);
	}
	dump->is_proc = in->is_proc;
	dump->unchanging = in->unchanging;
	*out = dump;
	return 0;
}

int kvfs_dump_open(const struct kvfs_dump_config *config, struct kvfs_dump **out,
		   struct kvfs_err *err)
{
	struct input in = { .config = config, .err = err, .unchanging = true };
	int ret;

	if (config->nr_files == 0 || config->nr_files > MAX_FILES)
		return kvfs_err_set(err, EINVAL, "a dump of %zu files", config->nr_files);
	in.files = calloc(config->nr_files, sizeof(*in.files));
	if (!in.files)
		return kvfs_err_sys(err, ENOMEM, "%s", config->files[0]);
	for (size_t i = 0; i < config->nr_files; i++)
		in.files[i] = (struct kvfs_dump_file) { .name = config->files[i], .fd = -1 };
	ret = open_files(&in);
	if (ret == 0)
		ret = open_format(&in, out);
	for (size_t i = 0; i < config->nr_files; i++)
		kvfs_cleanup_closep(&in.files[i].fd);
	free(in.files);
	free(in.missing);
	return ret;
}
