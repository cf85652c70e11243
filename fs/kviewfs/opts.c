// SPDX-License-Identifier: GPL-2.0-only
#include "kviewfs/opts.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kview.h"

/* Bytes of decompressed pages. */
#define DEFAULT_CACHE (16 << 20)

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void kvfs_opts_usage(FILE *out)
{
	fputs("Usage: kviewfs [OPTION]... MOUNTPOINT\n"
	      "Show the memory of the running kernel as plain files below MOUNTPOINT.\n"
	      "\n"
	      "  -o OPTIONS      mount options, separated by commas\n"
	      "  -f              stay in the foreground\n"
	      "  -d              print what FUSE asks for; stays in the foreground\n"
	      "  -s              answer one request at a time\n"
	      "  -h, --help      print this help and exit\n"
	      "  -V, --version   print the version and exit\n"
	      "\n"
	      "Mount options:\n"
	      "  module=auto     use the kview module where it can be used (the default)\n"
	      "  module=require  do not mount unless the module serves kcore/ and, in a crash\n"
	      "                  kernel, vmcore/\n"
	      "  module=no, nomodule\n"
	      "                  do not use the module\n"
	      "  kcore=FILE      show FILE, an ELF core, in place of the running kernel\n"
	      "  kallsyms=FILE   take symbols from FILE, not from /proc/kallsyms\n"
	      "  vmcore=FILE     show the crash dump FILE below vmcore/; once for each file of a\n"
	      "                  split one\n"
	      "  cache=SIZE      keep so much of a compressed dump decompressed, such as 64M (16M,\n"
	      "                  at least 2M)\n"
	      "  device=FILE     control device of the module (" KVIEW_DEVICE ")\n"
	      "  nouring         do not use io_uring\n"
	      "  mount_tracefs   mount tracefs if it is not mounted, for trace/\n"
	      "  allow_other     let root in also where a group, real or saved id is not 0, as in\n"
	      "                  set-user-ID programs; other users never get in\n"
	      "\n"
	      "The mount is always read-only, nosuid, nodev and noexec. Generic mount options\n"
	      "that fit (such as ro, noatime) are accepted, and so are rw, suid and dev,\n"
	      "which mount(8) adds of its own accord; they change nothing.\n",
	      out);
}

/* Words that mean what is always so, that mount(8) adds, or that are its own affair. */
static bool is_generic(const char *word)
{
	static const char *const words[] = {
		"ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime",
		"norelatime", "strictatime", "lazytime", "nolazytime", "silent", "defaults",
		"default_permissions", "auto", "noauto", "nofail", "_netdev", "user", "nouser",
		"users", "rw", "suid", "dev",
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	/* What systemd and other users of fstab write for themselves. */
	return strncmp(word, "x-", 2) == 0 || strncmp(word, "comment=", 8) == 0;
}

static bool set_flag(struct kvfs_opts *opts, const char *word)
{
	if (strcmp(word, "allow_other") == 0)
		opts->allow_other = true;
	else if (strcmp(word, "nouring") == 0)
		opts->nouring = true;
	else if (strcmp(word, "mount_tracefs") == 0)
		opts->mount_tracefs = true;
	else if (strcmp(word, "nomodule") == 0)
		opts->module = KVFS_MODULE_NO;
	else if (strcmp(word, "debug") == 0)
		opts->debug = true;
	else
		return false;
	return true;
}

static int set_module(struct kvfs_opts *opts, const char *value, struct kvfs_err *err)
{
	if (strcmp(value, "auto") == 0)
		opts->module = KVFS_MODULE_AUTO;
	else if (strcmp(value, "require") == 0)
		opts->module = KVFS_MODULE_REQUIRE;
	else if (strcmp(value, "no") == 0)
		opts->module = KVFS_MODULE_NO;
	else
		return kvfs_err_set(err, EINVAL, "module=%s: must be auto, require or no", value);
	return 0;
}

/* Keeps an absolute copy: the daemon leaves the directory that it was started in. */
static int set_path(struct kvfs_opts *opts, const char **dst, const char *key, const char *value,
		    struct kvfs_err *err)
{
	char *path;

	if (!*value)
		return kvfs_err_set(err, EINVAL, "%s= needs the name of a file", key);
	if (opts->nr_owned == COUNT(opts->owned))
		return kvfs_err_set(err, EINVAL, "%s= is given too often", key);
	path = realpath(value, NULL);
	/* A file that is not there is for its user to complain about, by the name given. */
	if (!path && errno != ENOMEM)
		path = strdup(value);
	if (!path)
		return kvfs_err_sys(err, ENOMEM, "%s=%s", key, value);
	opts->owned[opts->nr_owned++] = path;
	*dst = path;
	return 0;
}

static int add_vmcore(struct kvfs_opts *opts, const char *value, struct kvfs_err *err)
{
	int ret;

	if (opts->nr_vmcore == KVFS_OPTS_MAX_VMCORE)
		return kvfs_err_set(err, EINVAL, "vmcore= is given more than %d times", KVFS_OPTS_MAX_VMCORE);
	ret = set_path(opts, &opts->vmcore[opts->nr_vmcore], "vmcore", value, err);
	if (ret == 0)
		opts->nr_vmcore++;
	return ret;
}

/* A number of bytes, or of KiB, MiB or GiB with K, M or G behind it. */
static int set_cache(struct kvfs_opts *opts, const char *value, struct kvfs_err *err)
{
	static const char units[] = "KMG";
	unsigned long long n;
	unsigned int shift = 0;
	const char *unit;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit)
		shift = 10 * (unsigned int)(unit - units + 1);
	if (errno || *value < '0' || *value > '9' || (*end && !unit) || (unit && end[1]) ||
	    n > (SIZE_MAX >> 1) >> shift || n << shift < KVFS_OPTS_MIN_CACHE)
		return kvfs_err_set(err, EINVAL, "cache=%s: must be a size of at least 2M", value);
	opts->cache_len = (size_t)n << shift;
	return 0;
}

