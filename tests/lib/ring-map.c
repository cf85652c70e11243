// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring-map MODE RING INSTANCE CPU - what a mapped trace ring does and refuses, on
 * trace_pipe_raw (MODE raw) or on trace/.../cpuN in mode split or copy. Includes all checks of the
 * kernel's own test of the mapping (tools/testing/selftests/ring-buffer/map_test.c).
 *
 * INSTANCE is the folder of tracefs that RING belongs to, without other users. The caller sets
 * the size of sub-buffers.
 *
 * The kernel's test itself passes on trace/cpuN in mode split, with only the path replaced. It is
 * not in this tree, as it belongs to the kernel; Debian's package of the kernel's sources (150 MB)
 * has it:
 *
 *	apt-get install -y linux-source-6.12 && mkdir -p /var/tmp/ring && cd /var/tmp/ring
 *	tar -xf /usr/src/linux-source-6.12.tar.xz --strip-components=1 --wildcards \
 *		'*'/selftests/ring-buffer/'*' '*'/selftests/user_events/'*'.h \
 *		'*'/selftests/kselftest'*'.h '*'/uapi/linux/trace_mmap.h
 *	cd tools/testing/selftests/ring-buffer && mkdir -p /var/tmp/ring/inc/linux
 *	cp /var/tmp/ring/include/uapi/linux/trace_mmap.h /var/tmp/ring/inc/linux/
 *	sed -i 's|TRACEFS_ROOT"/per_cpu/cpu%d/trace_pipe_raw"|"/mnt/kview/trace/cpu%d"|' map_test.c
 *	gcc -static -D_GNU_SOURCE -I/var/tmp/ring/inc -o map_test map_test.c
 *	CHECKOUT/scripts/vm --share . -- ./map_test
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/ring.h"
#include "tap.h"

/* A state that no event announces is looked at every 10 ms; after 60 s it hangs. */
#define MAX_LOOKS 6000
#define LOOK_US 10000
#define LIMIT_MS (MAX_LOOKS * LOOK_US / 1000)

/* System calls as in /proc/PID/syscall. */
#define CALL_POLL "7 "
#define CALL_IOCTL "16 "

static const char *ring_path, *instance;
static bool copy;	/* mode copy: the kernel maps pages of the daemon's making */
static bool raw;
static size_t page;

static int set(const char *name, const char *value)
{
	char path[4096];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", instance, name);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static bool has(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", instance, name);
	return access(path, F_OK) == 0;
}

static void must_set(const char *name, const char *value)
{
	int ret = set(name, value);

	if (ret < 0)
		bail("%s/%s <- %s: %s", instance, name, value, strerror(-ret));
}

/* For settings that are refused while the ring is held, as it may be shortly after close(2). */
static int set_when_free(const char *name, const char *value)
{
	int ret = set(name, value);

	for (int i = 0; i < MAX_LOOKS && ret == -EBUSY; i++) {
		usleep(LOOK_US);
		ret = set(name, value);
	}
	return ret;
}

static void reset(void)
{
	must_set("tracing_on", "0");
	must_set("trace", "");
	must_set("buffer_percent", "50");
	must_set("tracing_on", "1");
}

static int open_ring(int flags)
{
	int fd = open(ring_path, O_RDONLY | flags);

	if (fd < 0)
		bail("%s: %s", ring_path, strerror(errno));
	return fd;
}

/* As an application would: shared, or in mode copy private where the kernel requires that. */
static void *map(int fd, size_t len, off_t off)
{
	void *mem = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, off);

	if (mem == MAP_FAILED && errno == ENODEV && copy)
		mem = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, off);
	return mem;
}

static const volatile struct kvfs_ring_meta *map_meta(int fd)
{
	void *mem = map(fd, page, 0);

	if (mem == MAP_FAILED)
		bail("cannot map the meta page of %s: %s", ring_path, strerror(errno));
	return mem;
}

static int map_errno(int fd, size_t len, int prot, int flags, off_t off)
{
	void *mem = mmap(NULL, len, prot, flags, fd, off);

	if (mem == MAP_FAILED)
		return errno;
	munmap(mem, len);
	return 0;
}

