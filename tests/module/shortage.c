// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation and copy fails in turn: the caller gets an error of kview.h, and nothing is
 * left. Needs a kernel with fault injection, such as the debugging kernel of docs/testing.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define DEBUGFS "/sys/kernel/debug/"
#define MOST 1000

static int fail_nth, window, view;
static unsigned char *page;
static uint64_t paddr;

static int set(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s", name);
	return kv_write_file(path, value);
}

/* Allocations that may wait fail too, and the kernel's log is for what was not asked for. */
static void configure(void)
{
	if (set("failslab/ignore-gfp-wait", "N") || set("failslab/verbose", "0") ||
	    set("fail_page_alloc/ignore-gfp-wait", "N") ||
	    set("fail_page_alloc/ignore-gfp-highmem", "N") ||
	    set("fail_page_alloc/min-order", "0") || set("fail_page_alloc/verbose", "0") ||
	    set("fail_usercopy/verbose", "0"))
		skip_all("this kernel makes no allocation fail on demand");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		bail("fail-nth: %s", strerror(errno));
}

/*
 * struct call - something that needs memory
 * @name:   what it is
 * @run:    does it; returns -errno, or 0 if what it got is right, else 1
 * @device: whether it wants the control device open; if not, it is closed
 */
struct call {
	const char *name;
	int (*run)(void);
	bool device;
};

/* The n-th allocation or copy from now on fails; 0 for none. */
static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	/* What was armed before may hit this copy, once. */
	if (pwrite(fail_nth, text, (size_t)len, 0) != len &&
	    pwrite(fail_nth, text, (size_t)len, 0) != len)
		bail("fail-nth: %s", strerror(errno));
}

/* Whether arm()'s failure is still to come, so that there was none. */
static bool armed(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) > 0)
		return atoi(text) > 0;
	/* It came just now. */
	if (errno != EFAULT && errno != ENOMEM)
		bail("fail-nth: %s", strerror(errno));
	return true;
}

static void test(const struct call *call)
{
	unsigned int n, wrong = 0, errors = 0, before = kv_info().nr_views;
	bool more = true;
	int got = 0;

	if (!call->device)
		kv_close_device();
	for (n = 1; more && n <= MOST; n++) {
		arm(n);
		got = call->run();
		more = !armed();
		arm(0);
		errors += got < 0;
		if (got && got != -ENOMEM && got != -EFAULT) {
			diag("%s: %d after failure %u", call->name, got, n);
			wrong++;
		}
	}
	ok(!more && !got && n > 2, "%s: %u failures on the way, %u of them were errors",
	   call->name, n - 2, errors);
	is_int(wrong, 0, "%s: no other result", call->name);
	is_int(kv_info().nr_views, before, "%s: no view is left", call->name);
}

static int run_open(void)
{
	int fd = open(KVIEW_DEVICE, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : close(fd);
}

static int create(void)
{
	struct kview_extent extents[] = {
		kv_ram(0, PAGE, paddr),
		kv_blob(PAGE, PAGE, page),
		{ .off = 4 * PAGE, .len = PAGE, .kind = KVIEW_EXTENT_FILE, .fd = window },
	};

	return kv_try_create(5 * PAGE, extents, 3);
}

static int run_create(void)
{
	int fd = create();

	return fd < 0 ? fd : close(fd);
}

/* Into memory that is not there yet. */
static int run_read(void)
{
	unsigned char *buf = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t got;
	int ret;

	if (buf == MAP_FAILED)
		return -errno;
	got = pread(view, buf, PAGE, 0);
	ret = got < 0 ? -errno : got == 0 || memcmp(buf, page, (size_t)got);
	munmap(buf, PAGE);
	return ret;
}

/* A fault that finds no memory is tried again. */
static int run_map(void)
{
	unsigned char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, view, 0);
	int ret;

	if (map == MAP_FAILED)
		return -errno;
	ret = memcmp(map, page, PAGE) != 0;
	munmap(map, PAGE);
	return ret;
}

int main(void)
{
	static const struct call calls[] = {
		{ "open", run_open, false },
		{ "create", run_create, true },
		{ "read", run_read, true },
		{ "map", run_map, true },
	};
	unsigned int i;

	configure();
	page = kv_pages(1, &paddr);
	window = memfd_create("window", MFD_CLOEXEC);
	if (window < 0 || ftruncate(window, PAGE))
		bail("memfd: %s", strerror(errno));
	view = create();
	if (view < 0)
		bail("KVIEW_IOC_CREATE: %s", strerror(-view));
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		test(&calls[i]);
	return finish();
}
