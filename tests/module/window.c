// SPDX-License-Identifier: GPL-2.0-only
/* Windows onto files: bytes, mappings that are the file's own, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define NR_PAGES 8

static char bytes[NR_PAGES * PAGE];

/* A file with a name that is gone already, open for both. */
static int make_file(void)
{
	char path[] = "/tmp/window.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i / PAGE * 31 + i);
	if (fd < 0 || pwrite(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
		bail("cannot make a file in /tmp");
	return fd;
}

static struct kview_extent window(uint64_t off, uint64_t len, int fd, uint64_t src)
{
	return (struct kview_extent){
		.off = off, .len = len, .src = src, .kind = KVIEW_EXTENT_FILE, .fd = fd,
	};
}

/* Pages 2 to 5 of the file at page 1, a hole, page 7 at page 6. */
static int make_view(int file)
{
	struct kview_extent extents[] = {
		window(PAGE, 4 * PAGE, file, 2 * PAGE),
		window(6 * PAGE, PAGE, file, 7 * PAGE),
	};

	return kv_create(NR_PAGES * PAGE, extents, 2);
}

static void test_read(int file, int view)
{
	static char want[NR_PAGES * PAGE], got[NR_PAGES * PAGE + 1];

	memcpy(want + PAGE, bytes + 2 * PAGE, 4 * PAGE);
	memcpy(want + 6 * PAGE, bytes + 7 * PAGE, PAGE);
	is_int(pread(view, got, sizeof(got), 0), sizeof(want), "a read goes over windows and holes");
	ok(!memcmp(got, want, sizeof(want)), "and has the file's bytes");
	is_int(pread(view, got, 100, PAGE + 4000), 100, "a read in the middle");
	ok(!memcmp(got, bytes + 2 * PAGE + 4000, 100), "and its bytes");
	ok(pwrite(file, "changed", 7, 3 * PAGE) == 7 && pread(view, got, 7, 2 * PAGE) == 7 &&
	   !memcmp(got, "changed", 7), "what is written to the file is seen");
	pwrite(file, bytes + 3 * PAGE, 7, 3 * PAGE);
	ok(preadv2(view, &(struct iovec){ got, PAGE }, 1, PAGE, RWF_NOWAIT) < 0 && errno == EOPNOTSUPP,
	   "a window may have to wait: RWF_NOWAIT is EOPNOTSUPP");
	is_int(lseek(view, 0, SEEK_DATA), PAGE, "SEEK_DATA finds the window");
	is_int(lseek(view, PAGE, SEEK_HOLE), 5 * PAGE, "SEEK_HOLE finds its end");
}

static int map_errno(int view, size_t len, int prot, int flags, off_t off)
{
	void *map = mmap(NULL, len, prot, flags, view, off);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, len);
	return 0;
}

static void test_map(int file, int view)
{
	char *map;

	for (int i = 0; i < 2; i++) {
		int flags = i ? MAP_PRIVATE : MAP_SHARED;

		map = mmap(NULL, 2 * PAGE, PROT_READ, flags, view, 2 * PAGE);
		ok(map != MAP_FAILED, "%s inside a window", i ? "MAP_PRIVATE" : "MAP_SHARED");
		if (map == MAP_FAILED)
			continue;
		ok(!memcmp(map, bytes + 3 * PAGE, 2 * PAGE), "has the file's bytes");
		ok(pwrite(file, "live", 4, 3 * PAGE) == 4 && !memcmp(map, "live", 4), "its own pages");
		pwrite(file, bytes + 3 * PAGE, 4, 3 * PAGE);
		ok(mprotect(map, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES, "never writable");
		ok(mprotect(map, PAGE, PROT_READ | PROT_EXEC) < 0 && errno == EACCES, "never executable");
		ok(!munmap(map + PAGE, PAGE) && !memcmp(map, bytes + 3 * PAGE, PAGE), "a part can be unmapped");
		munmap(map, PAGE);
	}
	is_int(map_errno(view, 4 * PAGE, PROT_READ, MAP_SHARED, PAGE), 0, "all of a window");
	is_int(map_errno(view, 5 * PAGE, PROT_READ, MAP_SHARED, PAGE), EINVAL, "a window and a hole");
	is_int(map_errno(view, 2 * PAGE, PROT_READ, MAP_SHARED, 0), EINVAL, "a hole and a window");
	is_int(map_errno(view, 2 * PAGE, PROT_READ, MAP_SHARED, 4 * PAGE), EINVAL, "over the end of one");
	is_int(map_errno(view, PAGE, PROT_READ, MAP_SHARED, 5 * PAGE), 0, "a hole alone");
	is_int(map_errno(view, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, PAGE), EACCES, "no PROT_WRITE");
	/* A mapping that grew would show bytes after the window. */
	map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, view, PAGE);
	ok(mremap(map, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED, "mremap does not grow it");
	munmap(map, 4 * PAGE);
}

/* The view holds the file, and a mapping holds both. */
static void test_life(void)
{
	int file = make_file(), view = make_view(file);
	char byte, *map;

	close(file);
	is_int(pread(view, &byte, 1, PAGE), 1, "the view holds the file");
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, view, PAGE);
	close(view);
	ok(map != MAP_FAILED && !memcmp(map, bytes + 2 * PAGE, PAGE), "a mapping outlives both");
	munmap(map, PAGE);
}

static int try_window(int fd, uint64_t src)
{
	struct kview_extent extent = window(0, PAGE, fd, src);
	int view = kv_try_create(PAGE, &extent, 1);

	if (view >= 0)
		close(view);
	return view < 0 ? -view : 0;
}

static void test_refused(int file, int view)
{
	int dir = open("/", O_RDONLY), null = open("/dev/null", O_RDONLY), pipes[2], path, wronly;
	struct kview_extent extent = window(0, PAGE, file, 0);
	struct stat st;

	path = open("/proc/self/exe", O_PATH);
	wronly = open("/tmp", O_TMPFILE | O_WRONLY, 0600);
	ok(!fstat(file, &st) && !pipe(pipes), "descriptors");
	is_int(try_window(file, 0), 0, "a regular file: yes");
	is_int(try_window(-1, 0), EBADF, "no descriptor: EBADF");
	is_int(try_window(wronly, 0), EBADF, "not open for reading: EBADF");
	is_int(try_window(path, 0), EBADF, "O_PATH: EBADF");
	is_int(try_window(view, 0), ELOOP, "a view: ELOOP");
	is_int(try_window(dir, 0), EINVAL, "a directory: EINVAL");
	is_int(try_window(null, 0), EINVAL, "a device: EINVAL");
	is_int(try_window(pipes[0], 0), EINVAL, "a pipe: EINVAL");
	is_int(try_window(file, INT64_MAX - PAGE), 0, "as far as offsets go");
	is_int(try_window(file, INT64_MAX - PAGE + 1), EINVAL, "and no farther");
	extent.vaddr = PAGE;
	is_int(kv_try_create(PAGE, &extent, 1), -EINVAL, "vaddr must be 0");
}

static int touch_in_child(int view)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		volatile char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, view, 0);

		_exit(map[0] ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_short_file(void)
{
	int file = make_file(), view;
	struct kview_extent extent = window(0, 2 * PAGE, file, (NR_PAGES - 1) * PAGE);
	char buf[2 * PAGE];

	view = kv_create(2 * PAGE, &extent, 1);
	is_int(pread(view, buf, sizeof(buf), 0), PAGE, "a file that ends early: what there is");
	ok(pread(view, buf, PAGE, PAGE) < 0 && errno == EIO, "then EIO");
	ok(!ftruncate(file, 0) && touch_in_child(view) == SIGBUS, "and SIGBUS where it is mapped");
	close(view);
	extent = window(0, PAGE, file, INT64_MAX - PAGE);
	view = kv_create(PAGE, &extent, 1);
	ok(pread(view, buf, PAGE, 0) < 0 && errno == EIO, "EIO at the last offsets that there are, too");
	extent = window(0, PAGE, file, 100);
	close(view);
	view = kv_create(PAGE, &extent, 1);
	is_int(map_errno(view, PAGE, PROT_READ, MAP_SHARED, 0), ENODEV, "not at a page of the file: ENODEV");
	close(view);
	close(file);
}

/* A LSM is asked about the file when the window is mapped, besides about the view. */
static void test_lsm(int view)
{
	if (!kv_has_symbol("security_mmap_backing_file")) {
		skip(1, "this kernel's LSMs have no hook for backing files");
		return;
	}
	if (!kv_probe("security_mmap_backing_file")) {
		skip(1, "no probe at security_mmap_backing_file");
		return;
	}
	map_errno(view, PAGE, PROT_READ, MAP_SHARED, PAGE);
	is_int(kv_probe_hits(), 1, "one mapping: the LSM hook for backing files is called once");
	kv_unprobe();
}

/* Reads are made with the credentials of the process that opened the file, not the reader's. */
static void test_credentials(void)
{
	/* A sysctl of mode 0600 checks the reader at each read. */
	int fd = open("/proc/sys/kernel/cad_pid", O_RDONLY), view;
	struct kview_extent extent = window(0, PAGE, fd, 0);
	ssize_t through, direct;
	char buf[16];

	if (fd < 0 || !kv_has_symbol("backing_file_read_iter")) {
		skip(2, "this kernel has no backing files");
		return;
	}
	view = kv_create(PAGE, &extent, 1);
	if (seteuid(65534))
		bail("seteuid: %s", strerror(errno));
	direct = pread(fd, buf, sizeof(buf), 0);
	through = pread(view, buf, sizeof(buf), 0);
	if (seteuid(0))
		bail("seteuid: %s", strerror(errno));
	ok(direct < 0, "the file refuses another user");
	is_int(through, 2, "but not through a window that root has made");
	close(view);
	close(fd);
}

int main(void)
{
	int file, view;

	ok(kv_info().features & KVIEW_FEATURE_FILE, "the module has windows");
	file = make_file();
	view = make_view(file);
	test_read(file, view);
	test_map(file, view);
	test_life();
	test_refused(file, view);
	test_short_file();
	test_lsm(view);
	test_credentials();
	return finish();
}
