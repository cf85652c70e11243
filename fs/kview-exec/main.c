// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-exec: runs a program with the library preloaded that answers its reads of /proc/kcore
 * from mapped memory. Exit status: the program's; 125 if it was not run, 126 if it cannot be
 * executed, 127 if there is none, 2 for wrong usage.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "kview-exec/counters.h"

#define EXIT_USAGE 2
#define EXIT_NOT_RUN 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

#define LIBRARY "libkview-exec.so"

struct options {
	const char *mount;	/* or NULL: any that is mounted */
	bool fallback;
	bool stats;
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list ap;

	fputs("kview-exec: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void usage(FILE *out)
{
	fputs("Usage: kview-exec [OPTION]... COMMAND [ARG]...\n"
	      "Run COMMAND, a tool that reads /proc/kcore, with kernel memory mapped.\n"
	      "\n"
	      "  -m, --mount DIR  use the kviewfs that is mounted on DIR (any that is mounted)\n"
	      "      --fallback   run COMMAND also where nothing can be mapped, and say so\n"
	      "      --stats      at the end, print how its reads were answered\n"
	      "  -h, --help       print this help and exit\n"
	      "  -V, --version    print the version and exit\n"
	      "\n"
	      "Exit status: that of COMMAND; 125 if it was not run, 126 if it cannot be executed,\n"
	      "127 if it was not found, 2 for wrong usage.\n",
	      out);
}

/* Why the memory of a mount cannot be mapped: "" if it can. */
static void judge_mount(const char *mount, char *why, size_t len)
{
	char path[PATH_MAX], mode[16] = "", reason[512] = "";

	why[0] = '\0';
	snprintf(path, sizeof(path), "%s/kcore/ram", mount);
	if (getxattr(path, "user.kview.mode", mode, sizeof(mode) - 1) < 0)
		snprintf(why, len, "%s: %s", path, strerror(errno));
	else if (strcmp(mode, "direct") == 0)
		return;
	else if (getxattr(path, "user.kview.reason", reason, sizeof(reason) - 1) > 0)
		snprintf(why, len, "%s is in mode %s: %s", path, mode, reason);
	else
		snprintf(why, len, "%s is in mode %s", path, mode);
}

/* Finds a mount whose memory can be mapped. Returns false, and why not. */
static bool find_mount(char *mount, size_t mount_len, char *why, size_t why_len)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	bool found = false;

	snprintf(why, why_len, "no kviewfs is mounted: mount one (kviewfs /mnt/kview) or give --fallback");
	while (!found && mounts && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "fuse.kviewfs") != 0)
			continue;
		judge_mount(entry->mnt_dir, why, why_len);
		found = !why[0];
		snprintf(mount, mount_len, "%s", entry->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

/* The library lies beside this program in a build folder, else where it is installed. */
static bool find_library(char *path, size_t len)
{
	ssize_t n = readlink("/proc/self/exe", path, len - 1);
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		if (slash && (size_t)(slash + 1 - path) + sizeof(LIBRARY) <= len) {
			strcpy(slash + 1, LIBRARY);
			if (access(path, R_OK) == 0)
				return true;
		}
	}
	snprintf(path, len, "%s/%s", KVFS_LIBDIR, LIBRARY);
	return access(path, R_OK) == 0;
}

/* The file that execvp(3) would run. Returns false if there is none. */
static bool find_program(const char *name, char *path, size_t len)
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(path, len, "%s", name);
		return access(path, X_OK) == 0;
	}
	for (const char *dir = dirs ? dirs : "/usr/bin:/bin"; dir; dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL) {
		int dir_len = (int)strcspn(dir, ":");

		snprintf(path, len, "%.*s%s%s", dir_len, dir, dir_len ? "/" : "", name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* The dynamic linker of an ELF program: "" if it has none, and NULL for what is no ELF64. */
static const char *interpreter(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *found = NULL;
	Elf64_Ehdr ehdr;

	if (fd < 0)
		return NULL;
	if (pread(fd, &ehdr, sizeof(ehdr), 0) == sizeof(ehdr) && memcmp(ehdr.e_ident, ELFMAG, SELFMAG) == 0 &&
	    ehdr.e_ident[EI_CLASS] == ELFCLASS64) {
		found = "";
		for (unsigned int i = 0; i < ehdr.e_phnum; i++) {
			Elf64_Phdr ph;

			if (pread(fd, &ph, sizeof(ph), (off_t)(ehdr.e_phoff + i * sizeof(ph))) != sizeof(ph))
				break;
			if (ph.p_type != PT_INTERP)
				continue;
			memset(buf, 0, len);
			if (pread(fd, buf, ph.p_filesz < len ? ph.p_filesz : len - 1, (off_t)ph.p_offset) > 0)
				found = buf;
			break;
		}
	}
	close(fd);
	return found;
}

/* Warns of a program that will not load the library, which runs all the same. */
static void warn_of_program(const char *name)
{
	char path[PATH_MAX], buf[PATH_MAX];
	const char *linker;
	struct stat st;

	if (!find_program(name, path, sizeof(path)))
		return;
	linker = interpreter(path, buf, sizeof(buf));
	if (linker && !*linker)
		say("%s is statically linked: the kernel answers its reads", path);
	else if (linker && !strstr(linker, "ld-linux"))
		say("%s uses the dynamic linker %s, not glibc's: the kernel answers its reads", path, linker);
	else if (stat(path, &st) == 0 && ((st.st_mode & S_ISUID) || (st.st_mode & S_ISGID)))
		say("%s is set-user-ID or set-group-ID: nothing is preloaded into it", path);
}

static int set_environment(const struct options *options, const char *mount, const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	struct timespec now;
	char text[32], *preload;
	int ret;

	if (asprintf(&preload, "%s%s%s", before ? before : "", before && *before ? ":" : "", library) < 0)
		return -1;
	ret = setenv("LD_PRELOAD", preload, 1);
	free(preload);
	if (ret < 0 || setenv(KVFS_EXEC_ENV_MOUNT, mount, 1) < 0)
		return -1;
	if (!options->stats)
		return unsetenv(KVFS_EXEC_ENV_STATS);
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	return setenv(KVFS_EXEC_ENV_STATS, text, 1);
}

/* Prepares the environment. Returns 0, or the exit status. */
static int prepare(const struct options *options)
{
	char mount[PATH_MAX], library[PATH_MAX], why[PATH_MAX + 600];
	bool found;

	if (options->mount) {
		if (!realpath(options->mount, mount)) {
			say("%s: %s", options->mount, strerror(errno));
			return EXIT_NOT_RUN;
		}
		judge_mount(mount, why, sizeof(why));
		found = !why[0];
	} else {
		found = find_mount(mount, sizeof(mount), why, sizeof(why));
	}
	if (found && !find_library(library, sizeof(library))) {
		snprintf(why, sizeof(why), "%s is not installed", library);
		found = false;
	} else if (found && strpbrk(library, " :")) {
		snprintf(why, sizeof(why), "%s: the dynamic linker takes no library whose path has a space or a colon",
			 library);
		found = false;
	}
	if (!found) {
		say("%s%s", why, options->fallback ? ": the kernel answers all reads" : "");
		return options->fallback ? 0 : EXIT_NOT_RUN;
	}
	if (set_environment(options, mount, library) < 0) {
		say("cannot set the environment: %s", strerror(errno));
		return EXIT_NOT_RUN;
	}
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct option long_options[] = {
		{ "fallback", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "mount", required_argument, NULL, 'm' },
		{ "stats", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct options options = { 0 };
	int c, ret;

	while ((c = getopt_long(argc, argv, "+m:hV", long_options, NULL)) != -1) {
		switch (c) {
		case 'f':
			options.fallback = true;
			break;
		case 'm':
			options.mount = optarg;
			break;
		case 's':
			options.stats = true;
			break;
		case 'h':
			usage(stdout);
			return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_NOT_RUN;
		case 'V':
			printf("kview-exec %s\n", KVFS_VERSION);
			return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_NOT_RUN;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		say("a command is needed (kview-exec --help)");
		return EXIT_USAGE;
	}
	ret = prepare(&options);
	if (ret)
		return ret;
	warn_of_program(argv[optind]);
	execvp(argv[optind], argv + optind);
	ret = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	say("%s: %s", argv[optind], strerror(errno));
	return ret;
}
