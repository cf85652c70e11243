// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "dump/dump.h"
#include "dump/elf.h"
#include "dump/kdump.h"
#include "failalloc.h"
#include "space_dump.h"
#include "unit.h"

#define ELF_BYTES "\177ELF and so on"
#define KDUMP_BYTES "KDUMP   and so on"

/* What the formats, which are stand-ins here, were asked. */
static struct {
	const char *opened;	/* the format that was asked to open, or NULL */
	char bytes[2][32];	/* of the first two files */
	uint64_t file_len;
	size_t nr_files;
	unsigned int probes;
	int probe_ret;		/* of the kdump format if it is not 0 */
	int ret;		/* of open */
	const char *missing;	/* of the dump, or NULL */
} asked;

static int answer(const char *format, struct kvfs_dump_file *files, size_t nr, struct kvfs_dump **out,
		  struct kvfs_err *err)
{
	asked.opened = format;
	asked.nr_files = nr;
	asked.file_len = files[0].len;
	for (size_t i = 0; i < nr && i < 2; i++) {
		memset(asked.bytes[i], 0, sizeof(asked.bytes[i]));
		ck_assert_int_ge(pread(files[i].fd, asked.bytes[i], sizeof(asked.bytes[i]) - 1, 0), 0);
		ck_assert_mem_eq(files[i].head, asked.bytes[i], sizeof(asked.bytes[i]) - 1);
	}
	if (asked.ret < 0)
		return kvfs_err_set(err, -asked.ret, "the format says no");
	*out = new_dump();
	/* The first descriptor is kept; the others are the caller's to close. */
	(*out)->fd = kvfs_steal_fd(&files[0].fd);
	if (asked.missing)
		(*out)->missing = strdup(asked.missing);
	return 0;
}

static int elf_probe(const struct kvfs_dump_file *file, struct kvfs_err *err)
{
	asked.probes++;
	return memcmp(file->head, ELF_BYTES, 4) == 0;
}

static int elf_open(struct kvfs_dump_file *files, size_t nr, const struct kvfs_dump_config *config,
		    struct kvfs_dump **out, struct kvfs_err *err)
{
	return answer("elf", files, nr, out, err);
}

const struct kvfs_dump_format kvfs_dump_elf = { .name = "an ELF core", .probe = elf_probe, .open = elf_open };

static int kdump_probe(const struct kvfs_dump_file *file, struct kvfs_err *err)
{
	asked.probes++;
	if (asked.probe_ret < 0)
		return kvfs_err_set(err, -asked.probe_ret, "the probe says no");
	return memcmp(file->head, KDUMP_BYTES, 8) == 0;
}

static int kdump_open(struct kvfs_dump_file *files, size_t nr, const struct kvfs_dump_config *config,
		      struct kvfs_dump **out, struct kvfs_err *err)
{
	return answer("kdump", files, nr, out, err);
}

const struct kvfs_dump_format kvfs_dump_kdump = {
	.name = "a kdump-compressed dump", .can_split = true, .probe = kdump_probe, .open = kdump_open,
};

/* A machine with another file system and another /proc/vmcore. */
int __wrap_fstatfs(int fd, struct statfs *fs);
int __real_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs);
int __wrap_stat(const char *path, struct stat *st);
int __real_stat(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);

static struct {
	bool is_procfs;		/* all files are files of procfs */
	int vmcore;		/* descriptor of /proc/vmcore; -1: there is none */
} machine = { .vmcore = -1 };

int __wrap_fstatfs(int fd, struct statfs *fs)
{
	int ret = __real_fstatfs(fd, fs);

	if (machine.is_procfs)
		fs->f_type = PROC_SUPER_MAGIC;
	return ret;
}

int __wrap_fstatfs64(int fd, struct statfs *fs)
{
	return __wrap_fstatfs(fd, fs);
}

int __wrap_stat(const char *path, struct stat *st)
{
	if (strcmp(path, KVFS_DUMP_PROC) != 0)
		return __real_stat(path, st);
	if (machine.vmcore >= 0)
		return fstat(machine.vmcore, st);
	errno = ENOENT;
	return -1;
}

int __wrap_stat64(const char *path, struct stat *st)
{
	return __wrap_stat(path, st);
}

ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t len);
ssize_t __real_fgetxattr(int fd, const char *name, void *value, size_t len);

