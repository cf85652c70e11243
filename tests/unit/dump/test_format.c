// SPDX-License-Identifier: GPL-2.0-only
#include "dump/format.h"

#include <errno.h>
#include <pthread.h>

#include "failalloc.h"
#include "space_dump.h"
#include "unit.h"

static int ram_byte(struct kvfs_dump *dump, uint64_t paddr)
{
	unsigned char byte = 0xee;

	ck_assert_int_eq(kvfs_dump_read_phys(dump, &byte, 1, paddr), 0);
	return byte;
}

START_TEST(test_ram)
{
	struct kvfs_dump *dump = new_dump();
	int ret;

	give_segments(dump);
	failalloc_try_all(ret, ({
		kvfs_extents_deinit(&dump->ram);
		ret = kvfs_dump_make_ram(dump, false);
	}));
	ck_assert_uint_eq(dump->ram.size, 0xb000);
	ck_assert_uint_eq(dump->ram.n, 2);
	ck_assert_int_eq(ram_byte(dump, 0), 0);
	ck_assert_int_eq(ram_byte(dump, 0x1000), 0x40);
	ck_assert_int_eq(ram_byte(dump, 0x2000), 0);
	ck_assert_int_eq(ram_byte(dump, 0x5000), 0x21);
	ck_assert_int_eq(ram_byte(dump, 0x7fff), 0x23);
	ck_assert_int_eq(ram_byte(dump, 0x8000), 0);
	ck_assert_int_eq(ram_byte(dump, 0xffff000), 0);
	kvfs_extents_deinit(&dump->ram);
	ck_assert_int_eq(kvfs_dump_make_ram(dump, true), 0);
	ck_assert_int_eq(ram_byte(dump, 0x5000), 5);
	kvfs_dump_close(dump);
}
END_TEST

static void *note_all(void *arg)
{
	for (uint64_t nr = 0; nr < 1000; nr += 3)
		kvfs_dump_note_damaged(arg, nr, 1000);
	return NULL;
}

/* Each page counts once, whichever thread notes it, and however often. */
START_TEST(test_damaged)
{
	struct kvfs_dump *dump = new_dump();
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, note_all, dump), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(dump->nr_damaged, 334);
	kvfs_dump_note_damaged(dump, 1000, 1000);
	kvfs_dump_note_damaged(dump, 999, 1000);
	ck_assert_uint_eq(dump->nr_damaged, 335);
	kvfs_dump_close(dump);
}
END_TEST

/* Without memory for the bits, pages still count. */
START_TEST(test_damaged_without_memory)
{
	struct kvfs_dump *dump = new_dump();

	failalloc_arm(0);
	kvfs_dump_note_damaged(dump, 7, 1000);
	ck_assert(failalloc_happened());
	ck_assert_uint_eq(dump->nr_damaged, 1);
	kvfs_dump_close(dump);
}
END_TEST

START_TEST(test_missing)
{
	char *missing = NULL, longer[2000];
	int ret;

	failalloc_try_all(ret, ret = kvfs_dump_add_missing(&missing, "part %d", 1));
	ck_assert_str_eq(missing, "part 1");
	failalloc_try_all(ret, ret = kvfs_dump_add_missing(&missing, "part\n%d", 2));
	ck_assert_str_eq(missing, "part 1; part?2");
	/* As many as there are; only one message is bounded. */
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(kvfs_dump_add_missing(&missing, "part %d", i), 0);
	ck_assert_ptr_nonnull(strstr(missing, "; part 0; part 1; "));
	ck_assert_ptr_nonnull(strstr(missing, "; part 298; part 299"));
	ck_assert_int_eq(kvfs_dump_add_missing(&missing, "%s", longer), 0);
	ck_assert_ptr_nonnull(strstr(missing, "part 299; xxx"));
	free(missing);
}
END_TEST

UNIT_MAIN("dump/format", test_ram, test_damaged, test_damaged_without_memory, test_missing)
