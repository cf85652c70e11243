// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-hang - measures what people do with a mount while 16 readers of one file wait for a
 * source that does not answer, and without them: a listing, reads of status, kcore and pid.
 *
 *   kview-bench-hang HUNGFS KVIEWFS DUMP DIR ROUNDS
 *
 * HUNGFS (tests/mount/hungfs.c) serves DUMP, which is compressed, in a mount of it below DIR; so
 * does KVIEWFS in another, without the module, so that the daemon answers all of it. Where there is
 * no kcore/, as without /proc/kcore, that is left out. Output as that of kview-bench.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define MAX_ROUNDS 64
#define NR_READERS 16
#define NR_TIMES 2000
#define READ_LEN (64 * 1024)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "kview-bench-hang: %s: %s\n", what, why);
	exit(1);
}

struct hungfs {
	pid_t pid;
	FILE *in, *out;		/* its stdin and stdout */
};

/* Waits for a line of its output. */
static void expect(struct hungfs *hungfs, const char *want)
{
	char line[64];

	do {
		if (!fgets(line, sizeof(line), hungfs->out))
			die("hungfs", "ended");
		line[strcspn(line, "\n")] = '\0';
	} while (strcmp(line, want) != 0);
}

static void tell(struct hungfs *hungfs, char command)
{
	fputc(command, hungfs->in);
	fflush(hungfs->in);
}

static struct hungfs start_hungfs(const char *program, const char *mount, const char *dump)
{
	struct hungfs hungfs;
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("pipe", strerror(errno));
	hungfs.pid = fork();
	if (hungfs.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(program, program, mount, dump, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	hungfs.in = fdopen(in[1], "w");
	hungfs.out = fdopen(out[0], "r");
	expect(&hungfs, "ready");
	return hungfs;
}

static void run(const char *program, const char *option, const char *value, const char *last)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (option)
			execlp(program, program, option, value, last, NULL);
		else
			execlp(program, program, last, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die(program, "failed");
}

/* A process that reads a page of a file at an offset. */
static pid_t start_reader(int fd, uint64_t off)
{
	pid_t pid = fork();
	char page[4096];

	if (pid == 0)
		_exit(pread(fd, page, sizeof(page), (off_t)off) != sizeof(page));
	return pid;
}

/* One reading of a file, opened for it or before. */
static void read_file(const char *path, int open_fd)
{
	static unsigned char buf[READ_LEN];
	int fd = open_fd >= 0 ? open_fd : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, buf, sizeof(buf), 0) <= 0)
		die(path, strerror(errno));
	if (open_fd < 0)
		close(fd);
}

static void read_again(const char *path, int fd)
{
	read_file(path, fd);
}

static void open_and_read(const char *path, int fd)
{
	(void)fd;
	read_file(path, -1);
}

static void list(const char *path, int fd)
{
	DIR *dir = opendir(path);
	int nr = 0;

	(void)fd;
	while (dir && readdir(dir))
		nr++;
	if (nr < 3)
		die(path, "has no entries");
	closedir(dir);
}

/* What is measured, and how: the name of a file in the mount is its row's. */
static struct activity {
	const char *file;
	void (*once)(const char *path, int fd);
	char path[8192];
	bool absent;
	double alone[MAX_ROUNDS], beside[MAX_ROUNDS];
} activities[] = {
	{ .file = "pid/self/mincore", .once = read_again },
	{ .file = "kcore/ram", .once = read_again },
	{ .file = "status", .once = open_and_read },
	{ .file = ".", .once = list },
};
#define NR_ACTIVITIES (sizeof(activities) / sizeof(activities[0]))

/* Times a second, of NR_TIMES. */
static double measure(const struct activity *activity)
{
	double start = now();
	int fd = open(activity->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(activity->path, strerror(errno));
	for (int i = 0; i < NR_TIMES; i++)
		activity->once(activity->path, fd);
	close(fd);
	return NR_TIMES / (now() - start);
}

static void find_activities(const char *mount)
{
	for (size_t i = 0; i < NR_ACTIVITIES; i++) {
		struct activity *activity = &activities[i];

		snprintf(activity->path, sizeof(activity->path), "%s/%s", mount, activity->file);
		activity->absent = access(activity->path, F_OK) != 0;
		if (!activity->absent)
			measure(activity);	/* warms up */
	}
}

static void measure_all(int round, bool hangs)
{
	for (size_t i = 0; i < NR_ACTIVITIES; i++) {
		struct activity *activity = &activities[i];

		if (!activity->absent)
			(hangs ? activity->beside : activity->alone)[round] = measure(activity);
	}
}

static void print_row(const char *target, const char *more, const double *results, int rounds)
{
	printf("{\"bench\": \"beside a source that hangs\", \"target\": \"%s%s\", \"unit\": \"times/s\", \"rounds\": [",
	       target, more);
	for (int r = 0; r < rounds; r++)
		printf("%s%.2f", r ? ", " : "", results[r]);
	printf("]}\n");
}

static void print_rows(int rounds)
{
	for (size_t i = 0; i < NR_ACTIVITIES; i++) {
		const struct activity *activity = &activities[i];
		const char *target = strcmp(activity->file, ".") == 0 ? "ls" : activity->file;

		if (activity->absent)
			continue;
		print_row(target, ", 16 readers hang", activity->beside, rounds);
		print_row(target, "", activity->alone, rounds);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc == 6 ? atoi(argv[5]) : 0, core;
	char hung[4096], mount[4096], option[8192], path[8192];
	pid_t readers[NR_READERS];
	struct hungfs hungfs;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: kview-bench-hang HUNGFS KVIEWFS DUMP DIR ROUNDS (1 to %d)\n", MAX_ROUNDS);
		return 2;
	}
	snprintf(hung, sizeof(hung), "%s/hung", argv[4]);
	snprintf(mount, sizeof(mount), "%s/hung.mnt", argv[4]);
	if ((mkdir(hung, 0700) != 0 || mkdir(mount, 0700) != 0) && errno != EEXIST)
		die(argv[4], strerror(errno));
	hungfs = start_hungfs(argv[1], hung, argv[3]);
	snprintf(option, sizeof(option), "module=no,vmcore=%.4000s/dump", hung);
	run(argv[2], "-o", option, mount);
	snprintf(path, sizeof(path), "%s/vmcore/core", mount);
	core = open(path, O_RDONLY | O_CLOEXEC);
	if (core < 0)
		die(path, strerror(errno));
	find_activities(mount);
	for (int r = 0; r < rounds; r++)
		measure_all(r, false);
	tell(&hungfs, 'h');
	expect(&hungfs, "hangs");
	/* Far apart, so that each needs the source, and far beyond what the mount has read. */
	for (unsigned int i = 0; i < NR_READERS; i++)
		readers[i] = start_reader(core, (16 + 8 * i) * MIB);
	expect(&hungfs, "held 2");
	for (int r = 0; r < rounds; r++)
		measure_all(r, true);
	for (int i = 0; i < NR_READERS; i++)
		if (waitpid(readers[i], NULL, WNOHANG) != 0)
			die("a reader", "did not hang");
	tell(&hungfs, 'a');
	for (int i = 0; i < NR_READERS; i++)
		waitpid(readers[i], NULL, 0);
	close(core);
	run("umount", NULL, NULL, mount);
	fclose(hungfs.in);
	waitpid(hungfs.pid, NULL, 0);
	print_rows(rounds);
	return 0;
}
