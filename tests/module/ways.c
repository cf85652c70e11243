// SPDX-License-Identifier: GPL-2.0-only
/* Every way the kernel knows to read a file gives the same bytes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include "kv.h"
#include "tap.h"

/*
 * Our pages with holes of a page between them, twice over: once as RAM, once as the
 * bytes that any reader must get.
 */
#define NR 40
#define LEN (2 * NR * PAGE)
/* An unaligned piece of it. */
#define FROM 1234
#define SOME (LEN - 3456)

static unsigned char want[LEN], got[LEN];
static int fd;

static void clear(void)
{
	memset(got, 0xee, sizeof(got));
}

static void check(ssize_t ret, const char *how)
{
	if (ret < 0)
		diag("%s: %s", how, strerror(errno));
	is_int(ret, SOME, "%s: length", how);
	ok(!memcmp(got, want + FROM, SOME), "%s: bytes", how);
}

/* A kernel with KASAN, where the module copies each read through a page of its own. */
static bool has_sanitizer(void)
{
	return kv_has_symbol("kasan_report");
}

static void test_plain(void)
{
	struct iovec iov[3] = { { got, 5 }, { got + 5, 3 * PAGE }, { got + 5 + 3 * PAGE,
				SOME - 5 - 3 * PAGE } };
	ssize_t ret;

	clear();
	check(pread(fd, got, SOME, FROM), "pread");
	clear();
	lseek(fd, FROM, SEEK_SET);
	check(read(fd, got, SOME), "read");
	is_int(lseek(fd, 0, SEEK_CUR), FROM + SOME, "read moves the position");
	clear();
	check(preadv(fd, iov, 3, FROM), "preadv");
	clear();
	check(preadv2(fd, iov, 3, FROM, RWF_HIPRI), "preadv2, RWF_HIPRI");
	clear();
	if (has_sanitizer()) {
		skip(2, "under KASAN each read needs a page, so may wait");
		return;
	}
	ret = preadv2(fd, iov, 3, FROM, RWF_NOWAIT);
	check(ret, "preadv2, RWF_NOWAIT");
}

/* A buffer that is not there yet would have to be waited for. */
static void test_nowait(void)
{
	unsigned char *absent = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				     -1, 0);
	struct iovec iov = { absent, PAGE };

	is_int(preadv2(fd, &iov, 1, 0, RWF_NOWAIT) < 0 ? errno : 0, EAGAIN,
	       "RWF_NOWAIT to memory that is absent");
	is_int(preadv2(fd, &iov, 1, 0, 0), PAGE, "without it, the read waits");
	if (has_sanitizer())
		is_int(preadv2(fd, &iov, 1, 0, RWF_NOWAIT) < 0 ? errno : 0, EAGAIN,
		       "under KASAN RWF_NOWAIT never waits for a page");
	else
		is_int(preadv2(fd, &iov, 1, 0, RWF_NOWAIT), PAGE, "then RWF_NOWAIT works, too");
	munmap(absent, PAGE);
}

static void test_direct(void)
{
	char path[64];
	int direct;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	ok(direct >= 0, "open with O_DIRECT");
	clear();
	check(pread(direct, got, SOME, FROM), "O_DIRECT, not aligned");
	close(direct);
}

/* Moves SOME bytes from the view into a pipe and out of it. */
static ssize_t splice_all(void)
{
	loff_t from = FROM;
	ssize_t done = 0, ret, part;
	int pipes[2];

	if (pipe(pipes))
		return -1;
	while (done < (ssize_t)SOME) {
		ret = splice(fd, &from, pipes[1], NULL, SOME - (size_t)done, 0);
		if (ret <= 0)
			break;
		while (ret > 0) {
			part = read(pipes[0], got + done, (size_t)ret);
			if (part <= 0)
				break;
			done += part;
			ret -= part;
		}
	}
	close(pipes[0]);
	close(pipes[1]);
	return done;
}

static ssize_t sendfile_all(void)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	off_t from = FROM;
	ssize_t done = 0, ret;

	while (done < (ssize_t)SOME) {
		ret = sendfile(out, fd, &from, SOME - (size_t)done);
		if (ret <= 0)
			break;
		done += ret;
	}
	if (pread(out, got, SOME, 0) != (ssize_t)SOME)
		done = -1;
	close(out);
	return done;
}

static void test_splice(void)
{
	clear();
	check(splice_all(), "splice");
	clear();
	check(sendfile_all(), "sendfile");
}

static void test_aio(void)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = (uintptr_t)got,
		.aio_nbytes = SOME,
		.aio_offset = FROM,
	}, *list[1] = { &cb };
	aio_context_t context = 0;
	struct io_event event;

	clear();
	if (syscall(SYS_io_setup, 1, &context)) {
		skip(2, "no AIO: %s", strerror(errno));
		return;
	}
	if (syscall(SYS_io_submit, context, 1, list) == 1 &&
	    syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1)
		check(event.res, "AIO");
	else
		check(-1, "AIO");
	syscall(SYS_io_destroy, context);
}

#ifdef HAVE_LIBURING
static ssize_t ring_read(struct io_uring *ring, bool fixed, bool async)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	ssize_t ret;

	if (fixed)
		io_uring_prep_read_fixed(sqe, fd, got, SOME, FROM, 0);
	else
		io_uring_prep_read(sqe, fd, got, SOME, FROM);
	if (async)
		sqe->flags |= IOSQE_ASYNC;
	io_uring_submit(ring);
	if (io_uring_wait_cqe(ring, &cqe))
		return -1;
	ret = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

static void test_uring(void)
{
	struct iovec iov = { got, sizeof(got) };
	struct io_uring ring;
	int ret = io_uring_queue_init(4, &ring, 0);

	if (ret) {
		skip(6, "no io_uring: %s", strerror(-ret));
		return;
	}
	clear();
	check(ring_read(&ring, false, false), "io_uring");
	clear();
	check(ring_read(&ring, false, true), "io_uring, in a worker");
	clear();
	if (io_uring_register_buffers(&ring, &iov, 1))
		skip(2, "no registered buffers");
	else
		check(ring_read(&ring, true, false), "io_uring, registered buffer");
	io_uring_queue_exit(&ring);
}
#else
static void test_uring(void)
{
	skip(6, "built without liburing");
}
#endif

int main(void)
{
	struct kview_extent extents[NR];
	unsigned char *pages;
	uint64_t paddr[NR];
	unsigned int i;

	pages = kv_pages(NR, paddr);
	for (i = 0; i < NR; i++) {
		extents[i] = kv_ram(2 * i * PAGE, PAGE, paddr[i]);
		memcpy(want + 2 * i * PAGE, pages + i * PAGE, PAGE);
	}
	fd = kv_create(LEN, extents, NR);
	test_plain();
	test_nowait();
	test_direct();
	test_splice();
	test_aio();
	test_uring();
	return finish();
}