static bool is_view;	/* all files are views of a kviewfs mount */

ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t len)
{
	if (is_view && strcmp(name, "user.kview.mode") == 0)
		return 4;
	return __real_fgetxattr(fd, name, value, len);
}

/* Opens files with these bytes; the names are those of memory files. */
static int open_files(const char *const *bytes, const size_t *lens, size_t nr, struct kvfs_dump **out,
		      struct kvfs_err *err)
{
	char names[2][64];
	const char *files[2] = { names[0], names[1] };
	const struct kvfs_dump_config config = { .files = files, .nr_files = nr, .tmpdir = "/tmp" };
	int fds[2], ret;

	memset(err, 0, sizeof(*err));
	asked.opened = NULL;
	*out = NULL;
	for (size_t i = 0; i < nr; i++) {
		fds[i] = unit_file(bytes[i], lens[i]);
		snprintf(names[i], sizeof(names[i]), "%s", unit_path(fds[i]));
	}
	ret = kvfs_dump_open(&config, out, err);
	for (size_t i = 0; i < nr; i++)
		close(fds[i]);
	return ret;
}

static int open_one(const char *bytes, size_t len, struct kvfs_dump **out, struct kvfs_err *err)
{
	return open_files(&bytes, &len, 1, out, err);
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

START_TEST(test_formats)
{
	static const char *const set[] = { KDUMP_BYTES " 1", KDUMP_BYTES " 2" };
	const size_t lens[] = { strlen(set[0]), strlen(set[1]) };
	int first = lowest_fd();
	struct kvfs_dump *dump;
	struct kvfs_err err;

	ck_assert_int_eq(open_one(ELF_BYTES, sizeof(ELF_BYTES), &dump, &err), 0);
	ck_assert_str_eq(asked.opened, "elf");
	ck_assert_str_eq(asked.bytes[0], ELF_BYTES);
	ck_assert_uint_eq(asked.file_len, sizeof(ELF_BYTES));
	ck_assert(!dump->is_proc && dump->unchanging);
	ck_assert_ptr_null(dump->missing);
	kvfs_dump_close(dump);

	ck_assert_int_eq(open_one(KDUMP_BYTES, sizeof(KDUMP_BYTES), &dump, &err), 0);
	ck_assert_str_eq(asked.opened, "kdump");
	kvfs_dump_close(dump);

	ck_assert_int_eq(open_files(set, lens, 2, &dump, &err), 0);
	ck_assert_uint_eq(asked.nr_files, 2);
	ck_assert_str_eq(asked.bytes[0], set[0]);
	ck_assert_str_eq(asked.bytes[1], set[1]);
	kvfs_dump_close(dump);
	ck_assert_int_eq(lowest_fd(), first);
}
END_TEST

/* makedumpfile's stream: a head of 4 KiB, then pieces with their place and length. */
static size_t flatten(char *flat, const char *bytes, size_t len, bool ends)
{
	const unsigned char piece[16] = { [15] = (unsigned char)len };

	memset(flat, 0, 2 * PAGE);
	strcpy(flat, "makedumpfile");
	flat[23] = flat[31] = 1;
	memcpy(flat + PAGE, piece, sizeof(piece));
	memcpy(flat + PAGE + 16, bytes, len);
	memset(flat + PAGE + 16 + len, 0xff, 16);
	return PAGE + 16 + len + (ends ? 16 : 0);
}

START_TEST(test_flattened)
{
	static char flat[2 * PAGE];
	struct kvfs_dump *dump;
	struct kvfs_err err;
	size_t len;

	len = flatten(flat, KDUMP_BYTES, sizeof(KDUMP_BYTES), true);
	ck_assert_int_eq(open_one(flat, len, &dump, &err), 0);
	ck_assert_str_eq(asked.opened, "kdump");
	ck_assert_str_eq(asked.bytes[0], KDUMP_BYTES);
	ck_assert_ptr_null(dump->missing);
	kvfs_dump_close(dump);

	len = flatten(flat, ELF_BYTES, sizeof(ELF_BYTES), false);
	ck_assert_int_eq(open_one(flat, len, &dump, &err), 0);
	ck_assert_str_eq(asked.opened, "elf");
	ck_assert_uint_eq(asked.file_len, sizeof(ELF_BYTES));
	ck_assert_ptr_nonnull(strstr(dump->missing, "breaks off"));
	kvfs_dump_close(dump);

	len = flatten(flat, "neither", 7, true);
	unit_assert_error(open_one(flat, len, &dump, &err), ENOEXEC, err, "neither an ELF core nor");
	memset(flat + PAGE, 0x7f, 16);
	unit_assert_error(open_one(flat, len, &dump, &err), EBADMSG, err, "claims");
}
END_TEST

START_TEST(test_no_room_to_unfold)
{
	static char flat[2 * PAGE];
	size_t len = flatten(flat, KDUMP_BYTES, sizeof(KDUMP_BYTES), true);
	_cleanup_close_ int fd = unit_file(flat, len);
	const char *name = unit_path(fd);
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/no/such/folder" };
	struct kvfs_dump *dump;
	struct kvfs_err err = { 0 };

	unit_assert_error(kvfs_dump_open(&config, &dump, &err), ENOENT, err, "/no/such/folder");
}
END_TEST

static int open_name(const char *name, struct kvfs_err *err)
{
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };
	struct kvfs_dump *dump;

	memset(err, 0, sizeof(*err));
	return kvfs_dump_open(&config, &dump, err);
}

