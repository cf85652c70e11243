// SPDX-License-Identifier: GPL-2.0-only
/*
 * A long read of vmcore/ maps /proc/vmcore in the address space of its reader until it ends. A
 * reader that shares its address space (CLONE_VM) and is killed must not leave that mapping to
 * the process that lives on.
 *
 * usage: vmcore-killed FILE ROUNDS
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define LEN (4 << 20)
#define STACK (64 << 10)
/* How often and for how long, in ms, to look for a mapping that is about to go. */
#define LOOKS 1000
#define LOOK_MS 10

static int fd;
static char *buf;
static volatile unsigned long nr_reads;
static volatile bool failed;

/* Reads again and again until it is killed. */
static int read_on(void *arg)
{
	(void)arg;
	for (;;) {
		if (pread(fd, buf, LEN, 0) < LEN / 2) {
			failed = true;
			_exit(1);
		}
		nr_reads++;
	}
}

static void sleep_us(long us)
{
	const struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

/* How many mappings of /proc/vmcore this process has. */
static int nr_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int nr = 0;

	if (!maps)
		bail("/proc/self/maps: %s", strerror(errno));
	while (fgets(line, sizeof(line), maps))
		nr += strstr(line, "/proc/vmcore\n") != NULL;
	fclose(maps);
	return nr;
}

/* A kernel thread may remove it after the reader has ended. */
static bool goes_away(void)
{
	for (int i = 0; i < LOOKS; i++) {
		if (nr_mappings() == 0)
			return true;
		sleep_us(LOOK_MS * 1000);
	}
	return false;
}

int main(int argc, char *argv[])
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0, killed = 0, mapped = 0, left = 0;
	char *stack = malloc(STACK);

	if (rounds < 1)
		bail("usage: vmcore-killed FILE ROUNDS");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	buf = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (fd < 0 || buf == MAP_FAILED || !stack)
		bail("%s: %s", argv[1], strerror(errno));
	for (int i = 0; i < rounds; i++) {
		unsigned long before = nr_reads;
		pid_t pid = clone(read_on, stack + STACK, CLONE_VM | SIGCHLD, NULL);
		int status;

		if (pid < 0)
			bail("clone: %s", strerror(errno));
		while (nr_reads == before && !failed)
			sleep_us(100);
		if (failed)
			bail("%s cannot be read in pieces of %d bytes", argv[1], LEN);
		sleep_us(rand() % 5000);
		mapped += nr_mappings() > 0;
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid)
			bail("waitpid: %s", strerror(errno));
		killed += WIFSIGNALED(status);
		left += !goes_away();
	}
	diag("%d of %d readers were seen to have /proc/vmcore mapped before they were killed", mapped, rounds);
	ok(killed == rounds && mapped > rounds / 10, "readers are killed while they have it mapped");
	is_int(left, 0, "none leaves the mapping behind");
	return finish();
}
