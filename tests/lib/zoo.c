// SPDX-License-Identifier: GPL-2.0-only
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define PAGE (UINT64_C(4096))
#define HUGE (2 * MIB)
#define LARGE (1024 * MIB)

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102		/* Linux 6.13 */
#endif

/* Names of mappings by address, where /proc/self/maps has none that fits. */
static struct {
	uint64_t addr;
	const char *name;
} names[ZOO_MAX_MAPPINGS];
static size_t nr_names;

static struct zoo_report *report;

static void fail(const char *what)
{
	fprintf(stderr, "zoo: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void missing(const char *fmt, ...)
{
	va_list ap;

	if (report->nr_missing == sizeof(report->missing) / sizeof(report->missing[0]))
		return;
	va_start(ap, fmt);
	vsnprintf(report->missing[report->nr_missing++], sizeof(report->missing[0]), fmt, ap);
	va_end(ap);
}

static void name_it(const char *name, void *addr)
{
	names[nr_names].addr = (uintptr_t)addr;
	names[nr_names++].name = name;
}

/* mmap(2) with a gap on either side, so that mappings are not merged. */
static uint8_t *map_named(const char *name, size_t len, int prot, int flags, int fd, off_t off)
{
	uint8_t *room, *p;

	room = mmap(NULL, len + 2 * HUGE + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		fail("no room");
	munmap(room, len + 2 * HUGE + 2 * PAGE);
	p = (uint8_t *)(((uintptr_t)room + PAGE + HUGE - 1) & ~(HUGE - 1));
	p = mmap(p, len, prot, flags | MAP_FIXED_NOREPLACE, fd, off);
	if (p == MAP_FAILED) {
		missing("%s: %s", name, strerror(errno));
		return NULL;
	}
	name_it(name, p);
	return p;
}

/* For mappings whose address the kernel chooses. */
static void map_anywhere(const char *name, size_t len, int fd, off_t off)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, off);

	if (p == MAP_FAILED)
		missing("%s: %s", name, strerror(errno));
	else
		name_it(name, p);
}

static uint8_t *map_anon(const char *name, size_t len)
{
	return map_named(name, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Writes to every step-th page. */
static void touch(uint8_t *p, size_t len, size_t step)
{
	for (size_t off = 0; p && off < len; off += step * PAGE)
		p[off] = 1;
}

static void look(uint8_t *p, size_t len, size_t step)
{
	for (size_t off = 0; p && off < len; off += step * PAGE)
		(void)*(volatile uint8_t *)(p + off);
}

/* Large enough for the daemon to divide the work among CPUs; their borders lie in rows of pages. */
static void large(void)
{
	uint8_t *p = map_anon("anonymous: a GiB, few pages", LARGE);
	int fd = memfd_create("zoo", MFD_CLOEXEC);

	if (!p)
		fail("no room for a GiB");
	madvise(p, LARGE, MADV_NOHUGEPAGE);
	touch(p, LARGE, 1021);
	for (size_t cpus = 2; cpus <= 8; cpus++)
		for (size_t part = 1; part < cpus; part++)
			touch(p + LARGE / PAGE * part / cpus * PAGE - 4 * PAGE, 7 * PAGE, 1);
	if (fd < 0 || ftruncate(fd, LARGE) < 0)
		fail("memfd_create");
	for (size_t off = 0; off < LARGE; off += 509 * PAGE)
		if (pwrite(fd, "x", 1, (off_t)off) != 1)
			fail("memfd");
	p = map_named("memfd: a GiB, some of it mapped", LARGE, PROT_READ, MAP_SHARED, fd, 0);
	look(p, LARGE, 3 * 509);
	close(fd);
}

static void anonymous(void)
{
	uint8_t *p;

	touch(map_anon("anonymous: written", 64 * PAGE), 64 * PAGE, 1);
	touch(map_anon("anonymous: every third page", 100 * PAGE), 100 * PAGE, 3);
	look(map_anon("anonymous: only read", 16 * PAGE), 16 * PAGE, 2);
	map_anon("anonymous: untouched", 32 * PAGE);
	p = map_anon("PROT_NONE with pages", 16 * PAGE);
	touch(p, 16 * PAGE, 2);
	mprotect(p, 16 * PAGE, PROT_NONE);
	map_named("PROT_NONE, empty", 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = map_anon("anonymous: pattern", PAGE);
	memset(p, 0xa5, PAGE);
	report->pattern_addr = (uintptr_t)p;
	p = map_anon("anonymous: locked", 8 * PAGE);
	mlock(p, 8 * PAGE);
	p = map_anon("anonymous: partly given back", 32 * PAGE);
	touch(p, 32 * PAGE, 1);
	madvise(p + 8 * PAGE, 8 * PAGE, MADV_DONTNEED);
	p = map_anon("anonymous: guard pages", 32 * PAGE);
	touch(p, 32 * PAGE, 2);
	if (madvise(p + 4 * PAGE, 4 * PAGE, MADV_GUARD_INSTALL) < 0)
		missing("guard pages: %s", strerror(errno));
}

static void huge(void)
{
	uint8_t *p;

	p = map_anon("THP: written", 2 * HUGE);
	if (madvise(p, 2 * HUGE, MADV_HUGEPAGE) < 0)
		missing("THP: %s", strerror(errno));
	touch(p, 2 * HUGE, 512);
	p = map_anon("THP: only read", HUGE);
	madvise(p, HUGE, MADV_HUGEPAGE);
	look(p, HUGE, 512);
	p = map_anon("THP: split, partly given back", HUGE);
	madvise(p, HUGE, MADV_HUGEPAGE);
	touch(p, HUGE, 512);
	madvise(p + 100 * PAGE, 50 * PAGE, MADV_DONTNEED);
}

/* An unlinked file of nr_pages on disk, all of it in the page cache. */
static int new_file(const char *dir, size_t nr_pages)
{
	char path[4096], page[PAGE];
	int fd;

	snprintf(path, sizeof(path), "%s/zoo.XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		fail(path);
	unlink(path);
	memset(page, 0x5a, sizeof(page));
	for (size_t i = 0; i < nr_pages; i++)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			fail("write");
	if (fsync(fd) < 0)
		fail("fsync");
	return fd;
}

static void files(const char *dir)
{
	const int rw = PROT_READ | PROT_WRITE;
	uint8_t *p;
	int fd;

	fd = new_file(dir, 64);
	touch(map_named("file: shared, written", 64 * PAGE, rw, MAP_SHARED, fd, 0), 64 * PAGE, 4);
	fd = new_file(dir, 64);
	map_named("file: resident, not mapped", 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	p = map_named("file: private, some pages copied", 64 * PAGE, rw, MAP_PRIVATE, fd, 0);
	look(p, 32 * PAGE, 1);
	touch(p, 64 * PAGE, 5);
	map_named("file: from the middle, past the end", 64 * PAGE, PROT_READ, MAP_SHARED, fd, 40 * PAGE);
	map_named("file: PROT_NONE", 64 * PAGE, PROT_NONE, MAP_PRIVATE, fd, 0);
	fd = new_file(dir, 64);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	map_named("file: not resident", 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	fd = new_file(dir, 512);
	posix_fadvise(fd, 100 * PAGE, 200 * PAGE, POSIX_FADV_DONTNEED);
	p = map_named("file: some pages resident", 512 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	madvise(p, 512 * PAGE, MADV_RANDOM);
	look(p, 90 * PAGE, 7);
	fd = open("/dev/zero", O_RDWR);
	touch(map_named("device: /dev/zero, private", 16 * PAGE, rw, MAP_PRIVATE, fd, 0), 16 * PAGE, 2);
	touch(map_named("/dev/zero, shared", 16 * PAGE, rw, MAP_SHARED, fd, 0), 16 * PAGE, 2);
}

/* Mounts an overlay of the folder name of dir over dir, for this process alone. */
static bool mount_overlay(const char *dir, const char *name)
{
	char options[4096];

	snprintf(options, sizeof(options), "lowerdir=%s/%s:/etc", dir, name);
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("zoo", dir, "overlay", MS_RDONLY, options) == 0;
}

/*
 * Files on overlayfs. Called last: dir is covered from here on. The page cache is that of the file
 * below.
 */
static void overlay(const char *dir)
{
	char path[4096], page[PAGE] = { 1 };
	const char *name;
	int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), below, fd = -1;

	snprintf(path, sizeof(path), "%s/zoo.XXXXXX", dir);
	if (dir_fd < 0 || !mkdtemp(path))
		fail(path);
	name = path + strlen(dir) + 1;
	strcat(path, "/file");
	below = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (size_t i = 0; i < 64; i++)
		if (write(below, page, sizeof(page)) != sizeof(page))
			fail(path);
	fsync(below);
	*strrchr(path, '/') = '\0';
	if (mount_overlay(dir, name)) {
		snprintf(page, sizeof(page), "%s/file", dir);
		fd = open(page, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		missing("overlay: %s", strerror(errno));
	posix_fadvise(below, 40 * PAGE, 10 * PAGE, POSIX_FADV_DONTNEED);
	if (fd >= 0) {
		map_named("overlay: some pages resident, not mapped", 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
		look(map_named("overlay: some pages mapped", 64 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0), 32 * PAGE, 5);
	}
	snprintf(page, sizeof(page), "%s/file", name);
	unlinkat(dir_fd, page, 0);
	unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static void shared(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	uint8_t page[PAGE] = { 1 }, *p;
	int fd, id;

	touch(map_named("shared anonymous", 64 * PAGE, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	      64 * PAGE, 3);
	fd = memfd_create("zoo", 0);
	if (ftruncate(fd, 64 * PAGE) < 0)
		fail("memfd");
	for (size_t i = 0; i < 64; i += 2)
		if (pwrite(fd, page, sizeof(page), (off_t)(i * PAGE)) != sizeof(page))
			fail("memfd");
	p = map_named("memfd: resident, not mapped, holes", 64 * PAGE, rw, MAP_SHARED, fd, 0);
	look(p, 8 * PAGE, 2);
	p = map_named("memfd: private, some pages copied", 64 * PAGE, rw, MAP_PRIVATE, fd, 0);
	touch(p, 32 * PAGE, 4);
	id = shmget(IPC_PRIVATE, 16 * PAGE, 0600);
	p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	if (p == (void *)-1) {
		missing("SysV shared memory: %s", strerror(errno));
	} else {
		name_it("SysV shared memory", p);
		touch(p, 16 * PAGE, 2);
		shmctl(id, IPC_RMID, NULL);
	}
	fd = (int)syscall(SYS_memfd_secret, 0);
	if (fd < 0 || ftruncate(fd, 8 * PAGE) < 0) {
		missing("memfd_secret: %s", strerror(errno));
		return;
	}
	touch(map_named("memfd_secret", 8 * PAGE, rw, MAP_SHARED, fd, 0), 8 * PAGE, 2);
}

static void hugetlb(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	uint8_t *p;
	int fd;

	p = map_named("hugetlb: private", 2 * HUGE, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	touch(p, HUGE, 512);
	fd = memfd_create("zoo-huge", MFD_HUGETLB);
	if (fd < 0 || ftruncate(fd, (off_t)(2 * HUGE)) < 0) {
		missing("hugetlb memfd: %s", strerror(errno));
		return;
	}
	touch(map_named("hugetlb: shared", 2 * HUGE, rw, MAP_SHARED, fd, 0), HUGE, 512);
}

static void devices(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};
	uint8_t params[120] = { 0 };	/* struct io_uring_params */
	int fd;

	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0)
		missing("perf buffer: %s", strerror(errno));
	else
		map_named("perf buffer", 5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fd = (int)syscall(SYS_io_uring_setup, 8, params);
	if (fd < 0)
		missing("io_uring: %s", strerror(errno));
	else
		map_anywhere("io_uring submission entries", PAGE, fd, 0x10000000);
	fd = open("/dev/mem", O_RDONLY);
	if (fd < 0)
		missing("/dev/mem: %s", strerror(errno));
	else
		map_named("/dev/mem", 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0xf0000);
}

static void swapped(void)
{
	uint8_t page[PAGE] = { 1 }, *p;
	int fd;

	p = map_anon("anonymous: some pages in swap", 256 * PAGE);
	touch(p, 256 * PAGE, 1);
	if (madvise(p + 64 * PAGE, 128 * PAGE, MADV_PAGEOUT) < 0)
		missing("pages in swap: %s", strerror(errno));
	fd = memfd_create("zoo-swap", 0);
	if (ftruncate(fd, 256 * PAGE) < 0)
		fail("memfd");
	for (size_t i = 0; i < 256; i++)
		if (i % 4 && pwrite(fd, page, sizeof(page), (off_t)(i * PAGE)) != sizeof(page))
			fail("memfd");
	p = map_named("memfd: some pages in swap", 256 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	look(p, 256 * PAGE, 1);
	madvise(p + 64 * PAGE, 128 * PAGE, MADV_PAGEOUT);
	look(p + 100 * PAGE, 8 * PAGE, 1);
}

static void add_mapping(uint64_t start, uint64_t end, const char *name, size_t *vec_at)
{
	struct zoo_mapping *m = &report->mappings[report->nr_mappings];
	size_t n = (end - start) / PAGE;

	if (report->nr_mappings == ZOO_MAX_MAPPINGS)
		fail("too many mappings");
	report->nr_mappings++;
	m->start = start;
	m->end = end;
	m->vec_at = *vec_at;
	if (n > ZOO_MAX_PAGES - *vec_at) {	/* the shadow memory of a sanitizer, for one */
		m->error = E2BIG;
		n = 0;
	} else {
		m->error = mincore((void *)start, end - start, report->vec + *vec_at) < 0 ? errno : 0;
	}
	snprintf(m->name, sizeof(m->name), "%s", name);
	for (size_t i = 0; i < nr_names; i++)
		if (names[i].addr >= start && names[i].addr < end)
			snprintf(m->name, sizeof(m->name), "%s", names[i].name);
	*vec_at += n;
}

static void fill_report(void)
{
	static char text[256 * KIB];	/* not malloc: the heap must not grow meanwhile */
	size_t len = 0, vec_at = 0;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char *save, *line;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	report->nr_mappings = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t start, end;
		int name_at = 0;

		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s%n", &start, &end, &name_at) < 2)
			fail("/proc/self/maps");
		add_mapping(start, end, line + name_at + strspn(line + name_at, " "), &vec_at);
	}
}

static void live(int from, int to, const char *dir, bool swap)
{
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	anonymous();
	large();
	huge();
	files(dir);
	shared();
	hugetlb();
	devices();
	if (swap)
		swapped();
	overlay(dir);
	fill_report();			/* touches all it needs, once */
	while (read(from, &c, 1) == 1) {
		fill_report();
		if (write(to, &c, 1) != 1)
			break;
	}
	_exit(0);
}

void zoo_start(struct zoo *zoo, const char *dir, bool swap)
{
	int down[2], up[2];

	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (report == MAP_FAILED || pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0)
		fail("setting up");
	zoo->report = report;
	zoo->pid = fork();
	if (zoo->pid < 0)
		fail("fork");
	if (zoo->pid == 0) {
		close(down[1]);
		close(up[0]);
		live(down[0], up[1], dir, swap);
	}
	close(down[0]);
	close(up[1]);
	zoo->to = down[1];
	zoo->from = up[0];
}

void zoo_look(struct zoo *zoo)
{
	char c = 'l';

	if (write(zoo->to, &c, 1) != 1 || read(zoo->from, &c, 1) != 1) {
		fprintf(stderr, "zoo: the process is gone\n");
		exit(1);
	}
}

void zoo_stop(struct zoo *zoo)
{
	close(zoo->to);
	close(zoo->from);
	waitpid(zoo->pid, NULL, 0);
	munmap(zoo->report, sizeof(*zoo->report));
}
