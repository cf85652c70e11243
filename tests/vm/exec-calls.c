// SPDX-License-Identifier: GPL-2.0-only
/*
 * To be run by kview-exec: every function that it stands in for behaves as the kernel does. A
 * descriptor of /proc/kcore gets each operation through libc, and its twin the same through
 * syscall(2), which nothing stands in front of. Results, errors, bytes and the position after
 * it must be alike. Bytes are compared where they stand still: headers, notes, the image's
 * read-only data, holes, and what lies beyond.
 *
 * usage: exec-calls OFFSET LENGTH: a part of /proc/kcore that stands still
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define ROUNDS 20000
#define MAX_READ 9000

static uint64_t still_off, still_len;
static unsigned int seed = 20240614;

/* What an operation came to. */
struct outcome {
	long ret;
	int errnum;
	unsigned char bytes[MAX_READ];
};

static long raw_pread(int fd, void *buf, size_t len, off_t off)
{
	return syscall(SYS_pread64, fd, buf, len, off);
}

static long raw_pos(int fd)
{
	return syscall(SYS_lseek, fd, 0L, SEEK_CUR);
}

static int open_kcore(void)
{
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail("/proc/kcore: %s", strerror(errno));
	return fd;
}

static uint64_t any_offset(void)
{
	static const uint64_t odd[] = { 0, 1, 63, 64, 4095, 4096, INT64_MAX - 100, INT64_MAX - 4096 };

	switch (rand_r(&seed) % 8) {
	case 0:
		return odd[(unsigned int)rand_r(&seed) % (sizeof(odd) / sizeof(odd[0]))];
	case 1:
		return (unsigned int)rand_r(&seed) % 4096;
	default:
		return still_off + (uint64_t)rand_r(&seed) % (still_len - MAX_READ);
	}
}

static size_t any_len(void)
{
	static const size_t common[] = { 0, 1, 2, 4, 8, 8, 8, 16, 64, 4096 };

	if (rand_r(&seed) % 2)
		return common[(unsigned int)rand_r(&seed) % (sizeof(common) / sizeof(common[0]))];
	return (unsigned int)rand_r(&seed) % MAX_READ;
}

enum { OP_READ, OP_PREAD, OP_READV, OP_PREADV, OP_SET, OP_CUR, OP_END, OP_BAD, NR_OPS };

struct op {
	int what;
	size_t len;
	off_t off;
};

static long do_libc(int fd, const struct op *op, void *buf)
{
	struct iovec iov[2] = {
		{ .iov_base = buf, .iov_len = op->len / 3 },
		{ .iov_base = (char *)buf + op->len / 3, .iov_len = op->len - op->len / 3 },
	};

	switch (op->what) {
	case OP_READ:
		return read(fd, buf, op->len);
	case OP_PREAD:
		return pread(fd, buf, op->len, op->off);
	case OP_READV:
		return readv(fd, iov, 2);
	case OP_PREADV:
		return preadv(fd, iov, 2, op->off);
	case OP_SET:
		return lseek(fd, op->off, SEEK_SET);
	case OP_CUR:
		return lseek(fd, op->off, SEEK_CUR);
	case OP_END:
		return lseek(fd, op->off, SEEK_END);
	default:
		return pread(fd, buf, op->len, -1);
	}
}

static long do_raw(int fd, const struct op *op, void *buf)
{
	struct iovec iov[2] = {
		{ .iov_base = buf, .iov_len = op->len / 3 },
		{ .iov_base = (char *)buf + op->len / 3, .iov_len = op->len - op->len / 3 },
	};

	switch (op->what) {
	case OP_READ:
		return syscall(SYS_read, fd, buf, op->len);
	case OP_PREAD:
		return raw_pread(fd, buf, op->len, op->off);
	case OP_READV:
		return syscall(SYS_readv, fd, iov, 2L);
	case OP_PREADV:
		return syscall(SYS_preadv, fd, iov, 2L, op->off, 0L);
	case OP_SET:
		return syscall(SYS_lseek, fd, op->off, SEEK_SET);
	case OP_CUR:
		return syscall(SYS_lseek, fd, op->off, SEEK_CUR);
	case OP_END:
		return syscall(SYS_lseek, fd, op->off, SEEK_END);
	default:
		return raw_pread(fd, buf, op->len, -1);
	}
}

