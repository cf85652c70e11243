// SPDX-License-Identifier: GPL-2.0-only
#include "vmcore/text.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"
#include "vmcore/printk.h"
#include "vmcore_fixture.h"

/* Stands in for the printk ring buffer: a log, and how reading it ends. */
int __wrap_kvfs_printk_decode(const struct kvfs_vmcoreinfo *info, kvfs_printk_read_fn read, void *arg,
			      FILE *out, struct kvfs_err *err);

static const char *log_text = "";
static int log_ret;

int __wrap_kvfs_printk_decode(const struct kvfs_vmcoreinfo *info, kvfs_printk_read_fn read, void *arg,
			      FILE *out, struct kvfs_err *err)
{
	uint64_t word;

	/* The reader that it is given reads the dump by virtual address. */
	ck_assert_int_eq(read(arg, &word, sizeof(word), 0xffffffff81000008), 0);
	ck_assert_uint_eq(word, 0x101008);
	fputs(log_text, out);
	return log_ret < 0 ? kvfs_err_set(err, -log_ret, "the ring is torn") : 0;
}

static char *text;
static size_t len;

static void expect(int ret, const char *want)
{
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(len, strlen(want));
	ck_assert_mem_eq(text, want, len);
	free(text);
}

START_TEST(test_vmcoreinfo)
{
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf machine=62"));
	struct kvfs_dump *dump = kvfs_vmcore_source_dump(src);
	struct kvfs_err err = { 0 };
	int ret;

	failalloc_try_all(ret, ret = kvfs_vmcore_text_vmcoreinfo(dump, &text, &len, &err));
	expect(ret, "PAGESIZE=4096\n");
	kvfs_vmcore_source_put(src);

	src = fixture_source("elf machine=62\n" FIXTURE_LOADS);
	dump = kvfs_vmcore_source_dump(src);
	unit_assert_error(kvfs_vmcore_text_vmcoreinfo(dump, &text, &len, &err), ENODATA, err, "no VMCOREINFO");
	unit_assert_error(kvfs_vmcore_text_dmesg(dump, &text, &len, &err), ENODATA, err, "no VMCOREINFO");
	kvfs_vmcore_source_put(src);
}
END_TEST

/* A log that breaks off is shown as far as it goes, with the reason; one without a line is none. */
START_TEST(test_dmesg)
{
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf machine=62"));
	struct kvfs_dump *dump = kvfs_vmcore_source_dump(src);
	struct kvfs_err err = { 0 };

	log_text = "[ 1.0] all is well\n";
	expect(kvfs_vmcore_text_dmesg(dump, &text, &len, &err), log_text);
	ck_assert_int_eq(err.errnum, 0);
	log_ret = -EIO;
	expect(kvfs_vmcore_text_dmesg(dump, &text, &len, &err), log_text);
	ck_assert_int_eq(err.errnum, EIO);
	ck_assert_str_eq(err.msg, "the ring is torn");
	log_ret = -ENOMEM;
	unit_assert_error(kvfs_vmcore_text_dmesg(dump, &text, &len, &err), ENOMEM, err, "torn");
	log_text = "";
	log_ret = -EBADMSG;
	unit_assert_error(kvfs_vmcore_text_dmesg(dump, &text, &len, &err), EBADMSG, err, "torn");
	kvfs_vmcore_source_put(src);
}
END_TEST

START_TEST(test_cpu)
{
	struct kvfs_vmcore_source *src = fixture_source(fixture_text("elf machine=62"));
	struct kvfs_dump *dump = kvfs_vmcore_source_dump(src);
	struct kvfs_err err = { 0 };

	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		char want[64];

		ck_assert_int_eq(kvfs_vmcore_text_cpu(dump, cpu, &text, &len, &err), 0);
		snprintf(want, sizeof(want), "signal: 0\npid: %u\nr15: 0x0", 100 + cpu);
		ck_assert_mem_eq(text, want, strlen(want));
		free(text);
	}
	unit_assert_error(kvfs_vmcore_text_cpu(dump, NR_CPUS, &text, &len, &err), ENODATA, err, "no such NT_PRSTATUS");
	dump->machine = 40;
	unit_assert_error(kvfs_vmcore_text_cpu(dump, 0, &text, &len, &err), EOPNOTSUPP, err, "machine 40");
	kvfs_vmcore_source_put(src);
}
END_TEST

UNIT_MAIN("vmcore/text", test_vmcoreinfo, test_dmesg, test_cpu)
