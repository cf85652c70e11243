// SPDX-License-Identifier: GPL-2.0-only
#include "extent/read.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "extent/uring.h"
#include "unit.h"

/* A pool and a batch that fail as the test says. */
int __wrap_kvfs_fdpool_get(struct kvfs_fdpool *pool);
int __real_kvfs_fdpool_get(struct kvfs_fdpool *pool);
void __wrap_kvfs_fdpool_put(struct kvfs_fdpool *pool, int fd);
void __real_kvfs_fdpool_put(struct kvfs_fdpool *pool, int fd);
void __wrap_kvfs_uring_read_batch(struct kvfs_uring_read *reads, size_t n);
void __real_kvfs_uring_read_batch(struct kvfs_uring_read *reads, size_t n);

static atomic_int gets, puts_, lent, most_lent;
static int get_limit = 1000;		/* descriptors on loan; further ones are EMFILE */
static uint64_t bad_off = UINT64_MAX;	/* reads of this offset of the source file fail with EIO */

int __wrap_kvfs_fdpool_get(struct kvfs_fdpool *pool)
{
	if (lent == get_limit)
		return -EMFILE;
	gets++;
	if (++lent > most_lent)
		most_lent = lent;
	return __real_kvfs_fdpool_get(pool);
}

void __wrap_kvfs_fdpool_put(struct kvfs_fdpool *pool, int fd)
{
	puts_++;
	lent--;
	__real_kvfs_fdpool_put(pool, fd);
}

void __wrap_kvfs_uring_read_batch(struct kvfs_uring_read *reads, size_t n)
{
	__real_kvfs_uring_read_batch(reads, n);
	for (size_t i = 0; i < n; i++)
		if (bad_off - reads[i].off < reads[i].len)
			reads[i].result = bad_off == reads[i].off ? -EIO : (ssize_t)(bad_off - reads[i].off);
}

#define FILE_LEN (4 << 20)

static unsigned char source[FILE_LEN];
static const char blob[] = "a blob of thirty-two bytes, yes.";
static struct kvfs_fdpool *pool;
static int source_fd;

static void make_source(void)
{
	struct kvfs_err err;

	srand(1);
	for (size_t i = 0; i < FILE_LEN; i++)
		source[i] = (unsigned char)rand();
	source_fd = unit_file(source, FILE_LEN);
	ck_assert_int_eq(kvfs_fdpool_create(unit_path(source_fd), 4, &pool, &err), 0);
}

static void add(struct kvfs_extents *t, enum kvfs_extent_kind kind, uint64_t off, uint64_t len,
		uint64_t file_off)
{
	const struct kvfs_extent e = {
		.off = off, .len = len, .kind = kind, .file_off = file_off,
		.blob = kind == KVFS_EXTENT_BLOB ? blob : NULL,
	};

	ck_assert_int_eq(kvfs_extents_add(t, &e), 0);
}

/* The bytes that the view should have. */
static unsigned char *expand(const struct kvfs_extents *t)
{
	unsigned char *view = calloc(1, t->size);

	for (size_t i = 0; i < t->n; i++) {
		const struct kvfs_extent *e = &t->v[i];

		memcpy(view + e->off, e->kind == KVFS_EXTENT_BLOB ? (const unsigned char *)blob :
		       source + e->file_off, e->len);
	}
	return view;
}

static void check_read(const struct kvfs_extents *t, uint64_t off, size_t len)
{
	unsigned char *view = expand(t), *buf = malloc(len + 1);
	size_t want = off >= t->size ? 0 : t->size - off < len ? t->size - off : len;

	memset(buf, 0xee, len + 1);
	ck_assert_int_eq(kvfs_extents_read(t, pool, buf, len, off), (ssize_t)want);
	ck_assert_int_eq(memcmp(buf, view + off, want), 0);
	ck_assert_uint_eq(buf[want], 0xee);	/* no byte past the read */
	ck_assert_int_eq(lent, 0);
	free(view);
	free(buf);
}

/* blob, hole, RAM, file, hole */
static struct kvfs_extents sample(void)
{
	struct kvfs_extents t = { 0 };

	add(&t, KVFS_EXTENT_BLOB, 0, 32, 0);
	add(&t, KVFS_EXTENT_RAM, 4096, 100000, 50000);
	add(&t, KVFS_EXTENT_FILE, 104096, 5000, 1234);
	t.size = 120000;
	return t;
}

START_TEST(reads_of_every_kind)
{
	struct kvfs_extents t = sample();

	make_source();
	check_read(&t, 0, 120000);
	check_read(&t, 0, 200000);
	check_read(&t, 7, 20);
	check_read(&t, 20, 100);
	check_read(&t, 40, 100);
	check_read(&t, 4000, 200);
	check_read(&t, 5000, 4096);
	check_read(&t, 104000, 200);
	check_read(&t, 109000, 5000);
	check_read(&t, 119999, 1);
	check_read(&t, 119999, 100);
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

START_TEST(ends)
{
	struct kvfs_extents t = sample();
	char buf[8];

	ck_assert_int_eq(kvfs_extents_read(&t, NULL, buf, 8, 120000), 0);
	ck_assert_int_eq(kvfs_extents_read(&t, NULL, buf, 8, UINT64_MAX), 0);
	ck_assert_int_eq(kvfs_extents_read(&t, NULL, buf, 0, 0), 0);
	/* Holes and blobs need no pool. */
	ck_assert_int_eq(kvfs_extents_read(&t, NULL, buf, 8, 28), 8);
	ck_assert_mem_eq(buf, "yes.\0\0\0\0", 8);
	kvfs_extents_deinit(&t);
}
END_TEST

START_TEST(one_piece_is_one_plain_read)
{
	struct kvfs_extents t = sample();
	char buf[4096];

	make_source();
	ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, 4096, 8192), 4096);
	ck_assert_int_eq(gets, 1);
	ck_assert_mem_eq(buf, source + 50000 + 4096, 4096);
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