static void any_op(struct op *op)
{
	op->what = rand_r(&seed) % NR_OPS;
	op->len = any_len();
	op->off = (off_t)any_offset();
	if (op->what == OP_CUR || op->what == OP_END)
		op->off = rand_r(&seed) % 20000 - 10000;
	if (op->what == OP_SET && rand_r(&seed) % 16 == 0)
		op->off = -1;
}

/* Whether both came to the same. Reads at positions that move are compared by length alone. */
static bool same(const struct op *op, const struct outcome *a, const struct outcome *b, uint64_t pos)
{
	uint64_t at = op->what == OP_PREAD || op->what == OP_PREADV ? (uint64_t)op->off : pos;

	if (a->ret != b->ret || (a->ret < 0 && a->errnum != b->errnum))
		return false;
	if (op->what > OP_PREADV || a->ret <= 0)
		return true;
	if (at < still_off || at + (uint64_t)a->ret > still_off + still_len)
		return true;
	return memcmp(a->bytes, b->bytes, (size_t)a->ret) == 0;
}

static void check_twins(void)
{
	static struct outcome ours, theirs;
	int fd = open_kcore(), twin = open_kcore();
	int wrong = 0;

	for (int i = 0; i < ROUNDS && wrong < 5; i++) {
		long pos = raw_pos(twin);
		struct op op;

		any_op(&op);
		errno = 0;
		ours.ret = do_libc(fd, &op, ours.bytes);
		ours.errnum = errno;
		errno = 0;
		theirs.ret = do_raw(twin, &op, theirs.bytes);
		theirs.errnum = errno;
		if (!same(&op, &ours, &theirs, (uint64_t)pos)) {
			wrong++;
			diag("round %d: op %d, %zu bytes at %#llx (position %#lx): %ld (%s), by the kernel %ld (%s)",
			     i, op.what, op.len, (unsigned long long)op.off, pos, ours.ret,
			     strerror(ours.errnum), theirs.ret, strerror(theirs.errnum));
		}
		if (lseek(fd, 0, SEEK_CUR) != raw_pos(twin) && wrong++ < 5)
			diag("round %d: op %d: position %#llx, by the kernel %#lx", i, op.what,
			     (unsigned long long)lseek(fd, 0, SEEK_CUR), raw_pos(twin));
	}
	is_int(wrong, 0, "%d operations have the kernel's results, bytes and positions", ROUNDS);
	close(fd);
	close(twin);
}

/* What is at off, by the kernel. */
static void truth(void *buf, size_t len, uint64_t off)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/kcore", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || raw_pread(fd, buf, len, (off_t)off) != (long)len)
		bail("/proc/kcore cannot be read");
	syscall(SYS_close, fd);
}

static bool reads_right(int fd, uint64_t off)
{
	unsigned char a[64], b[64];

	truth(b, sizeof(b), off);
	return read(fd, a, sizeof(a)) == sizeof(a) && memcmp(a, b, sizeof(a)) == 0;
}

static void check_copies(void)
{
	int fd = open_kcore(), copy, other = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	unsigned char buf[64], zeros[64] = { 0 };

	lseek(fd, (off_t)still_off, SEEK_SET);
	copy = dup(fd);
	ok(reads_right(copy, still_off), "dup: the copy begins where the descriptor was");
	ok(reads_right(fd, still_off + 64), "and moves it");
	close(copy);
	ok(reads_right(fd, still_off + 128), "and it stays when the copy is closed");

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	ok(copy >= 100 && reads_right(copy, still_off + 192), "fcntl(F_DUPFD_CLOEXEC): likewise");
	close(copy);

	ok(dup2(other, fd) == fd && read(fd, buf, sizeof(buf)) == sizeof(buf) && !memcmp(buf, zeros, 64),
	   "dup2 of another file over it: the other file is read");
	close(fd);

	fd = open_kcore();
	lseek(fd, (off_t)still_off, SEEK_SET);
	ok(dup3(fd, other, O_CLOEXEC) == other && reads_right(other, still_off),
	   "dup3 of it over another file: it is read");
	ok(reads_right(fd, still_off + 64), "at one position");
	close_range((unsigned int)fd, (unsigned int)fd, 0);
	copy = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ok(copy == fd && pread(copy, buf, sizeof(buf), (off_t)still_off) == sizeof(buf) &&
	   !memcmp(buf, zeros, 64), "close_range, and the number is another file's: that is read");
	close(copy);
	close(other);
}