/* Lets a child map a page privately and read it. Returns 0, the signal that killed it, or -1. */
static int touch_private(int fd, off_t off)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		const volatile char *mem = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, off);

		_exit(mem == MAP_FAILED || (*mem, false));
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static int get_reader(int fd)
{
	return ioctl(fd, KVFS_RING_GET_READER) < 0 ? errno : 0;
}

static void meta_page(void)
{
	int fd = open_ring(O_NONBLOCK);
	const volatile struct kvfs_ring_meta *meta = map_meta(fd);
	size_t len = meta->meta_page_size, bad = 0;
	const uint8_t *all;

	is_int(meta->entries + meta->overrun + meta->read, 0, "a ring that was reset has counted nothing");
	is_int(meta->reader.id + meta->reader.read, 0, "its reader is on sub-buffer 0");
	is_int(meta->flags, 0, "it has no flags");
	ok(meta->meta_struct_len >= sizeof(*meta) && meta->meta_page_size == meta->subbuf_size,
	   "the meta page is as large as a sub-buffer");
	is_int(get_reader(fd), 0, "GET_READER of an empty ring");
	is_int(meta->reader.id, 0, "leaves the reader where it is");
	for (int i = 0; i < 16; i++)
		must_set("trace_marker", "16 of them");
	for (int i = 0; i < 2; i++) {
		is_int(get_reader(fd), 0, "GET_READER after 16 events");
		is_int(meta->entries, 16, "they are counted");
		is_int(meta->overrun, 0, "none is lost");
		is_int(meta->read, 16, "all are read");
		is_int(meta->reader.id, 1, "the reader is on sub-buffer 1");
	}
	all = map(fd, len, 0);
	for (size_t i = meta->meta_struct_len; all != MAP_FAILED && i < len; i++)
		bad += all[i] != 0;
	ok(all != MAP_FAILED && bad == 0, "the rest of the meta page is zero");
	if (all != MAP_FAILED)
		munmap((void *)all, len);
	munmap((void *)meta, page);
	close(fd);
}

static void geometry(void)
{
	int fd = open_ring(O_NONBLOCK);
	const volatile struct kvfs_ring_meta *meta = map_meta(fd);
	size_t head = meta->meta_page_size, size = meta->subbuf_size, data = size * meta->nr_subbufs;
	struct stat st;
	void *mem;

	mem = map(fd, data, head);
	ok(mem != MAP_FAILED, "all sub-buffers can be mapped");
	if (mem != MAP_FAILED)
		munmap(mem, data);
	mem = map(fd, data - size, head);
	ok(mem != MAP_FAILED, "all but one can be mapped");
	if (mem != MAP_FAILED)
		munmap(mem, data - size);
	if (!raw) {
		fstat(fd, &st);
		is_int(st.st_size, head + data, "the size of the file is that of the ring");
	}
	is_int(map_errno(fd, page, PROT_READ | PROT_WRITE, MAP_SHARED, 0), EACCES, "no shared writable mapping");
	if (copy) {
		is_int(touch_private(fd, 0), 0, "a private mapping is a copy");
		is_int(touch_private(fd, head + size - page), 0, "also at an offset inside a sub-buffer");
		is_int(touch_private(fd, head + data), SIGBUS, "beyond the end it is SIGBUS");
		mem = map(fd, head + size, 0);
		is_int(munmap(mem, page) < 0 ? errno : 0, 0, "a mapping can be unmapped in part");
		munmap((char *)mem + page, head + size - page);
	} else {
		is_int(map_errno(fd, data, PROT_READ, MAP_SHARED, head + size), EINVAL,
		       "one sub-buffer too many is EINVAL");
		if (size > page)
			is_int(map_errno(fd, page, PROT_READ, MAP_SHARED, head + size - page), EINVAL,
			       "an offset inside a sub-buffer is EINVAL");
		else
			skip(1, "a sub-buffer is a page");
		is_int(map_errno(fd, page, PROT_READ, MAP_PRIVATE, 0), EPERM, "a private mapping is EPERM");
		mem = map(fd, head + size, 0);
		is_int(munmap(mem, page) < 0 ? errno : 0, EINVAL,
		       "a mapping cannot be unmapped in part");
		munmap(mem, head + size);
	}
	munmap((void *)meta, page);
	close(fd);
}

