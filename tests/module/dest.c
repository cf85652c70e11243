// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader's side of a read: memory that is not there yet, not there at all, not
 * writable, slow to come, or the very page that is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define NR 64
#define LEN (NR * PAGE)

static unsigned char *pages, copy[LEN];
static uint64_t paddr[NR];
static int fd;
/* Where no memory is; volatile, so that the compiler does not say so. */
static void *volatile nowhere = (void *)8;

static unsigned char *anon(size_t len, int prot)
{
	unsigned char *addr = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (addr == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return addr;
}

static void test_absent(void)
{
	unsigned char *buf = anon(LEN, PROT_READ | PROT_WRITE);

	is_int(pread(fd, buf, LEN, 0), LEN, "into memory that was never touched");
	ok(!memcmp(buf, copy, LEN), "the bytes are right");
	munmap(buf, LEN);
	buf = anon(LEN, PROT_READ | PROT_WRITE);
	is_int(pread(fd, buf + PAGE - 3, 7, 11), 7, "a few bytes over two untouched pages");
	ok(!memcmp(buf + PAGE - 3, copy + 11, 7), "are right too");
	munmap(buf, LEN);
}

static void test_ends(void)
{
	unsigned char *buf = anon(LEN, PROT_READ | PROT_WRITE);
	ssize_t ret;

	munmap(buf + 8 * PAGE, LEN - 8 * PAGE);
	ret = pread(fd, buf + 100, LEN, 0);
	is_int(ret, 8 * PAGE - 100, "into memory that ends early: what fits");
	ok(!memcmp(buf + 100, copy, 8 * PAGE - 100), "the bytes are right");
	is_int(pread(fd, buf + 8 * PAGE, 100, 0) < 0 ? errno : 0, EFAULT, "into no memory");
	is_int(pread(fd, nowhere, 100, 0) < 0 ? errno : 0, EFAULT, "into address 8");
	is_int(pread(fd, (void *)0xffff888000000000, 100, 0) < 0 ? errno : 0, EFAULT,
	       "into the kernel's memory");
	munmap(buf, 8 * PAGE);

	buf = anon(LEN, PROT_READ);
	is_int(pread(fd, buf, 100, 0) < 0 ? errno : 0, EFAULT, "into read-only memory");
	munmap(buf, LEN);
}

static void test_kinds_of_span(void)
{
	struct kview_extent blob = kv_blob(0, 100, copy);
	int other = kv_create(PAGE, &blob, 1);

	is_int(pread(other, nowhere, 100, 0) < 0 ? errno : 0, EFAULT, "a blob into no memory");
	is_int(pread(other, nowhere, 100, 200) < 0 ? errno : 0, EFAULT, "a hole into no memory");
	close(other);
}

static void test_same_page(void)
{
	/* Each page onto itself, so nothing changes; then the first over the second. */
	is_int(pread(fd, pages, LEN, 0), LEN, "pages read onto themselves");
	ok(!memcmp(pages, copy, LEN), "are as they were");
	is_int(pread(fd, pages + PAGE, PAGE, 0), PAGE, "a page read onto another of the view");
	ok(!memcmp(pages + PAGE, copy, PAGE), "is now the same");
	memcpy(pages + PAGE, copy + PAGE, PAGE);
}

/* Serves page faults of a region with zero pages, late. */
struct slow {
	int uffd;
	unsigned int served;
};

static void *serve(void *arg)
{
	struct slow *slow = arg;
	struct uffd_msg msg;

	while (read(slow->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_zeropage zero = {
			.range = { msg.arg.pagefault.address & -PAGE, PAGE },
		};

		kv_sleep_ms(5);
		slow->served++;
		if (ioctl(slow->uffd, UFFDIO_ZEROPAGE, &zero))
			return NULL;
	}
	return NULL;
}

/* The reader's faults are served by another thread: nothing of the kernel may wait meanwhile. */
static void test_slow_reader(void)
{
	unsigned char *buf = anon(LEN, PROT_READ | PROT_WRITE);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)buf, LEN }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct slow slow = { .uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC) };
	pthread_t thread;

	if (slow.uffd < 0 || ioctl(slow.uffd, UFFDIO_API, &api) ||
	    ioctl(slow.uffd, UFFDIO_REGISTER, &reg)) {
		skip(3, "no userfaultfd: %s", strerror(errno));
		munmap(buf, LEN);
		return;
	}
	pthread_create(&thread, NULL, serve, &slow);
	is_int(pread(fd, buf, LEN, 0), LEN, "into memory that another thread provides");
	ok(!memcmp(buf, copy, LEN), "the bytes are right");
	ok(slow.served >= NR, "each of its pages was asked for (%u)", slow.served);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	close(slow.uffd);
	munmap(buf, LEN);
}

int main(void)
{
	struct kview_extent extents[NR];
	unsigned int i;

	pages = kv_pages(NR, paddr);
	memcpy(copy, pages, LEN);
	for (i = 0; i < NR; i++)
		extents[i] = kv_ram(i * PAGE, PAGE, paddr[i]);
	fd = kv_create(LEN, extents, NR);
	test_absent();
	test_ends();
	test_kinds_of_span();
	test_same_page();
	test_slow_reader();
	return finish();
}