/* Runs what in a child; whether it said yes. */
static bool in_child(bool (*what)(int), int fd)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(what(fd) ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static bool child_reads(int fd)
{
	return reads_right(fd, still_off + 64);
}

static void check_processes(const char *self)
{
	int fd = open("/proc/kcore", O_RDONLY), status;
	char number[16], offset[32];
	pid_t pid;

	lseek(fd, (off_t)still_off, SEEK_SET);
	ok(reads_right(fd, still_off), "before fork");
	ok(in_child(child_reads, fd), "the child goes on where the parent was");
	ok(reads_right(fd, still_off + 128), "and the parent where the child ended");

	snprintf(number, sizeof(number), "%d", fd);
	snprintf(offset, sizeof(offset), "%llu", (unsigned long long)still_off + 192);
	pid = vfork();
	if (pid == 0) {
		execl("/proc/self/exe", self, "--child", number, offset, (char *)NULL);
		_exit(127);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0, "vfork and exec: likewise");
	ok(reads_right(fd, still_off + 256), "and the parent goes on after that");
	close(fd);
}

static void check_streams(void)
{
	FILE *stream = fopen("/proc/kcore", "r");
	unsigned char a[200], b[200];
	int wrong = 0;

	if (!stream)
		bail("fopen: %s", strerror(errno));
	for (int i = 0; i < 2000; i++) {
		uint64_t off = still_off + (uint64_t)rand_r(&seed) % (still_len - MAX_READ);
		size_t len = 1 + (unsigned int)rand_r(&seed) % sizeof(a);
		int c;

		truth(b, sizeof(b), off);
		wrong += fseeko(stream, (off_t)off, SEEK_SET) != 0 || fread(a, 1, len, stream) != len ||
			 memcmp(a, b, len) || ftello(stream) != (off_t)(off + len);
		if (i % 3)
			continue;
		/* Now and then what is not answered there. */
		if (i % 2 && fseeko(stream, (off_t)off, SEEK_SET) == 0) {
			c = i % 4 == 1 ? fgetc(stream) : getc_unlocked(stream);
			wrong += c != b[0] || ftello(stream) != (off_t)off + 1;
		} else {
			wrong += fseek(stream, -(long)len, SEEK_CUR) != 0 || ftello(stream) != (off_t)off;
		}
	}
	is_int(wrong, 0, "streams: 2,000 of fseeko and fread, fgetc and getc_unlocked among them");
	fclose(stream);
}

/* A thread closes and opens the number while another reads it: each read is one of either. */
static atomic_bool stop;
static int contested;

static void *reopen(void *arg)
{
	while (!atomic_load(&stop)) {
		close(contested);
		if (open("/proc/kcore", O_RDONLY | O_CLOEXEC) != contested)
			break;
	}
	return NULL;
}

static void check_races(void)
{
	unsigned char a[64], b[64];
	pthread_t thread;
	int wrong = 0, right = 0;

	truth(b, sizeof(b), still_off);
	contested = open_kcore();
	pthread_create(&thread, NULL, reopen, NULL);
	for (int i = 0; i < 20000; i++) {
		ssize_t n = pread(contested, a, sizeof(a), (off_t)still_off);

		if (n == sizeof(a))
			memcmp(a, b, sizeof(a)) ? wrong++ : right++;
		else if (n >= 0 || errno != EBADF)
			wrong++;
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	ok(wrong == 0 && right > 0, "a thread that closes while another reads: %d right, %d wrong", right, wrong);
	close(contested);
}

int main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "--child") == 0)
		return !reads_right(atoi(argv[2]), strtoull(argv[3], NULL, 0));
	if (argc != 3)
		bail("usage: exec-calls OFFSET LENGTH");
	still_off = strtoull(argv[1], NULL, 0);
	still_len = strtoull(argv[2], NULL, 0);
	check_twins();
	check_copies();
	check_processes(argv[0]);
	check_streams();
	check_races();
	return finish();
}
