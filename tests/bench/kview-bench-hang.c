// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-hang - measures reads of one file while 16 readers of another wait for a source that
 * does not answer, and without them.
 *
 *   kview-bench-hang HUNGFS KVIEWFS DUMP DIR ROUNDS
 *
 * HUNGFS (tests/mount/hungfs.c) serves DUMP, which is compressed, in a mount of it below DIR; so
 * does KVIEWFS in another. The file that is read is pid/self/mincore, which the daemon answers in
 * any mode. Output as that of kview-bench.
 */
#include <errno.h>
#include <fcntl.h>
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
#define NR_READS 2000
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

/* Reads a second, of NR_READS. */
static double measure(const char *path)
{
	static unsigned char buf[READ_LEN];
	double start = now();
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path, strerror(errno));
	for (int i = 0; i < NR_READS; i++)
		if (pread(fd, buf, sizeof(buf), 0) != sizeof(buf))
			die(path, strerror(errno));
	close(fd);
	return NR_READS / (now() - start);
}

static void print_row(const char *target, const double *results, int rounds)
{
	printf("{\"bench\": \"read beside a source that hangs\", \"target\": \"%s\", \"unit\": \"reads/s\", \"rounds\": [",
	       target);
	for (int r = 0; r < rounds; r++)
		printf("%s%.2f", r ? ", " : "", results[r]);
	printf("]}\n");
}

int main(int argc, char **argv)
{
	static double alone[MAX_ROUNDS], beside[MAX_ROUNDS];
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
	snprintf(path, sizeof(path), "%s/pid/self/mincore", mount);

	measure(path);	/* warms up */
	for (int r = 0; r < rounds; r++)
		alone[r] = measure(path);
	tell(&hungfs, 'h');
	expect(&hungfs, "hangs");
	/* Far apart, so that each needs the source, and far beyond what the mount has read. */
	for (unsigned int i = 0; i < NR_READERS; i++)
		readers[i] = start_reader(core, (16 + 8 * i) * MIB);
	expect(&hungfs, "held 2");
	for (int r = 0; r < rounds; r++)
		beside[r] = measure(path);
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
	print_row("pid/N/mincore, 16 readers hang", beside, rounds);
	print_row("pid/N/mincore", alone, rounds);
	return 0;
}