START_TEST(test_refused)
{
	static const char *const mixed[] = { KDUMP_BYTES, ELF_BYTES };
	const size_t lens[] = { sizeof(KDUMP_BYTES), sizeof(ELF_BYTES) };
	char fifo[] = "/tmp/kviewfs-unit-XXXXXX", path[64];
	int first = lowest_fd();
	struct kvfs_dump_config config = { .nr_files = 0 };
	struct kvfs_dump *dump;
	struct kvfs_err err = { 0 };

	unit_assert_error(kvfs_dump_open(&config, &dump, &err), EINVAL, err, "0 files");
	ck_assert_ptr_null(asked.opened);
	config.nr_files = 257;
	unit_assert_error(kvfs_dump_open(&config, &dump, &err), EINVAL, err, "257 files");
	unit_assert_error(open_name("/no/such/dump", &err), ENOENT, err, "cannot open /no/such/dump");
	unit_assert_error(open_name("/", &err), EISDIR, err, "/ is not a regular file");
	unit_assert_error(open_one("", 0, &dump, &err), ENOEXEC, err, "neither");
	unit_assert_error(open_one("KDUMP", 5, &dump, &err), ENOEXEC, err, "neither");
	unit_assert_error(open_files(mixed, lens, 2, &dump, &err), EINVAL, err, "never one of a set");
	/* The open of a FIFO without a writer does not wait. */
	ck_assert_ptr_nonnull(mkdtemp(fifo));
	snprintf(path, sizeof(path), "%s/fifo", fifo);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	unit_assert_error(open_name(path, &err), EINVAL, err, "not a regular file");
	unlink(path);
	rmdir(fifo);
	asked.ret = -EBADMSG;
	unit_assert_error(open_one(ELF_BYTES, sizeof(ELF_BYTES), &dump, &err), EBADMSG, err, "says no");
	unit_assert_error(open_one(KDUMP_BYTES, sizeof(KDUMP_BYTES), &dump, &err), EBADMSG, err, "says no");
	ck_assert_int_eq(lowest_fd(), first);
}
END_TEST

/* Each file is probed by its head, once, by one format after the other. */
START_TEST(test_probe)
{
	struct kvfs_dump *dump;
	struct kvfs_err err;

	ck_assert_int_eq(open_one(KDUMP_BYTES, sizeof(KDUMP_BYTES), &dump, &err), 0);
	ck_assert_uint_eq(asked.probes, 2);
	kvfs_dump_close(dump);
	asked.probe_ret = -ENOEXEC;
	unit_assert_error(open_one(KDUMP_BYTES, sizeof(KDUMP_BYTES), &dump, &err), ENOEXEC, err, "the probe says no");
	ck_assert_ptr_null(asked.opened);
}
END_TEST

