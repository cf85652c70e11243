// SPDX-License-Identifier: GPL-2.0-only
/* Each test is a process of its own, so each sets up the library for itself, on files of its own. */
#include "kview-exec/memory.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "kview-exec/counters.h"
#include "kview-exec/fake_kcore.h"
#include "unit.h"

static struct fake_kcore m;
static char mount[64];
static int kcore, ram_fd;

/* A file of the mount with the attributes that the daemon gives it. */
static int make_file(const char *name, const void *bytes, size_t len, const char *mode, const char *key,
		     const char *addr)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", mount, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	ck_assert_int_eq(fsetxattr(fd, "user.kview.mode", mode, strlen(mode), 0), 0);
	ck_assert_int_eq(fsetxattr(fd, key, addr, strlen(addr), 0), 0);
	return fd;
}

static void set_up(int levels, const char *mode)
{
	char path[128];

	snprintf(mount, sizeof(mount), "/var/tmp/kview-exec.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(mount));
	snprintf(path, sizeof(path), "%s/kcore", mount);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(setenv(KVFS_EXEC_ENV_MOUNT, mount, 1), 0);
	fake_make(&m, levels);
	kcore = unit_file(m.file, FAKE_LEN);
	ram_fd = make_file("kcore/ram", m.ram, sizeof(m.ram), mode, "user.kview.paddr", "0x0");
	close(make_file("kcore/text", m.image, sizeof(m.image), mode, "user.kview.vaddr", "0xffffffff80000000"));
}

static void tear_down(void)
{
	static const char *const names[] = { "kcore/ram", "kcore/text", "kcore", "" };
	char path[128];

	close(ram_fd);
	close(kcore);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", mount, names[i]);
		ck_assert_int_eq(remove(path), 0);
	}
}

/* Changes RAM as the kernel would: the mapping sees it. */
static void poke(unsigned int page, unsigned int i, uint64_t word)
{
	ck_assert_int_eq(pwrite(ram_fd, &word, sizeof(word), page * FAKE_PAGE + i * 8), 8);
}

static uint64_t word_at(uint64_t off)
{
	uint64_t word = 0;

	ck_assert_int_eq(kvfs_memory_pread(kcore, &word, sizeof(word), off), sizeof(word));
	return word;
}

#define KERNEL_WORD 0xeeeeeeeeeeeeeeeeULL

START_TEST(test_ram_and_image)
{
	unsigned char buf[3 * FAKE_PAGE];

	set_up(4, "direct");
	ck_assert(kvfs_memory_ready(kcore));
	memset(&kvfs_counters, 0, sizeof(kvfs_counters));
	ck_assert_uint_eq(word_at(FAKE_OFF_RAM + 20 * FAKE_PAGE + 16), 20ULL << 32 | 2);
	ck_assert_uint_eq(word_at(FAKE_OFF_IMAGE + 8), 0x1a1a1a1a1a1a1a1aULL);
	ck_assert_uint_eq(kvfs_counters.mapped, 2);
	ck_assert_uint_eq(kvfs_counters.kernel, 0);
	/* Not aligned, and over two ends of pages. */
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, 2 * FAKE_PAGE + 3, FAKE_OFF_RAM + 20 * FAKE_PAGE + 5),
			 2 * FAKE_PAGE + 3);
	ck_assert_mem_eq(buf, (char *)m.ram + 20 * FAKE_PAGE + 5, 2 * FAKE_PAGE + 3);
	ck_assert_uint_eq(kvfs_counters.mapped, 5);
	ck_assert_uint_eq(kvfs_counters.kernel, 0);
	tear_down();
}
END_TEST

/* By the page tables, of 4 or 5 levels. */
static void check_tables(int levels)
{
	unsigned char buf[3 * FAKE_PAGE];

	set_up(levels, "direct");
	ck_assert(kvfs_memory_ready(kcore));
	memset(&kvfs_counters, 0, sizeof(kvfs_counters));
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 8), 20ULL << 32 | 1);
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + FAKE_PAGE + 8), 10ULL << 32 | 1);
	ck_assert_uint_eq(kvfs_counters.walked, 2);
	/* Pages that lie apart, in one read. */
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, sizeof(buf), FAKE_OFF_VMALLOC), sizeof(buf));
	ck_assert_mem_eq(buf, m.ram[20], FAKE_PAGE);
	ck_assert_mem_eq(buf + FAKE_PAGE, m.ram[10], FAKE_PAGE);
	ck_assert_mem_eq(buf + 2 * FAKE_PAGE, m.ram[30], FAKE_PAGE);
	ck_assert_uint_eq(kvfs_counters.kernel, 0);
	/* Where nothing is mapped, the kernel is asked. */
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 3 * FAKE_PAGE), KERNEL_WORD);
	ck_assert_uint_eq(kvfs_counters.kernel, 1);
	tear_down();
}

START_TEST(test_four_levels)
{
	check_tables(4);
}
END_TEST

START_TEST(test_five_levels)
{
	check_tables(5);
}
END_TEST

/* An entry of 2 MiB: the frame has to lie in RAM to its last byte that is asked for. */
START_TEST(test_huge_entry)
{
	set_up(4, "direct");
	ck_assert(kvfs_memory_ready(kcore));
	poke(FAKE_L2, fake_index(FAKE_VMALLOC, 2), 0x80 | 1);
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 9 * FAKE_PAGE + 8), 9ULL << 32 | 1);
	poke(FAKE_L2, fake_index(FAKE_VMALLOC, 2), 0x40000000 | 0x80 | 1);
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 9 * FAKE_PAGE + 8), KERNEL_WORD);
	tear_down();
}
END_TEST

