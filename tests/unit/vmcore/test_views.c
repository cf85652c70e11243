// SPDX-License-Identifier: GPL-2.0-only
/* vmcore/ through libkview: an ELF core and a compressed dump, whole, damaged and unavailable. */
#include <errno.h>
#include <pthread.h>

#include "failpread.h"
#include "kdump_builder.h"
#include "libkview.h"
#include "vmcore_fixture.h"

#define NR_PAGES 200
#define DAMAGED 150		/* page of the compressed dump whose descriptor is wrong */

static char path[] = "/tmp/kviewfs-unit-XXXXXX";
static struct kdump_file kdump;

static int new_file(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Opens the dump at path, which needs its name no more. */
static struct kview *open_tree(void)
{
	struct kview_error error = { 0 };
	struct kview *kview = NULL;
	char options[128];

	snprintf(options, sizeof(options), "vmcore=%s,cache=2M,module=no", path);
	ck_assert_msg(kview_open(options, &kview, &error) == 0, "%s", error.msg);
	unlink(path);
	return kview;
}

static struct kview *open_elf(void)
{
	int fd = new_file();
	char msg[256];

	ck_assert_msg(mkelf_expand(fixture_text("elf machine=62"), fd, msg, sizeof(msg)) == 0, "%s", msg);
	close(fd);
	return open_tree();
}

static struct kview *open_kdump(void)
{
	char pages[NR_PAGES + 1] = { [0 ... NR_PAGES - 1] = 'D' };
	const struct kdump_spec spec = { .pages = pages };
	int fd = new_file();

	memset(pages + 100, 'x', 20);
	kdump_build(&kdump, &spec);
	kdump_put32(&kdump, kdump.descs_off + (DAMAGED - 20) * 24 + 8, UINT32_MAX);
	ck_assert_int_eq(write(fd, kdump.bytes, kdump.len), (ssize_t)kdump.len);
	close(fd);
	return open_tree();
}

static struct kview_file *open_file(struct kview *kview, const char *name)
{
	struct kview_error error = { 0 };
	struct kview_file *file = NULL;

	ck_assert_msg(kview_file_open(kview, name, &file, &error) == 0, "%s: %s", name, error.msg);
	return file;
}

static uint64_t word_at(struct kview_file *file, uint64_t off)
{
	uint64_t word = 1;

	ck_assert_int_eq(kview_file_pread(file, &word, sizeof(word), off), sizeof(word));
	return word;
}

static const char *attr(struct kview *kview, const char *name, const char *attribute)
{
	static char value[512];

	return kview_attr(kview, name, attribute, value, sizeof(value)) < 0 ? NULL : value;
}

START_TEST(test_elf)
{
	struct kview *kview = open_elf();
	struct kview_file *ram = open_file(kview, "vmcore/ram"), *seg = open_file(kview, "vmcore/seg0");
	struct kview_stat st;
	uint64_t found;

	ck_assert_int_eq(kview_file_stat(ram, &st), 0);
	ck_assert_uint_eq(st.size, 0x106000);
	ck_assert_int_eq(st.mode, KVIEW_MODE_CACHED);
	ck_assert_uint_eq(word_at(ram, 0x102008), 0x102008);
	ck_assert_uint_eq(word_at(ram, 0x105008), 0);
	ck_assert_int_eq(kview_file_seek(ram, 0, SEEK_DATA, &found), 0);
	ck_assert_uint_eq(found, 0x100000);
	ck_assert_uint_eq(word_at(seg, 8), 0x101008);
	ck_assert_str_eq(attr(kview, "vmcore/seg0", "user.kview.vaddr"), "0xffffffff81000000");
	ck_assert_str_eq(attr(kview, "vmcore/seg1", "user.kview.paddr"), "0x100000");
	ck_assert_ptr_null(attr(kview, "vmcore/seg1", "user.kview.vaddr"));
	kview_file_close(ram);
	kview_file_close(seg);
	kview_close(kview);
}
END_TEST

START_TEST(test_texts)
{
	struct kview *kview = open_elf();
	struct kview_file *cpu = open_file(kview, "vmcore/notes/cpu1"), *info = open_file(kview, "vmcore/vmcoreinfo");
	struct kview_error error;
	const char *name, *reason;
	struct kview_dir *dir;
	char buf[64] = "";

	ck_assert_int_eq(kview_file_pread(info, buf, sizeof(buf), 0), 14);
	ck_assert_str_eq(buf, "PAGESIZE=4096\n");
	ck_assert_int_eq(kview_file_pread(cpu, buf, 19, 0), 19);
	ck_assert_mem_eq(buf, "signal: 0\npid: 101\n", 19);
	/* This VMCOREINFO has no printk ring buffer. */
	ck_assert_int_eq(kview_dir_open(kview, "vmcore", &dir, &error), 0);
	ck_assert(kview_dir_missing(dir, 0, &name, &reason));
	ck_assert_str_eq(name, "dmesg");
	ck_assert(!kview_dir_missing(dir, 1, &name, &reason));
	kview_dir_close(dir);
	kview_file_close(cpu);
	kview_file_close(info);
	kview_close(kview);
}
END_TEST

/* Without the module core, and nothing else, has a descriptor: that of the dump. */
START_TEST(test_mapping)
{
	struct kview *kview = open_elf();
	struct kview_file *core = open_file(kview, "vmcore/core"), *ram = open_file(kview, "vmcore/ram");
	struct kview_error error = { 0 };
	struct kview_stat st;
	char *bytes, head[64];
	int fd = kview_file_fd(core, &error);

	ck_assert_msg(fd >= 0, "%s", error.msg);
	ck_assert_int_eq(kview_file_stat(core, &st), 0);
	bytes = mmap(NULL, st.size, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(bytes, MAP_FAILED);
	ck_assert_int_eq(kview_file_pread(core, head, sizeof(head), 0), sizeof(head));
	ck_assert_mem_eq(bytes, head, sizeof(head));
	munmap(bytes, st.size);
	close(fd);
	ck_assert_int_lt(kview_file_fd(ram, &error), 0);
	ck_assert_str_ne(error.msg, "");
	kview_file_close(core);
	kview_file_close(ram);
	kview_close(kview);
}
END_TEST

/* Each page of ram: its own bytes, zeros where it was left out, or EIO for the damaged one. */
static void check_ram(struct kview_file *ram)
{
	unsigned char got[PAGE], want[PAGE];

	for (uint64_t pfn = 0; pfn < NR_PAGES; pfn++) {
		if (pfn == DAMAGED) {
			ck_assert_int_eq(kview_file_pread(ram, got, PAGE, pfn * PAGE), -EIO);
			continue;
		}
		memset(want, 0, PAGE);
		if (pfn < 100 || pfn >= 120)
			kdump_page(pfn, PAGE, want);
		ck_assert_int_eq(kview_file_pread(ram, got, PAGE, pfn * PAGE), PAGE);
		ck_assert_msg(memcmp(got, want, PAGE) == 0, "page %lu", pfn);
	}
}

static void *check_ram_thread(void *ram)
{
	check_ram(ram);
	return NULL;
}

START_TEST(test_kdump)
{
	struct kview *kview = open_kdump();
	struct kview_file *ram = open_file(kview, "vmcore/ram");
	struct kview_stat st;
	pthread_t threads[4];
	uint64_t found;

	check_ram(ram);
	ck_assert_int_eq(kview_file_seek(ram, 0, SEEK_HOLE, &found), 0);
	ck_assert_uint_eq(found, 100 * PAGE);
	ck_assert_int_eq(kview_file_stat(ram, &st), 0);
	ck_assert_uint_eq(st.data_len, (NR_PAGES - 20) * PAGE);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, check_ram_thread, ram), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	kview_file_close(ram);
	kview_close(kview);
}
END_TEST

/* An error of the file system fails the reads of its time, and leaves nothing behind. */
START_TEST(test_unavailable)
{
	static const int errors[] = { EIO, ENOMEM, ESTALE };
	struct kview *kview = open_kdump();
	struct kview_file *ram = open_file(kview, "vmcore/ram"), *seg = open_file(kview, "vmcore/seg0");
	char buf[PAGE];

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		failpread_at(kdump.data_off + 43 * PAGE, errors[i]);
		ck_assert_int_eq(kview_file_pread(ram, buf, PAGE, 43 * PAGE), -errors[i]);
		ck_assert_int_eq(kview_file_pread(seg, buf, 1, 43 * PAGE + 9), -errors[i]);
		failpread_off();
		ck_assert_uint_eq(word_at(ram, 43 * PAGE), 43 * PAGE);
		failpread_at(kdump.data_off + 43 * PAGE, errors[i]);
		/* What was read before needs the file no more. */
		ck_assert_uint_eq(word_at(seg, 43 * PAGE + 8), 43 * PAGE + 8);
		failpread_off();
		kview_file_close(ram);
		kview_file_close(seg);
		kview_close(kview);
		strcpy(path, "/tmp/kviewfs-unit-XXXXXX");
		kview = open_kdump();
		ram = open_file(kview, "vmcore/ram");
		seg = open_file(kview, "vmcore/seg0");
	}
	check_ram(ram);
	kview_file_close(ram);
	kview_file_close(seg);
	kview_close(kview);
}
END_TEST

START_TEST(test_refused)
{
	struct kview_error error = { 0 };
	struct kview *kview = NULL;

	ck_assert_int_eq(kview_open("vmcore=/no/such/dump", &kview, &error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.msg, "/no/such/dump"));
	ck_assert_int_eq(kview_open("vmcore=/proc/version", &kview, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.msg, "is a file of procfs"));
}
END_TEST

UNIT_MAIN("vmcore/views", test_elf, test_texts, test_mapping, test_kdump, test_unavailable, test_refused)