/* What a stream lacks and what the dump in it lacks are both reported. */
START_TEST(test_missing)
{
	static char flat[2 * PAGE];
	size_t len = flatten(flat, KDUMP_BYTES, sizeof(KDUMP_BYTES), false);
	const char *const files[] = { flat, flat };
	const size_t lens[] = { len, len };
	struct kvfs_dump *dump;
	struct kvfs_err err;
	char *second;

	asked.missing = "a page is missing";
	ck_assert_int_eq(open_files(files, lens, 2, &dump, &err), 0);
	second = strstr(strstr(dump->missing, "breaks off") + 1, "breaks off");
	ck_assert_ptr_nonnull(second);
	ck_assert_ptr_nonnull(strstr(second, "; a page is missing"));
	kvfs_dump_close(dump);
}
END_TEST

/* Memory of the running kernel is no dump, under whatever name; /proc/vmcore is one. */
START_TEST(test_procfs)
{
	char dir[] = "/tmp/kviewfs-unit-XXXXXX", path[64];
	int first = lowest_fd();
	struct kvfs_dump *dump;
	struct kvfs_err err;

	unit_assert_error(open_name("/proc/version", &err), EINVAL, err, "/proc/version is a file of procfs");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/dump", dir);
	ck_assert_int_eq(symlink("/proc/version", path), 0);
	unit_assert_error(open_name(path, &err), EINVAL, err, "only /proc/vmcore is a dump");
	unlink(path);
	rmdir(dir);

	machine.is_procfs = true;
	unit_assert_error(open_one(ELF_BYTES, sizeof(ELF_BYTES), &dump, &err), EINVAL, err, "procfs");
	machine.vmcore = unit_file(NULL, 0);
	unit_assert_error(open_one(ELF_BYTES, sizeof(ELF_BYTES), &dump, &err), EINVAL, err, "procfs");
	ck_assert_int_eq(pwrite(machine.vmcore, ELF_BYTES, sizeof(ELF_BYTES), 0), sizeof(ELF_BYTES));
	{
		const char *name = unit_path(machine.vmcore);
		const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };

		ck_assert_int_eq(kvfs_dump_open(&config, &dump, &err), 0);
	}
	ck_assert(dump->is_proc && !dump->unchanging);
	kvfs_dump_close(dump);
	close(machine.vmcore);
	ck_assert_int_eq(lowest_fd(), first);
}
END_TEST

/* A view of another mount, which may be live memory, must not be kept in the page cache. */
START_TEST(test_view)
{
	char path[] = "/tmp/kviewfs-unit-XXXXXX";
	int fd = mkstemp(path);
	const char *name = path;
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };
	struct kvfs_dump *dump;
	struct kvfs_err err;

	ck_assert_int_eq(pwrite(fd, ELF_BYTES, sizeof(ELF_BYTES), 0), sizeof(ELF_BYTES));
	ck_assert_int_eq(kvfs_dump_open(&config, &dump, &err), 0);
	ck_assert(dump->unchanging);
	kvfs_dump_close(dump);
	is_view = true;
	ck_assert_int_eq(kvfs_dump_open(&config, &dump, &err), 0);
	ck_assert(!dump->unchanging && !dump->is_proc);
	kvfs_dump_close(dump);
	unlink(path);
	close(fd);
}
END_TEST

START_TEST(test_out_of_memory)
{
	static char flat[2 * PAGE];
	size_t len = flatten(flat, KDUMP_BYTES, sizeof(KDUMP_BYTES), false);
	_cleanup_close_ int fd = unit_file(flat, len);
	const char *name = unit_path(fd);
	const struct kvfs_dump_config config = { .files = &name, .nr_files = 1, .tmpdir = "/tmp" };
	struct kvfs_dump *dump = NULL;
	int first = lowest_fd(), ret;
	struct kvfs_err err = { 0 };

	/* Not the stand-in's own: the dump, and a text that it has. */
	for (int n = 0; n < 3; n++) {
		failalloc_arm(n);
		ret = kvfs_dump_open(&config, &dump, &err);
		ck_assert(failalloc_happened());
		unit_assert_error(ret, ENOMEM, err, name);
		ck_assert_int_eq(lowest_fd(), first);
	}
	ck_assert_int_eq(kvfs_dump_open(&config, &dump, &err), 0);
	kvfs_dump_close(dump);
}
END_TEST

UNIT_MAIN("dump/open", test_formats, test_probe, test_flattened, test_missing, test_no_room_to_unfold, test_refused,
	  test_procfs, test_view, test_out_of_memory)
