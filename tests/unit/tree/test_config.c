// SPDX-License-Identifier: GPL-2.0-only
#include "tree/config.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

static struct kvfs_config config;
static struct kvfs_err err;

/* Sets one word in a config that is new. */
static int set(const char *word)
{
	kvfs_config_deinit(&config);
	kvfs_config_init(&config);
	memset(&err, 0, sizeof(err));
	return kvfs_config_set(&config, word, &err);
}

START_TEST(defaults)
{
	kvfs_config_init(&config);
	ck_assert_int_eq(config.module, KVFS_MODULE_AUTO);
	ck_assert_str_eq(config.kallsyms, "/proc/kallsyms");
	ck_assert_str_eq(config.device, "/dev/kview");
	ck_assert_str_eq(config.tmpdir, "/var/tmp");
	ck_assert_ptr_null(config.kcore);
	ck_assert_uint_eq(config.nr_vmcore, 0);
	ck_assert_uint_eq(config.cache_len, 16 << 20);
	ck_assert_uint_eq(config.threads, 1);
	ck_assert(!config.nouring && !config.mount_tracefs);
	kvfs_config_deinit(&config);
}
END_TEST

START_TEST(words)
{
	static const char *const others[] = { "", "=", "=5", "allow_other", "kcorex=5", "kcor=5", "nouring=1", "Kcore=x" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(set(others[i]) == 0, "%s", others[i]);
	ck_assert_int_eq(set("nouring"), 1);
	ck_assert(config.nouring);
	ck_assert_int_eq(set("mount_tracefs"), 1);
	ck_assert(config.mount_tracefs);
	ck_assert_int_eq(set("tracefs=/proc/self/fd"), 1);
	ck_assert_ptr_nonnull(strstr(config.tracefs, "/fd"));
	ck_assert_int_eq(set("module=require"), 1);
	ck_assert_int_eq(config.module, KVFS_MODULE_REQUIRE);
	/* The last one counts. */
	ck_assert_int_eq(kvfs_config_set(&config, "nomodule", &err), 1);
	ck_assert_int_eq(config.module, KVFS_MODULE_NO);
	ck_assert_int_eq(kvfs_config_set(&config, "module=auto", &err), 1);
	ck_assert_int_eq(config.module, KVFS_MODULE_AUTO);
	unit_assert_error(set("module="), EINVAL, err, "module=: must be auto, require or no");
	unit_assert_error(set("vmcore"), EINVAL, err, "option vmcore needs a value: vmcore=FILE");
	unit_assert_error(set("device="), EINVAL, err, "device= needs the name of a file");
	kvfs_config_deinit(&config);
}
END_TEST

START_TEST(cache_sizes)
{
	static const struct {
		const char *word;
		size_t len;		/* 0: refused */
	} cases[] = {
		{ "cache=2097152", 2 << 20 },
		{ "cache=2048K", 2 << 20 },
		{ "cache=2M", 2 << 20 },
		{ "cache=3G", 3ULL << 30 },
		{ "cache=2097151", 0 }, { "cache=2047K", 0 }, { "cache=1M", 0 }, { "cache=", 0 }, { "cache=0", 0 },
		{ "cache=-2M", 0 }, { "cache=+2M", 0 }, { "cache= 2M", 0 }, { "cache=2M ", 0 }, { "cache=2MB", 0 }, { "cache=2T", 0 },
		{ "cache=2m", 0 }, { "cache=0x200000", 0 }, { "cache=M", 0 }, { "cache=99999999999999999999", 0 },
		{ "cache=17179869184G", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = set(cases[i].word);

		ck_assert_msg(ret == (cases[i].len ? 1 : -EINVAL), "%s: %d", cases[i].word, ret);
		if (cases[i].len)
			ck_assert_uint_eq(config.cache_len, cases[i].len);
		else
			ck_assert_msg(strstr(err.msg, "must be a size of at least 2M") != NULL, "%s", err.msg);
	}
}
END_TEST

START_TEST(paths)
{
	ck_assert_int_eq(set("kcore=/proc/self/../self/../uptime"), 1);
	ck_assert_str_eq(config.kcore, "/proc/uptime");
	/* What is not there is kept as it was given, for the message. */
	ck_assert_int_eq(kvfs_config_set(&config, "kallsyms=no/such=file", &err), 1);
	ck_assert_str_eq(config.kallsyms, "no/such=file");
	kvfs_config_deinit(&config);
	kvfs_config_deinit(&config);
}
END_TEST

START_TEST(too_many_paths)
{
	size_t max = sizeof(config.owned) / sizeof(config.owned[0]);

	ck_assert_int_eq(set("kcore=x"), 1);
	for (size_t i = 1; i < max; i++)
		ck_assert_int_eq(kvfs_config_set(&config, "kcore=x", &err), 1);
	unit_assert_error(kvfs_config_set(&config, "kcore=x", &err), EINVAL, err, "kcore= is given too often");
	kvfs_config_deinit(&config);
	kvfs_config_init(&config);
	for (size_t i = 0; i < KVFS_CONFIG_MAX_VMCORE; i++)
		ck_assert_int_eq(kvfs_config_set(&config, "vmcore=x", &err), 1);
	unit_assert_error(kvfs_config_set(&config, "vmcore=x", &err), EINVAL, err, "vmcore= is given more than 64 times");
	ck_assert_uint_eq(config.nr_vmcore, KVFS_CONFIG_MAX_VMCORE);
	kvfs_config_deinit(&config);
}
END_TEST

/* Writes the words of a list with a '|' after each; "stop" ends it. */
static int collect(void *arg, const char *word, struct kvfs_err *e)
{
	strcat(strcat(arg, word), "|");
	return strcmp(word, "stop") == 0 ? kvfs_err_set(e, EPERM, "stopped") : 0;
}

START_TEST(lists)
{
	static const struct {
		const char *list, *words;
	} cases[] = {
		{ "", "|" }, { "a", "a|" }, { "a,b=c", "a|b=c|" }, { ",a,,", "|a|||" },
		{ "a\\,b,c", "a,b|c|" }, { "a\\\\,b", "a\\|b|" }, { "a\\", "a\\|" }, { "a\\bc", "abc|" },
	};
	char got[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got[0] = '\0';
		ck_assert_int_eq(kvfs_config_each_word(cases[i].list, collect, got, &err), 0);
		ck_assert_str_eq(got, cases[i].words);
	}
	got[0] = '\0';
	unit_assert_error(kvfs_config_each_word("a,stop,b", collect, got, &err), EPERM, err, "stopped");
	ck_assert_str_eq(got, "a|stop|");
}
END_TEST

START_TEST(out_of_memory)
{
	char got[64];
	int ret;

	failalloc_try_all(ret, {
		ret = set("kcore=/nonexistent/a");
		ret = ret < 0 ? ret : 0;
	});
	kvfs_config_deinit(&config);
	failalloc_try_all(ret, {
		got[0] = '\0';
		ret = kvfs_config_each_word("a,b", collect, got, &err);
	});
}
END_TEST

UNIT_MAIN("config", defaults, words, cache_sizes, paths, too_many_paths, lists, out_of_memory)
