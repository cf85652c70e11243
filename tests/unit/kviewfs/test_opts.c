// SPDX-License-Identifier: GPL-2.0-only
#include "kviewfs/opts.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

static struct kvfs_opts opts;
static struct kvfs_err err;

/* Parses "kviewfs" and these arguments, up to NULL. */
static int parse(const char *const *args)
{
	char *argv[16] = { "kviewfs" };
	int argc = 1;

	while (args[argc - 1]) {
		argv[argc] = (char *)args[argc - 1];
		argc++;
	}
	memset(&err, 0, sizeof(err));
	return kvfs_opts_parse(argc, argv, &opts, &err);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(defaults)
{
	ck_assert_int_eq(PARSE("/mnt"), 0);
	ck_assert_int_eq(opts.action, KVFS_ACTION_MOUNT);
	ck_assert_int_eq(opts.config.module, KVFS_MODULE_AUTO);
	ck_assert_str_eq(opts.mountpoint, "/mnt");
	ck_assert_str_eq(opts.config.kallsyms, "/proc/kallsyms");
	ck_assert_str_eq(opts.config.device, "/dev/kview");
	ck_assert_ptr_null(opts.config.kcore);
	ck_assert(!opts.foreground && !opts.debug && !opts.single && !opts.allow_other && !opts.config.nouring);
	kvfs_opts_deinit(&opts);
}
END_TEST

START_TEST(flags)
{
	ck_assert_int_eq(PARSE("-fs", "-o", "allow_other,nouring", "/mnt"), 0);
	ck_assert(opts.foreground && opts.single && opts.allow_other && opts.config.nouring && !opts.debug);
	ck_assert_int_eq(PARSE("/mnt", "-d"), 0);
	ck_assert(opts.debug && opts.foreground);
	ck_assert_int_eq(PARSE("-o", "debug", "/mnt"), 0);
	ck_assert(opts.debug && opts.foreground);
	/* The last one counts. */
	ck_assert_int_eq(PARSE("-o", "module=no,module=require", "/mnt"), 0);
	ck_assert_int_eq(opts.config.module, KVFS_MODULE_REQUIRE);
	ck_assert_int_eq(PARSE("-o", "module=require", "-o", "nomodule", "/mnt"), 0);
	ck_assert_int_eq(opts.config.module, KVFS_MODULE_NO);
	ck_assert_int_eq(PARSE("--", "-mnt"), 0);
	ck_assert_str_eq(opts.mountpoint, "-mnt");
}
END_TEST

START_TEST(what_is_not_of_the_mount_is_of_the_tree)
{
	ck_assert_int_eq(PARSE("-o", "kcore=no/such\\,file,ro,cache=3M", "-o", "vmcore=a\\\\b", "/mnt"), 0);
	ck_assert_str_eq(opts.config.kcore, "no/such,file");
	ck_assert_uint_eq(opts.config.cache_len, 3 << 20);
	ck_assert_uint_eq(opts.config.nr_vmcore, 1);
	ck_assert_str_eq(opts.config.vmcore[0], "a\\b");
	kvfs_opts_deinit(&opts);
	kvfs_opts_deinit(&opts);
	unit_assert_error(PARSE("-o", "ro,kcorex=5", "/mnt"), EINVAL, err, "unknown option 'kcorex=5'");
	kvfs_opts_deinit(&opts);
	unit_assert_error(PARSE("-o", "kcore", "/mnt"), EINVAL, err, "option kcore needs a value: kcore=FILE");
	kvfs_opts_deinit(&opts);
}
END_TEST

START_TEST(out_of_memory)
{
	int ret;

	failalloc_try_all(ret, {
		ret = PARSE("-o", "kcore=/nonexistent/a,kallsyms=/nonexistent/b", "/mnt");
		kvfs_opts_deinit(&opts);
	});
	ck_assert_int_eq(ret, 0);
}
END_TEST

UNIT_MAIN("opts", defaults, flags, what_is_not_of_the_mount_is_of_the_tree, out_of_memory)
