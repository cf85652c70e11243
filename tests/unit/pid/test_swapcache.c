// SPDX-License-Identifier: GPL-2.0-only
#include "pid/swapcache.h"

#include <errno.h>

#include "failalloc.h"
#include "mkelf.h"
#include "unit.h"

/* A machine with two ranges of RAM: pages 1 to 0x9e, and 0x100 to 0x8ff. */
#define VMEMMAP_OFF 0x100000
#define VMEMMAP_HIGH_OFF 0x200000
#define HEAD "elf\nnote name=VMCOREINFO desc=\"SIZE(page)=64\\nOFFSET(page.private)=40\\n\"\n"
#define REST \
	"load vaddr=0xffffffff81000000 paddr=0x1000000 memsz=4M off=0x7fff81003000\n" \
	"load vaddr=0xffffc90000000000 memsz=32M off=0x490000003000\n" \
	"load vaddr=0xffff888000001000 paddr=0x1000 memsz=0x9e000 off=0x88000004000\n" \
	"load vaddr=0xffff888000100000 paddr=0x100000 memsz=0x800000 off=0x88000103000\n"
#define VMEMMAP "load vaddr=0xffffea0040000000 memsz=0x3000 off=0x100000\n" \
		"load vaddr=0xffffea0040004000 memsz=0x20000 off=0x200000\n"

#define UPTODATE (UINT64_C(1) << 3)
#define SWAPCACHE (UINT64_C(1) << 13)
#define HEAD_PAGE (UINT64_C(1) << 15)
#define TAIL_PAGE (UINT64_C(1) << 16)

static int kcore_fd, flags_fd;
static char kcore_path[64], flags_path[64];

static void make_machine(const char *text)
{
	uint64_t nothing[0x900] = { 0 };
	char why[256];

	kcore_fd = unit_file(NULL, 0);
	ck_assert_msg(!mkelf_expand(text, kcore_fd, why, sizeof(why)), "%s", why);
	flags_fd = unit_file(nothing, sizeof(nothing));
	snprintf(kcore_path, sizeof(kcore_path), "%s", unit_path(kcore_fd));
	snprintf(flags_path, sizeof(flags_path), "%s", unit_path(flags_fd));
}

static void end_machine(void)
{
	close(kcore_fd);
	close(flags_fd);
}

static int create(struct kvfs_swapcache **out, struct kvfs_err *err)
{
	const struct kvfs_swapcache_config config = { .kcore = kcore_path, .kpageflags = flags_path };

	return kvfs_swapcache_create(&config, out, err);
}

/* Sets the flags of a page and the swap entry in its struct page. */
static void set_page(uint64_t pfn, uint64_t flags, uint64_t type, uint64_t offset)
{
	uint64_t private = type << 58 | offset;
	off_t off = pfn < 0x100 ? VMEMMAP_OFF + (off_t)pfn * 64
				: VMEMMAP_HIGH_OFF + (off_t)(pfn - 0x100) * 64;

	ck_assert_int_eq(pwrite(kcore_fd, &private, 8, off + 40), 8);
	ck_assert_int_eq(pwrite(flags_fd, &flags, 8, (off_t)pfn * 8), 8);
}

/* An entry of pagemap for a page in swap, soft-dirty. */
static uint64_t entry(uint64_t type, uint64_t offset)
{
	return UINT64_C(1) << 62 | UINT64_C(1) << 55 | offset << 5 | type;
}

