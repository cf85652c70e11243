// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_lib.h"

#include <errno.h>
#include <libkdumpfile/kdumpfile.h>
#include <pthread.h>

#include "failalloc.h"
#include "kdump_builder.h"
#include "unit.h"

#define PAGE 4096
#define NR_PAGES 20
#define MAX_AT_WORK 64		/* threads that libkdumpfile has pages for */

kdump_ctx_t *__wrap_kdump_new(void);
kdump_ctx_t *__real_kdump_new(void);
kdump_ctx_t *__wrap_kdump_clone(const kdump_ctx_t *orig, unsigned long flags);
kdump_ctx_t *__real_kdump_clone(const kdump_ctx_t *orig, unsigned long flags);
kdump_status __wrap_kdump_read(kdump_ctx_t *ctx, kdump_addrspace_t as, kdump_addr_t addr, void *buf, size_t *len);
kdump_status __real_kdump_read(kdump_ctx_t *ctx, kdump_addrspace_t as, kdump_addr_t addr, void *buf, size_t *len);
const char *__wrap_kdump_get_err(kdump_ctx_t *ctx);
const char *__real_kdump_get_err(kdump_ctx_t *ctx);

/* libkdumpfile as a test wants it: times reads fail at page pfn. */
static struct {
	bool no_context;
	int times;
	uint64_t pfn;
	kdump_status status;
	int errnum;
	const char *text;
} fault;

/* Threads in kdump_read() at a time. With gather they stay there until MAX_AT_WORK are. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t full;
	bool gather;
	size_t now, most;
} at_work = { .lock = PTHREAD_MUTEX_INITIALIZER, .full = PTHREAD_COND_INITIALIZER };

kdump_ctx_t *__wrap_kdump_new(void)
{
	return fault.no_context ? NULL : __real_kdump_new();
}

kdump_ctx_t *__wrap_kdump_clone(const kdump_ctx_t *orig, unsigned long flags)
{
	return fault.no_context ? NULL : __real_kdump_clone(orig, flags);
}

const char *__wrap_kdump_get_err(kdump_ctx_t *ctx)
{
	return fault.text ? fault.text : __real_kdump_get_err(ctx);
}

static void enter(void)
{
	pthread_mutex_lock(&at_work.lock);
	if (++at_work.now > at_work.most)
		at_work.most = at_work.now;
	if (at_work.now == MAX_AT_WORK)
		at_work.gather = false;
	pthread_cond_broadcast(&at_work.full);
	while (at_work.gather)
		pthread_cond_wait(&at_work.full, &at_work.lock);
	pthread_mutex_unlock(&at_work.lock);
}

static void leave(void)
{
	pthread_mutex_lock(&at_work.lock);
	at_work.now--;
	pthread_mutex_unlock(&at_work.lock);
}

kdump_status __wrap_kdump_read(kdump_ctx_t *ctx, kdump_addrspace_t as, kdump_addr_t addr, void *buf, size_t *len)
{
	bool fails = fault.times > 0 && addr / PAGE <= fault.pfn && fault.pfn < (addr + *len) / PAGE;
	kdump_status status;

	if (fails) {
		fault.times--;
		*len = fault.pfn * PAGE - addr;
	}
	enter();
	status = __real_kdump_read(ctx, as, addr, buf, len);
	leave();
	if (!fails)
		return status;
	errno = fault.errnum;
	return fault.status;
}

static char pages[NR_PAGES + 1];
static int fd;

static struct kvfs_kdump_lib *open_lib(void)
{
	static struct kdump_file file;
	const struct kdump_spec spec = { .pages = pages };
	struct kvfs_kdump_lib *lib = NULL;
	struct kvfs_err err = { 0 };

	memset(pages, 'D', NR_PAGES);
	pages[15] = 'L';	/* which it is not: damaged */
	kdump_build(&file, &spec);
	fd = unit_file(file.bytes, file.len);
	ck_assert_msg(kvfs_kdump_lib_open(&fd, 1, PAGE, &lib, &err) == 0, "%s", err.msg);
	return lib;
}

static void close_lib(struct kvfs_kdump_lib *lib)
{
	kvfs_kdump_lib_close(lib);
	close(fd);
}

/* Reads pages [pfn, pfn + n); those before page stop have their own bytes. */
static int read_pages(struct kvfs_kdump_lib *lib, uint64_t pfn, size_t n, uint64_t stop)
{
	unsigned char buf[NR_PAGES * PAGE], want[PAGE];
	size_t done = 1;
	int ret = kvfs_kdump_lib_read(lib, buf, n * PAGE, pfn * PAGE, &done);

	ck_assert_uint_eq(done, (stop - pfn) * PAGE);
	for (uint64_t i = pfn; i < stop; i++) {
		kdump_page(i, PAGE, want);
		ck_assert_mem_eq(buf + (i - pfn) * PAGE, want, PAGE);
	}
	return ret;
}