/* Tables are walked at each read: nothing of an old translation is kept. */
START_TEST(test_tables_change)
{
	set_up(4, "direct");
	ck_assert(kvfs_memory_ready(kcore));
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 8), 20ULL << 32 | 1);
	poke(FAKE_L1, fake_index(FAKE_VMALLOC, 1), 50 * FAKE_PAGE | 1);
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 8), 50ULL << 32 | 1);
	poke(FAKE_L1, fake_index(FAKE_VMALLOC, 1), 50 * FAKE_PAGE);
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 72), KERNEL_WORD);
	tear_down();
}
END_TEST

/* At its start the library compares what page tables lead to with what the kernel reads. */
START_TEST(test_tables_that_disagree)
{
	unsigned char other[64];

	set_up(4, "direct");
	memset(other, FAKE_KERNEL, sizeof(other));
	ck_assert_int_eq(pwrite(kcore, other, sizeof(other), FAKE_OFF_VMALLOC), sizeof(other));
	ck_assert(kvfs_memory_ready(kcore));
	memset(&kvfs_counters, 0, sizeof(kvfs_counters));
	ck_assert_uint_eq(word_at(FAKE_OFF_VMALLOC + 72), KERNEL_WORD);
	ck_assert_uint_eq(kvfs_counters.walked, 0);
	/* RAM is read all the same. */
	ck_assert_uint_eq(word_at(FAKE_OFF_RAM + 20 * FAKE_PAGE), 20ULL << 32);
	tear_down();
}
END_TEST

/* A page of zeros may be one that is hidden: the kernel is asked. A word of zeros is not. */
START_TEST(test_zeros)
{
	unsigned char buf[3 * FAKE_PAGE];

	set_up(4, "direct");
	ck_assert(kvfs_memory_ready(kcore));
	poke(20, 3, 0);
	for (unsigned int i = 0; i < FAKE_PAGE / 8; i++)
		poke(21, i, 0);
	memset(&kvfs_counters, 0, sizeof(kvfs_counters));
	ck_assert_uint_eq(word_at(FAKE_OFF_RAM + 20 * FAKE_PAGE + 24), 0);
	ck_assert_uint_eq(kvfs_counters.kernel, 0);
	ck_assert_uint_eq(word_at(FAKE_OFF_RAM + 21 * FAKE_PAGE + 24), KERNEL_WORD);
	ck_assert_uint_eq(kvfs_counters.kernel, 1);
	/* In the middle of a read, for that page alone. */
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, sizeof(buf), FAKE_OFF_RAM + 20 * FAKE_PAGE), sizeof(buf));
	ck_assert_uint_eq(*(uint64_t *)(buf + 8), 20ULL << 32 | 1);
	ck_assert_uint_eq(*(uint64_t *)(buf + FAKE_PAGE + 8), KERNEL_WORD);
	ck_assert_uint_eq(*(uint64_t *)(buf + 2 * FAKE_PAGE + 8), 22ULL << 32 | 1);
	ck_assert_uint_eq(kvfs_counters.kernel, 2);
	tear_down();
}
END_TEST

/* Headers, holes and what lies beyond the end are the kernel's, in the same read, too. */
START_TEST(test_kernel_parts)
{
	unsigned char buf[2 * FAKE_PAGE];
	char byte;

	set_up(4, "direct");
	ck_assert(kvfs_memory_ready(kcore));
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, 64, 0), 64);
	ck_assert_mem_eq(buf, m.file, 64);
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, sizeof(buf), FAKE_OFF_HOLE - FAKE_PAGE), sizeof(buf));
	ck_assert_mem_eq(buf, m.ram[FAKE_RAM_PAGES - 1], FAKE_PAGE);
	ck_assert_uint_eq(*(uint64_t *)(buf + FAKE_PAGE), KERNEL_WORD);
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, 100, FAKE_LEN - 60), 60);
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, 100, FAKE_LEN), 0);
	ck_assert_int_eq(kvfs_memory_pread(kcore, buf, 0, FAKE_OFF_RAM), 0);
	ck_assert_int_eq(kvfs_memory_pread(-1, &byte, 1, FAKE_OFF_HOLE), -EBADF);
	/* Bytes that came before the error count. */
	ck_assert_int_eq(kvfs_memory_pread(-1, buf, sizeof(buf), FAKE_OFF_HOLE - FAKE_PAGE), FAKE_PAGE);
	tear_down();
}
END_TEST

/* A mapping in another mode would grow old; no mount, nothing to map. */
START_TEST(test_not_ready)
{
	set_up(4, "copy");
	ck_assert(!kvfs_memory_ready(kcore));
	ck_assert(!kvfs_memory_ready(kcore));
	tear_down();
}
END_TEST

START_TEST(test_no_mount)
{
	set_up(4, "direct");
	unsetenv(KVFS_EXEC_ENV_MOUNT);
	ck_assert(!kvfs_memory_ready(kcore));
	tear_down();
}
END_TEST

static const char *const bad_addresses[] = { "", "0", "0x", "1000", "0x0 ", "0x10000000000000000", "0xg" };

/* Without its address it is not known which bytes of /proc/kcore the file has. */
START_TEST(test_bad_address)
{
	const char *text = bad_addresses[_i];

	set_up(4, "direct");
	ck_assert_int_eq(fsetxattr(ram_fd, "user.kview.paddr", text, strlen(text), 0), 0);
	ck_assert(!kvfs_memory_ready(kcore));
	tear_down();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_ram_and_image, test_four_levels, test_five_levels, test_huge_entry, test_tables_change,
		test_tables_that_disagree, test_zeros, test_kernel_parts, test_not_ready, test_no_mount,
	};
	Suite *suite = suite_create("kview-exec/memory");
	TCase *tcase = tcase_create("kview-exec/memory");

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, test_bad_address, 0, sizeof(bad_addresses) / sizeof(bad_addresses[0]));
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