START_TEST(test_table)
{
	struct kvfs_swapcache_table *table, *again;
	struct kvfs_swapcache *cache;
	struct kvfs_err err = { 0 };

	make_machine(HEAD REST VMEMMAP);
	set_page(1, SWAPCACHE | UPTODATE, 0, 7);
	set_page(0x9e, SWAPCACHE | UPTODATE, 3, 1);
	set_page(0x100, SWAPCACHE | UPTODATE, 1, (UINT64_C(1) << 50) - 1);
	set_page(0x8ff, SWAPCACHE | UPTODATE, 0, 100);
	set_page(0x200, UPTODATE, 0, 8);			/* not in the swap cache */
	set_page(0x201, SWAPCACHE, 0, 9);			/* being read in */
	/* A compound page of four, of which only the head has a swap entry. */
	set_page(0x300, SWAPCACHE | UPTODATE | HEAD_PAGE, 2, 400);
	for (uint64_t i = 1; i < 4; i++)
		set_page(0x300 + i, SWAPCACHE | UPTODATE | TAIL_PAGE, 31, 31);
	set_page(0x304, SWAPCACHE | UPTODATE, 2, 1000);
	set_page(0x400, SWAPCACHE | UPTODATE | TAIL_PAGE, 5, 5);	/* a tail without a head */
	ck_assert_msg(create(&cache, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(kvfs_swapcache_get(cache, &table), 0);
	ck_assert(kvfs_swapcache_has(table, entry(0, 7)));
	ck_assert(kvfs_swapcache_has(table, entry(3, 1)));
	ck_assert(kvfs_swapcache_has(table, entry(1, (UINT64_C(1) << 50) - 1)));
	ck_assert(kvfs_swapcache_has(table, entry(0, 100)));
	for (uint64_t i = 0; i < 4; i++)
		ck_assert(kvfs_swapcache_has(table, entry(2, 400 + i)));
	ck_assert(kvfs_swapcache_has(table, entry(2, 1000)));
	ck_assert(!kvfs_swapcache_has(table, entry(0, 8)));
	ck_assert(!kvfs_swapcache_has(table, entry(0, 9)));
	ck_assert(!kvfs_swapcache_has(table, entry(1, 7)));
	ck_assert(!kvfs_swapcache_has(table, entry(2, 404)));
	ck_assert(!kvfs_swapcache_has(table, entry(31, 31)));
	ck_assert(!kvfs_swapcache_has(table, entry(5, 5)));
	ck_assert(!kvfs_swapcache_has(NULL, entry(0, 7)));
	/* The cache keeps it for a while, and so does each user until it is put back. */
	ck_assert_int_eq(kvfs_swapcache_get(cache, &again), 0);
	kvfs_swapcache_put(cache, table);
	ck_assert(kvfs_swapcache_has(again, entry(0, 7)));
	kvfs_swapcache_put(cache, again);
	kvfs_swapcache_put(cache, NULL);
	kvfs_swapcache_destroy(cache);
	kvfs_swapcache_destroy(NULL);
	end_machine();
}
END_TEST

/* More entries than a new table has room for. */
START_TEST(test_many)
{
	struct kvfs_swapcache_table *table;
	struct kvfs_swapcache *cache;
	struct kvfs_err err = { 0 };

	make_machine(HEAD REST VMEMMAP);
	for (uint64_t pfn = 0x100; pfn < 0x900; pfn++)
		set_page(pfn, SWAPCACHE | UPTODATE, 0, 0x900 - pfn);
	ck_assert_int_eq(create(&cache, &err), 0);
	ck_assert_int_eq(kvfs_swapcache_get(cache, &table), 0);
	for (uint64_t pfn = 0x100; pfn < 0x900; pfn++)
		ck_assert(kvfs_swapcache_has(table, entry(0, 0x900 - pfn)));
	ck_assert(!kvfs_swapcache_has(table, entry(0, 0)));
	ck_assert(!kvfs_swapcache_has(table, entry(0, 0x801)));
	kvfs_swapcache_put(cache, table);
	kvfs_swapcache_destroy(cache);
	end_machine();
}
END_TEST

START_TEST(test_cannot_be_seen)
{
	static const struct {
		const char *text, *part;
		int errnum;
	} cases[] = {
		{ HEAD REST, "there is no vmemmap", ENODATA },
		{ "elf\n" REST VMEMMAP, "does not describe struct page", ENODATA },
		{ "elf\nnote name=VMCOREINFO desc=\"SIZE(page)=64\\n\"\n" REST VMEMMAP,
		  "does not describe struct page", ENODATA },
		{ "elf\nnote name=VMCOREINFO desc=\"SIZE(page)=64\\nOFFSET(page.private)=99999\\n\"\n" REST VMEMMAP,
		  "not in struct page", EBADMSG },
		{ "elf\nnote name=VMCOREINFO desc=\"SIZE(page)=56\\nOFFSET(page.private)=40\\n\"\n" REST
		  "load vaddr=0xffffea0040001000 memsz=0x3000 off=0x100000\n", "no vmemmap", ENODATA },
	};
	struct kvfs_swapcache *cache;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvfs_err err = { 0 };
		int ret;

		make_machine(cases[i].text);
		ret = create(&cache, &err);
		unit_assert_error(ret, cases[i].errnum, err, cases[i].part);
		end_machine();
	}
}
END_TEST

/* A table that cannot be made is an error, never an empty table. */
START_TEST(test_failures)
{
	struct kvfs_swapcache_table *table = NULL;
	struct kvfs_swapcache *cache;
	struct kvfs_err err = { 0 };
	int ret;

	make_machine(HEAD REST VMEMMAP);
	set_page(1, SWAPCACHE | UPTODATE, 0, 7);
	ck_assert_int_eq(create(&cache, &err), 0);
	failalloc_try_all(ret, ret = kvfs_swapcache_get(cache, &table));
	ck_assert(kvfs_swapcache_has(table, entry(0, 7)));
	kvfs_swapcache_put(cache, table);
	kvfs_swapcache_destroy(cache);
	ck_assert_int_eq(create(&cache, &err), 0);
	unit_try_few_fds(ret, ret = kvfs_swapcache_get(cache, &table));
	ck_assert(kvfs_swapcache_has(table, entry(0, 7)));
	kvfs_swapcache_put(cache, table);
	kvfs_swapcache_destroy(cache);
	/* A kcore that ends before its headers do. */
	ck_assert_int_eq(create(&cache, &err), 0);
	ck_assert_int_eq(ftruncate(kcore_fd, 64), 0);
	ck_assert_int_lt(kvfs_swapcache_get(cache, &table), 0);
	kvfs_swapcache_destroy(cache);
	end_machine();
	snprintf(kcore_path, sizeof(kcore_path), "/nonexistent/kcore");
	unit_assert_error(create(&cache, &err), ENOENT, err, "/nonexistent/kcore");
}
END_TEST

/* Memory that is removed while the table is made has no page in the swap cache any more. */
START_TEST(test_removed_memory)
{
	struct kvfs_swapcache_table *table;
	struct kvfs_swapcache *cache;
	struct kvfs_err err = { 0 };

	make_machine(HEAD REST VMEMMAP);
	set_page(1, SWAPCACHE | UPTODATE, 0, 7);
	set_page(0x100, SWAPCACHE | UPTODATE, 0, 8);
	ck_assert_int_eq(create(&cache, &err), 0);
	ck_assert_int_eq(ftruncate(kcore_fd, VMEMMAP_HIGH_OFF), 0);
	ck_assert_int_eq(kvfs_swapcache_get(cache, &table), 0);
	ck_assert(kvfs_swapcache_has(table, entry(0, 7)));
	ck_assert(!kvfs_swapcache_has(table, entry(0, 8)));
	kvfs_swapcache_put(cache, table);
	kvfs_swapcache_destroy(cache);
	end_machine();
}
END_TEST

UNIT_MAIN("swapcache", test_table, test_many, test_cannot_be_seen, test_failures, test_removed_memory)