/* A mapped ring cannot be resized. */
static void held(void)
{
	int fd = open_ring(O_NONBLOCK);
	const volatile struct kvfs_ring_meta *meta = map_meta(fd);
	volatile uint32_t nr;

	nr = meta->nr_subbufs;	/* in mode copy the first access takes hold of the ring */
	is_int(-set("buffer_size_kb", "777"), EBUSY, "a mapped ring cannot be resized");
	is_int(-set("buffer_subbuf_size_kb", meta->subbuf_size == 16384 ? "8" : "16"), EBUSY,
	       "nor its sub-buffers");
	is_int(meta->nr_subbufs, nr, "it is as it was");
	munmap((void *)meta, page);
	close(fd);
	is_int(-set_when_free("buffer_size_kb", "256"), 0, "once it is closed it can be");
	fd = open_ring(O_NONBLOCK);
	meta = map_meta(fd);
	ok(meta->nr_subbufs < nr && (uint64_t)meta->nr_subbufs * meta->subbuf_size >= 256 * 1024,
	   "and has the new size");
	munmap((void *)meta, page);
	close(fd);
	is_int(-set_when_free("buffer_size_kb", "512"), 0, "closed again, it gets its old one");
}

static void snapshots(void)
{
	const volatile struct kvfs_ring_meta *meta;
	char byte;
	int fd;

	if (!has("snapshot")) {
		skip(5, "this kernel has no snapshots");
		return;
	}
	fd = open_ring(O_NONBLOCK);
	meta = map_meta(fd);
	(void)meta->nr_subbufs;
	is_int(-set("snapshot", "1"), EBUSY, "no snapshot of a mapped ring");
	is_int(-set("events/sched/sched_switch/trigger", "snapshot"), EBUSY, "and no trigger for one");
	munmap((void *)meta, page);
	close(fd);
	is_int(-set_when_free("events/sched/sched_switch/trigger", "snapshot"), 0,
	       "there is one for a ring that is closed");
	fd = open(ring_path, O_RDONLY | O_NONBLOCK);
	if (copy)
		is_int(touch_private(fd, 0), SIGBUS, "a mapping is SIGBUS while there is a trigger");
	else
		is_int(map_errno(fd, page, PROT_READ, MAP_SHARED, 0), EBUSY,
		       "no mapping while there is a trigger");
	if (raw)
		skip(1, "the kernel's own read consumes, and needs no mapping");
	else
		is_int(pread(fd, &byte, 1, 0) < 0 ? errno : 0, EBUSY, "nor can it be read");
	close(fd);
	set("events/sched/sched_switch/trigger", "!snapshot");
	set("snapshot", "0");
}

static void ioctls(void)
{
	int fd = open_ring(O_NONBLOCK);

	is_int(ioctl(fd, _IO('R', 0x21)) < 0 ? errno : 0, ENOTTY, "another ioctl is ENOTTY");
	is_int(ioctl(fd, KVFS_RING_WAKE_WAITERS), 0, "WAKE_WAITERS without waiters succeeds");
	if (copy)
		skip(1, "in mode copy the daemon maps the ring for its callers");
	else
		is_int(get_reader(fd), ENODEV, "GET_READER is ENODEV while the ring is not mapped");
	close(fd);
}

static void on_alarm(int sig)
{
}

/* A child that waits in a blocking GET_READER; its exit status is the errno. */
static pid_t waiter(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct sigaction action = { .sa_handler = on_alarm };
		const volatile struct kvfs_ring_meta *meta;
		int fd = open(ring_path, O_RDONLY);

		sigaction(SIGUSR1, &action, NULL);
		meta = map_meta(fd);
		(void)meta->nr_subbufs;
		_exit(get_reader(fd));
	}
	return pid;
}

/* Waits until a process blocks in a system call. Returns whether it does. */
static bool blocks(pid_t pid, const char *call)
{
	char path[64], text[64] = "";
	int same = 0;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (int i = 0; i < MAX_LOOKS && same < 5; i++) {
		int fd = open(path, O_RDONLY);
		ssize_t n = read(fd, text, sizeof(text) - 1);

		close(fd);
		text[n > 0 ? n : 0] = 0;
		same = strncmp(text, call, strlen(call)) == 0 ? same + 1 : 0;
		usleep(LOOK_US);
	}
	return same == 5;
}

