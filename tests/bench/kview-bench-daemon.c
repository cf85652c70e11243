// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-daemon - measures what the daemon costs: the time from its start to a mount
 * that can be used, open(2), its memory, and how often it is woken while a view is used.
 *
 *   kview-bench-daemon KVIEWFS MOUNTPOINT ROUNDS
 *
 * Mounts for itself, once a round. Output as that of kview-bench.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "find_daemon.h"
#include "target.h"

#define MIB (UINT64_C(1) << 20)
#define USE_LEN (1024 * MIB)
#define MAX_ROUNDS 64

extern char **environ;

enum { MOUNT_MS, OPEN_US, RSS_KIB, WAKEUPS, NR_RESULTS };

static const struct { const char *bench, *unit; } rows[NR_RESULTS] = {
	[MOUNT_MS] = { "mount to ready", "ms" },
	[OPEN_US] = { "open", "us" },
	[RSS_KIB] = { "daemon memory", "KiB" },
	[WAKEUPS] = { "daemon wake-ups", "in 1 GiB read and 1 GiB mapped" },
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "kview-bench-daemon: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Starts the daemon as a user does, and returns when the command has returned. */
static void mount_view(const char *kviewfs, const char *mountpoint)
{
	char *const argv[] = { "kviewfs", "-o", "module=require", (char *)mountpoint, NULL };
	posix_spawn_file_actions_t quiet;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(&pid, kviewfs, &quiet, NULL, argv, environ);
	if (errno)
		die(kviewfs);
	posix_spawn_file_actions_destroy(&quiet);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "kview-bench-daemon: %s could not mount\n", kviewfs);
		exit(1);
	}
}

/* A number of /proc/PID/[task/TID/]status. */
static uint64_t status_field(const char *path, const char *key)
{
	char line[256];
	uint64_t value = 0;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			value = strtoull(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

/* How often the daemon's threads went to sleep: each request to it wakes one at least. */
static uint64_t sleeps(pid_t pid)
{
	char path[400];
	struct dirent *entry;
	uint64_t sum = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, entry->d_name);
		sum += status_field(path, "voluntary_ctxt_switches");
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

/* Reads and maps 1 GiB of the open view at base. */
static void use_view(int fd, uint64_t base)
{
	static uint8_t block[MIB];
	uint8_t *map, sum = 0;

	for (uint64_t off = 0; off < USE_LEN; off += sizeof(block))
		if (pread(fd, block, sizeof(block), base + off) != sizeof(block))
			die("reading the view");
	map = mmap(NULL, USE_LEN, PROT_READ, MAP_SHARED, fd, base);
	if (map == MAP_FAILED)
		die("mapping the view");
	for (uint64_t off = 0; off < USE_LEN; off += 4096)
		sum += *(volatile uint8_t *)(map + off);
	block[0] = sum;
	munmap(map, USE_LEN);
}

static void one_round(const char *kviewfs, const char *mountpoint, uint64_t base, double *out)
{
	char path[4096];
	double start = now();
	uint64_t before;
	pid_t daemon;
	int fd;

	mount_view(kviewfs, mountpoint);
	out[MOUNT_MS] = (now() - start) * 1e3;
	snprintf(path, sizeof(path), "%s/kcore/ram", mountpoint);
	start = now();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	out[OPEN_US] = (now() - start) * 1e6;
	if (fd < 0)
		die(path);
	daemon = find_daemon(mountpoint);
	before = sleeps(daemon);
	use_view(fd, base);
	out[WAKEUPS] = sleeps(daemon) - before;
	snprintf(path, sizeof(path), "/proc/%d/status", daemon);
	out[RSS_KIB] = status_field(path, "VmRSS");
	close(fd);
	if (umount2(mountpoint, 0) < 0)
		die("umount");
	while (!kill(daemon, 0))	/* it must be gone before the next one is timed */
		usleep(1000);
}

int main(int argc, char **argv)
{
	static double results[NR_RESULTS][MAX_ROUNDS];
	uint64_t paddr, kcore_off;
	int rounds = argc == 4 ? atoi(argv[3]) : 0;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: kview-bench-daemon KVIEWFS MOUNTPOINT ROUNDS (1 to %d)\n",
			MAX_ROUNDS);
		return 2;
	}
	target_find_region(USE_LEN, &paddr, &kcore_off);
	for (int r = -1; r < rounds; r++) {	/* round -1 warms up */
		double out[NR_RESULTS];

		one_round(argv[1], argv[2], paddr, out);
		for (int i = 0; r >= 0 && i < NR_RESULTS; i++)
			results[i][r] = out[i];
	}
	for (int i = 0; i < NR_RESULTS; i++) {
		printf("{\"bench\": \"%s\", \"target\": \"kviewfs\", \"unit\": \"%s\", \"rounds\": [",
		       rows[i].bench, rows[i].unit);
		for (int r = 0; r < rounds; r++)
			printf("%s%.3f", r ? ", " : "", results[i][r]);
		printf("]}\n");
	}
	return 0;
}