static int set_kcore(struct kvfs_opts *opts, const char *value, struct kvfs_err *err)
{
	return set_path(opts, &opts->kcore, "kcore", value, err);
}

static int set_kallsyms(struct kvfs_opts *opts, const char *value, struct kvfs_err *err)
{
	return set_path(opts, &opts->kallsyms, "kallsyms", value, err);
}

static int set_device(struct kvfs_opts *opts, const char *value, struct kvfs_err *err)
{
	return set_path(opts, &opts->device, "device", value, err);
}

static const struct {
	const char *key;
	const char *value;	/* what it is, for the message that it is missing */
	int (*set)(struct kvfs_opts *opts, const char *value, struct kvfs_err *err);
} with_value[] = {
	{ "cache", "SIZE", set_cache },
	{ "device", "FILE", set_device },
	{ "kallsyms", "FILE", set_kallsyms },
	{ "kcore", "FILE", set_kcore },
	{ "module", "auto|require|no", set_module },
	{ "vmcore", "FILE", add_vmcore },
};

static int set_word(struct kvfs_opts *opts, const char *word, struct kvfs_err *err)
{
	size_t len = strcspn(word, "=");

	if (!*word || is_generic(word) || set_flag(opts, word))
		return 0;
	if (strcmp(word, "exec") == 0)
		return kvfs_err_set(err, EINVAL, "option exec: the mount is always noexec");
	for (size_t i = 0; i < COUNT(with_value); i++) {
		if (strncmp(word, with_value[i].key, len) != 0 || with_value[i].key[len])
			continue;
		if (!word[len])
			return kvfs_err_set(err, EINVAL, "option %s needs a value: %s=%s", word, word, with_value[i].value);
		return with_value[i].set(opts, word + len + 1, err);
	}
	return kvfs_err_set(err, EINVAL, "unknown option '%s'", word);
}

/* The words of -o: separated by commas; a backslash takes the next character as it is. */
static int set_list(struct kvfs_opts *opts, const char *list, struct kvfs_err *err)
{
	_cleanup_free_ char *word = malloc(strlen(list) + 1);
	size_t len = 0;

	if (!word)
		return kvfs_err_sys(err, ENOMEM, "-o %s", list);
	for (const char *p = list;; p++) {
		if (*p == ',' || !*p) {
			int ret;

			word[len] = '\0';
			ret = set_word(opts, word, err);
			if (ret < 0 || !*p)
				return ret;
			len = 0;
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		word[len++] = *p;
	}
}

/* MOUNTPOINT, or SOURCE MOUNTPOINT as mount(8) calls it. */
static int set_operands(struct kvfs_opts *opts, int nr, char *const operands[],
			struct kvfs_err *err)
{
	if (nr == 0)
		return kvfs_err_set(err, EINVAL, "a mount point is needed");
	if (nr > 2)
		return kvfs_err_set(err, EINVAL, "one mount point is needed, '%s' is one too many", operands[2]);
	if (nr == 2 && strcmp(operands[0], "none") != 0 && strcmp(operands[0], "kviewfs") != 0)
		return kvfs_err_set(err, EINVAL, "one mount point is needed: '%s' is neither that nor a source named none or kviewfs", operands[0]);
	opts->mountpoint = operands[nr - 1];
	if (!*opts->mountpoint)
		return kvfs_err_set(err, EINVAL, "the name of the mount point is empty");
	return 0;
}

int kvfs_opts_parse(int argc, char *const argv[], struct kvfs_opts *out, struct kvfs_err *err)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c, ret;

	*out = (struct kvfs_opts) {
		.kallsyms = "/proc/kallsyms",
		.device = KVIEW_DEVICE,
		.cache_len = DEFAULT_CACHE,
	};
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":o:fdshV", long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			ret = set_list(out, optarg, err);
			if (ret < 0)
				return ret;
			break;
		case 'f':
			out->foreground = true;
			break;
		case 'd':
			out->debug = true;
			break;
		case 's':
			out->single = true;
			break;
		case 'h':
			out->action = KVFS_ACTION_HELP;
			return 0;
		case 'V':
			out->action = KVFS_ACTION_VERSION;
			return 0;
		case ':':
			return kvfs_err_set(err, EINVAL, "-%c needs an argument", optopt);
		default:
			/* These two letters are known: one of the long options was given a value. */
			if (optopt == 'h' || optopt == 'V')
				return kvfs_err_set(err, EINVAL, "%s: this option takes no value", argv[optind - 1]);
			if (optopt)
				return kvfs_err_set(err, EINVAL, "unknown option -%c", optopt);
			return kvfs_err_set(err, EINVAL, "unknown option %s", argv[optind - 1]);
		}
	}
	if (out->debug)
		out->foreground = true;
	return set_operands(out, argc - optind, argv + optind, err);
}

void kvfs_opts_deinit(struct kvfs_opts *opts)
{
	for (unsigned int i = 0; i < opts->nr_owned; i++)
		free(opts->owned[i]);
	opts->nr_owned = 0;
}