/* n extents of len bytes with holes between them, in another order than in the file. */
static struct kvfs_extents many(size_t n, uint64_t len)
{
	struct kvfs_extents t = { 0 };

	for (size_t i = 0; i < n; i++)
		add(&t, KVFS_EXTENT_RAM, i * 2 * len, len, (i * 7919 * len) % (FILE_LEN - len));
	return t;
}

START_TEST(descriptors_are_borrowed_by_need)
{
	static const struct { size_t n; uint64_t len; int fds; } cases[] = {
		{ 10, 100, 1 }, { 2, 16384, 2 }, { 4, 65536, 4 }, { 16, 65536, 8 }, { 16, 4096, 4 },
	};

	make_source();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvfs_extents t = many(cases[i].n, cases[i].len);

		most_lent = 0;
		check_read(&t, 0, t.size);
		ck_assert_int_eq(most_lent, cases[i].fds);
		kvfs_extents_deinit(&t);
	}
	ck_assert_int_eq(gets, puts_);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

START_TEST(more_pieces_than_a_round_takes)
{
	struct kvfs_extents t = many(500, 1024);

	make_source();
	check_read(&t, 0, t.size);
	check_read(&t, 100, t.size);
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

START_TEST(few_descriptors_are_enough)
{
	struct kvfs_extents t = many(16, 65536);
	char buf[8];

	make_source();
	get_limit = 3;
	check_read(&t, 0, t.size);
	ck_assert_int_eq(most_lent, 3);
	get_limit = 0;
	ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, 8, 0), -EMFILE);
	/* The bytes before the first one that needs a descriptor are read. */
	ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, 8, 131072 - 5), 5);
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

START_TEST(errors_end_a_read_where_they_are)
{
	struct kvfs_extents t = many(100, 1024);	/* several rounds */
	char *buf = malloc(t.size);

	make_source();
	for (size_t i = 0; i < 100; i += 9) {
		const struct kvfs_extent *e = &t.v[i];

		bad_off = e->file_off + 100;
		ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, t.size, 0), (ssize_t)e->off + 100);
		ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, 8, e->off + 100), -EIO);
		bad_off = e->file_off;
		ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, t.size, 0),
				 e->off ? (ssize_t)e->off : -EIO);
		ck_assert_int_eq(lent, 0);
	}
	free(buf);
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

START_TEST(a_source_that_is_too_short)
{
	struct kvfs_extents t = { 0 };
	char buf[256];

	make_source();
	add(&t, KVFS_EXTENT_FILE, 0, 256, FILE_LEN - 100);
	ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, 256, 0), 100);
	ck_assert_int_eq(kvfs_extents_read(&t, pool, buf, 100, 100), -ENXIO);
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

START_TEST(ram_that_no_file_has)
{
	struct kvfs_extents t = { 0 };
	char buf[64];

	add(&t, KVFS_EXTENT_BLOB, 0, 32, 0);
	add(&t, KVFS_EXTENT_RAM, 32, 4096, KVFS_NO_FILE_OFF);
	ck_assert_int_eq(kvfs_extents_read(&t, NULL, buf, 64, 0), 32);
	ck_assert_int_eq(kvfs_extents_read(&t, NULL, buf, 64, 32), -ENXIO);
	kvfs_extents_deinit(&t);
}
END_TEST

static void *read_at_random(void *arg)
{
	const struct kvfs_extents *t = arg;
	/* Not malloc: valgrind does not see the writes of io_uring. */
	unsigned char *view = expand(t), *buf = calloc(1, 65536);
	unsigned int seed = (unsigned int)(uintptr_t)buf;
	uintptr_t wrong = 0;

	for (int i = 0; i < 300; i++) {
		uint64_t off = (uint64_t)rand_r(&seed) % t->size;
		size_t len = 1 + (size_t)rand_r(&seed) % 65536;
		ssize_t n = kvfs_extents_read(t, pool, buf, len, off);

		wrong += n != (ssize_t)(t->size - off < len ? t->size - off : len) ||
			 memcmp(buf, view + off, (size_t)n);
	}
	free(view);
	free(buf);
	return (void *)wrong;
}

START_TEST(readers_at_a_time)
{
	struct kvfs_extents t = many(100, 3000);
	pthread_t threads[6];
	void *wrong;

	make_source();
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_at_random, &t), 0);
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], &wrong);
		ck_assert_ptr_null(wrong);
	}
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

START_TEST(all_of_it_without_io_uring)
{
	struct kvfs_extents t = many(40, 20000);

	make_source();
	kvfs_uring_disable();
	check_read(&t, 0, t.size);
	check_read(&t, 12345, 100000);
	kvfs_extents_deinit(&t);
	kvfs_fdpool_destroy(pool);
	close(source_fd);
}
END_TEST

UNIT_MAIN("read", reads_of_every_kind, ends, one_piece_is_one_plain_read,
	  descriptors_are_borrowed_by_need, more_pieces_than_a_round_takes,
	  few_descriptors_are_enough, errors_end_a_read_where_they_are, a_source_that_is_too_short,
	  ram_that_no_file_has, readers_at_a_time, all_of_it_without_io_uring)