START_TEST(test_pages)
{
	struct kvfs_kdump_lib *lib = open_lib();

	ck_assert_int_eq(read_pages(lib, 0, 15, 15), 0);
	ck_assert_int_eq(read_pages(lib, 16, 4, 20), 0);
	ck_assert_int_eq(read_pages(lib, 10, 10, 15), -EBADMSG);
	ck_assert_int_eq(read_pages(lib, 15, 1, 15), -EBADMSG);
	close_lib(lib);
	kvfs_kdump_lib_close(NULL);
}
END_TEST

/* Only what the bytes of the dump are to blame for is damage. */
START_TEST(test_results)
{
	static const struct {
		kdump_status status;
		int errnum;
		const char *text;
		int want;
	} cases[] = {
		{ KDUMP_ERR_CORRUPT, 0, "Decompression failed: -1", -EBADMSG },
		{ KDUMP_ERR_CORRUPT, 0, "Cannot init zlib: error -4", -ENOMEM },
		{ KDUMP_ERR_CORRUPT, 0, "Decompresion failed: insufficient memory", -ENOMEM },
		{ KDUMP_ERR_NODATA, 0, "Page not found", -EBADMSG },
		{ KDUMP_ERR_EOF, 0, "Unexpected EOF", -EBADMSG },
		{ KDUMP_ERR_INVALID, 0, "Invalid", -EBADMSG },
		{ KDUMP_ERR_SYSTEM, EIO, "Cannot read page data", -EIO },
		{ KDUMP_ERR_SYSTEM, ENOMEM, "Cannot allocate", -ENOMEM },
		{ KDUMP_ERR_SYSTEM, ESTALE, "Cannot read page data", -ESTALE },
		{ KDUMP_ERR_SYSTEM, EBADMSG, "Cannot read page data", -EIO },
		{ KDUMP_ERR_SYSTEM, 0, "Cannot read page data", -EIO },
		{ KDUMP_ERR_NOTIMPL, 0, "Unsupported compression method: lzo", -EOPNOTSUPP },
		{ KDUMP_ERR_BUSY, 0, "Cache is fully utilized", -EIO },
	};
	struct kvfs_kdump_lib *lib = open_lib();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fault.times = 1;
		fault.pfn = 7;
		fault.status = cases[i].status;
		fault.errnum = cases[i].errnum;
		fault.text = cases[i].text;
		ck_assert_int_eq(read_pages(lib, 5, 6, 7), cases[i].want);
		ck_assert_int_eq(read_pages(lib, 5, 6, 11), 0);
	}
	close_lib(lib);
}
END_TEST

START_TEST(test_interrupted)
{
	struct kvfs_kdump_lib *lib = open_lib();

	fault.times = 3;
	fault.pfn = 7;
	fault.status = KDUMP_ERR_SYSTEM;
	fault.errnum = EINTR;
	ck_assert_int_eq(read_pages(lib, 5, 6, 11), 0);
	ck_assert_int_eq(fault.times, 0);
	close_lib(lib);
}
END_TEST

START_TEST(test_no_context)
{
	struct kvfs_kdump_lib *lib = open_lib();
	struct kvfs_err err = { 0 };

	fault.no_context = true;
	ck_assert_int_eq(read_pages(lib, 0, 2, 0), -ENOMEM);
	fault.no_context = false;
	ck_assert_int_eq(read_pages(lib, 0, 2, 2), 0);
	close_lib(lib);
	fault.no_context = true;
	unit_assert_error(kvfs_kdump_lib_open(&fd, 1, PAGE, &lib, &err), ENOMEM, err, "libkdumpfile");
	fault.no_context = false;
	failalloc_arm(0);
	unit_assert_error(kvfs_kdump_lib_open(&fd, 1, PAGE, &lib, &err), ENOMEM, err, "libkdumpfile");
	ck_assert(failalloc_happened());
}
END_TEST

START_TEST(test_refused)
{
	struct kvfs_kdump_lib *lib = open_lib();
	struct kvfs_err err = { 0 };
	int garbage = unit_file("KDUMP   garbage", 15);

	kvfs_kdump_lib_close(lib);
	unit_assert_error(kvfs_kdump_lib_open(&garbage, 1, PAGE, &lib, &err), EBADMSG, err, "libkdumpfile: ");
	unit_assert_error(kvfs_kdump_lib_open(&fd, 1, 2 * PAGE, &lib, &err), EBADMSG, err, "another");
	close(garbage);
	close(fd);
}
END_TEST

static void *read_one(void *arg)
{
	ck_assert_int_eq(read_pages(arg, 0, 15, 15), 0);
	return NULL;
}

/* More readers than the library has pages for wait for each other; none gets an error. */
START_TEST(test_many_readers)
{
	struct kvfs_kdump_lib *lib = open_lib();
	pthread_t threads[MAX_AT_WORK + 20];
	const size_t n = sizeof(threads) / sizeof(threads[0]);
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1024 * 1024);
	at_work.gather = true;
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(pthread_create(&threads[i], &attr, read_one, lib), 0);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(at_work.most, MAX_AT_WORK);
	pthread_attr_destroy(&attr);
	close_lib(lib);
}
END_TEST

UNIT_MAIN("dump/kdump_lib", test_pages, test_results, test_interrupted, test_no_context, test_refused,
	  test_many_readers)