static int exit_errno(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < MAX_LOOKS; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
		usleep(LOOK_US);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;	/* it did not come back */
}

/* The same for a child that wake() wakes: called again, as the child may not have slept yet. */
static int exit_errno_after(pid_t pid, void (*wake)(int fd), int fd)
{
	int status = 0;

	for (int i = 0; i < 100; i++) {
		wake(fd);
		for (int j = 0; j < 10; j++) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
			usleep(LOOK_US);
		}
	}
	return exit_errno(pid);
}

static void turn_off(int fd)
{
	must_set("tracing_on", "1");
	must_set("tracing_on", "0");
}

static void wake_waiters(int fd)
{
	ioctl(fd, KVFS_RING_WAKE_WAITERS);
}

static void fill_ring(void)
{
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (int i = 0; i < 700; i++)
		must_set("trace_marker", text);
}

static void blocking(void)
{
	pid_t pid;
	int fd;

	reset();
	pid = waiter();
	ok(blocks(pid, CALL_IOCTL), "a blocking GET_READER waits");
	must_set("trace_marker", "one event is not enough");
	fd = open_ring(O_NONBLOCK);
	for (int i = 0; i < 100; i++) {
		struct stat st;

		fstat(fd, &st);
		ioctl(fd, KVFS_RING_GET_READER + 1);
	}
	/* The waiter returns only after these calls: a daemon that let them wait would hang here. */
	ok(blocks(pid, CALL_IOCTL), "100 other calls are answered while it waits");
	kill(pid, SIGUSR1);
	is_int(exit_errno(pid), EINTR, "a signal ends it with EINTR");
	/* Not earlier: closing a ring wakes all its waiters. */
	close(fd);
	reset();
	pid = waiter();
	ok(blocks(pid, CALL_IOCTL), "another one waits");
	fill_ring();
	is_int(exit_errno(pid), 0, "until buffer_percent of the ring is full");
	reset();
	pid = waiter();
	ok(blocks(pid, CALL_IOCTL), "another one waits");
	is_int(exit_errno_after(pid, turn_off, -1), 0, "until tracing is turned off");
	must_set("tracing_on", "1");
	reset();
	pid = waiter();
	ok(blocks(pid, CALL_IOCTL), "another one waits");
	fd = open_ring(O_NONBLOCK);
	is_int(exit_errno_after(pid, wake_waiters, fd), 0, "until WAKE_WAITERS");
	close(fd);
	reset();
	pid = waiter();
	ok(blocks(pid, CALL_IOCTL), "another one waits");
	kill(pid, SIGKILL);
	is_int(exit_errno(pid), 1000 + SIGKILL, "a killed one goes");
}

static void polling(void)
{
	struct pollfd pfd = { .events = POLLIN };
	int status = -1;
	pid_t pid;

	reset();
	pfd.fd = open_ring(O_NONBLOCK);
	is_int(poll(&pfd, 1, 200), 0, "poll of an empty ring does not return");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		blocks(getppid(), CALL_POLL);
		fill_ring();
		_exit(0);
	}
	is_int(poll(&pfd, 1, LIMIT_MS), 1, "it does when buffer_percent is full");
	ok(pfd.revents & POLLIN, "with POLLIN");
	waitpid(pid, &status, 0);
	is_int(status, 0, "the writer ended well");
	close(pfd.fd);
	reset();
}

int main(int argc, char *argv[])
{
	cpu_set_t cpus;

	if (argc != 5)
		bail("usage: ring-map MODE RING INSTANCE CPU");
	copy = strcmp(argv[1], "copy") == 0;
	raw = strcmp(argv[1], "raw") == 0;
	ring_path = argv[2];
	instance = argv[3];
	page = sysconf(_SC_PAGESIZE);
	/* Events go to the ring of the CPU that writes them. */
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[4]), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	must_set("buffer_size_kb", "512");
	reset();
	meta_page();
	geometry();
	reset();
	ioctls();
	held();
	snapshots();
	blocking();
	polling();
	return finish();
}
