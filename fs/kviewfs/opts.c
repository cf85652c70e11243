// SPDX-License-Identifier: GPL-2.0-only
#include "kviewfs/opts.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "kview.h"

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
	      "  tracefs=DIR     take trace/ from DIR, such as a tracefs of another mount\n"
	      "  allow_other     let root in also where a group, real or saved id is not 0, as in\n"
	      "                  set-user-ID programs; other users never get in\n"
	      "\n"
	      "The mount is always read-only, nosuid, nodev and noexec. Generic mount options\n"
	      "that fit (such as ro, noatime) are accepted, and so are rw, suid and dev,\n"
	      "which mount(8) adds; they change nothing.\n",
	      out);
}

/* Words that mean what always holds, that mount(8) adds, or that it handles itself. */
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
	/* Words for systemd and other readers of fstab. */
	return strncmp(word, "x-", 2) == 0 || strncmp(word, "comment=", 8) == 0;
}

static bool set_flag(struct kvfs_opts *opts, const char *word)
{
	if (strcmp(word, "allow_other") == 0)
		opts->allow_other = true;
	else if (strcmp(word, "debug") == 0)
		opts->debug = true;
	else
		return false;
	return true;
}

static int set_word(void *arg, const char *word, struct kvfs_err *err)
{
	struct kvfs_opts *opts = arg;
	int ret;

	if (!*word || is_generic(word) || set_flag(opts, word))
		return 0;
	if (strcmp(word, "exec") == 0)
		return kvfs_err_set(err, EINVAL, "option exec: the mount is always noexec");
	ret = kvfs_config_set(&opts->config, word, err);
	if (ret == 0)
		return kvfs_err_set(err, EINVAL, "unknown option '%s'", word);
	return ret < 0 ? ret : 0;
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

	memset(out, 0, sizeof(*out));
	kvfs_config_init(&out->config);
	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":o:fdshV", long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			ret = kvfs_config_each_word(optarg, set_word, out, err);
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
			/* Both letters are valid, so a long option was given a value. */
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
	kvfs_config_deinit(&opts->config);
}
