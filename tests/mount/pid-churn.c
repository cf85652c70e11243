// SPDX-License-Identifier: GPL-2.0-only
/*
 * pid-churn PIDDIR SECONDS - reads pid/N of processes that map, unmap, fork, execute and exit
 * all the time, for SECONDS. Prints counts; exit status 1 if a read returned impossible data.
 *
 * Each process has a page of its own at one address, the same in all of them, and publishes
 * its page frame number. If its pagemap, read through the mount, ever has another page frame
 * there, that is another process's data.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define NR_WORKERS 8
#define NR_READERS 4
#define MARK_ADDR UINT64_C(0x600000000000)
#define PRESENT (UINT64_C(1) << 63)
#define PFN_MASK ((UINT64_C(1) << 55) - 1)
#define READ_LEN (64 * 1024)

/* Published by a worker. lives is odd while the other fields change. */
struct slot {
	_Atomic uint64_t lives;
	_Atomic pid_t pid;
	_Atomic uint64_t pfn;
};

static struct shared {
	struct slot slots[NR_WORKERS];
	atomic_bool stop;
} *shared;

static const char *piddir;
static _Atomic unsigned long reads, gone, marks, bad;

static uint64_t own_pfn(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (off_t)(MARK_ADDR / PAGE * 8)) != 8)
		entry = 0;
	close(fd);
	return entry & PRESENT ? entry & PFN_MASK : 0;
}

/* Maps the page of this process and publishes it for the readers. */
static void introduce(struct slot *slot)
{
	void *p = mmap((void *)MARK_ADDR, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	atomic_fetch_add(&slot->lives, 1);
	if (p == MAP_FAILED || mlock(p, PAGE) < 0)
		_exit(1);
	*(volatile int *)p = getpid();
	atomic_store(&slot->pid, getpid());
	atomic_store(&slot->pfn, own_pfn());
	atomic_fetch_add(&slot->lives, 1);
}

static void map_and_unmap(unsigned int *seed)
{
	for (int i = 0; i < 50; i++) {
		size_t len = (1 + rand_r(seed) % 300) * PAGE;
		char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
			       (rand_r(seed) % 2 ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			continue;
		for (size_t off = 0; off < len; off += (1 + rand_r(seed) % 5) * PAGE)
			p[off] = 1;
		if (rand_r(seed) % 3 == 0)
			mprotect(p + len / 2 / PAGE * PAGE, PAGE, PROT_NONE);
		if (rand_r(seed) % 4)
			munmap(p, len);
	}
}

/* Some lives: each process forks the next one and ends, or executes another program. */
static void live(struct slot *slot, unsigned int seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!atomic_load(&shared->stop)) {
		pid_t pid = fork();
		int how;

		if (pid < 0)
			continue;
		if (pid > 0) {
			waitpid(pid, NULL, 0);
			seed++;
			continue;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		introduce(slot);
		how = rand_r(&seed) % 3;
		map_and_unmap(&seed);
		atomic_fetch_add(&slot->lives, 1);	/* withdrawn: readers skip the slot */
		atomic_store(&slot->pid, 0);
		atomic_fetch_add(&slot->lives, 1);
		if (how == 0) {
			pid = vfork();
			if (pid == 0) {
				execl("/bin/true", "true", NULL);
				_exit(0);
			}
			waitpid(pid, NULL, 0);
		} else if (how == 1) {
			execl("/bin/true", "true", NULL);
		}
		_exit(0);
	}
	_exit(0);
}

static void complain(const char *what, uint64_t a, uint64_t b)
{
	if (atomic_fetch_add(&bad, 1) < 10)
		printf("# %s: %#" PRIx64 " %#" PRIx64 "\n", what, a, b);
}

/* Counts errnos of a process that has gone away; any other errno is a failure. */
static void judge_errno(const char *what)
{
	if (errno == ENOENT || errno == ESRCH)
		atomic_fetch_add(&gone, 1);
	else
		complain(what, (uint64_t)errno, 0);
}

static int open_file(pid_t pid, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%d/%s", piddir, pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		judge_errno("open");
	return fd;
}

/* Reads the entry of a worker's own page. */
static void read_mark(struct slot *slot)
{
	uint64_t lives = atomic_load(&slot->lives), entry, pfn = atomic_load(&slot->pfn);
	pid_t pid = atomic_load(&slot->pid);
	int fd;

	if (!pid || lives % 2 || !pfn)
		return;
	fd = open_file(pid, "pagemap");
	if (fd < 0)
		return;
	if (pread(fd, &entry, 8, (off_t)(MARK_ADDR / PAGE * 8)) != 8)
		judge_errno("reading a mark");
	else if (atomic_load(&slot->lives) == lives) {
		if ((entry & PRESENT) && (entry & PFN_MASK) != pfn)
			complain("another page frame", entry, pfn);
		atomic_fetch_add(&marks, 1);
	}
	close(fd);
}

/* Reads from mapping to mapping, as cp does. */
static void read_some(pid_t pid, const char *name, size_t entry_len, unsigned int *seed)
{
	uint8_t *buf = malloc(READ_LEN);
	int fd = open_file(pid, name);
	off_t off = 0, end;

	for (int i = 0; fd >= 0 && i < 20; i++) {
		size_t len = 1 + rand_r(seed) % READ_LEN;
		ssize_t n;

		off = lseek(fd, off, SEEK_DATA);
		if (off < 0) {
			if (errno != ENXIO)
				judge_errno("SEEK_DATA");
			break;
		}
		end = lseek(fd, off, SEEK_HOLE);
		if (end < 0 && errno != ENXIO) {
			judge_errno("SEEK_HOLE");
			break;
		}
		n = pread(fd, buf, len, off);
		if (n < 0)
			judge_errno("read");
		atomic_fetch_add(&reads, 1);
		for (ssize_t k = 0; entry_len == 1 && k < n; k++)
			if ((buf[k] & 0xc0) || ((buf[k] & 2) && !(buf[k] & 1)))
				complain("impossible bits", buf[k], (uint64_t)off);
		if (n <= 0 || end <= off)
			break;
		off = end;
	}
	if (fd >= 0)
		close(fd);
	free(buf);
}

static void *read_on(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!atomic_load(&shared->stop)) {
		struct slot *slot = &shared->slots[rand_r(&seed) % NR_WORKERS];
		pid_t pid = atomic_load(&slot->pid);

		read_mark(slot);
		if (!pid)
			continue;
		if (rand_r(&seed) % 2)
			read_some(pid, "pagemap", 8, &seed);
		else
			read_some(pid, "mincore", 1, &seed);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t readers[NR_READERS];
	pid_t workers[NR_WORKERS];

	if (argc != 3) {
		fprintf(stderr, "usage: pid-churn PIDDIR SECONDS\n");
		return 2;
	}
	piddir = argv[1];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < NR_WORKERS; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			live(&shared->slots[i], (unsigned int)i * 1000003);
	}
	for (uintptr_t i = 0; i < NR_READERS; i++)
		pthread_create(&readers[i], NULL, read_on, (void *)(i + 77));
	sleep((unsigned int)atoi(argv[2]));	/* the length of the run */
	atomic_store(&shared->stop, true);
	for (int i = 0; i < NR_READERS; i++)
		pthread_join(readers[i], NULL);
	for (int i = 0; i < NR_WORKERS; i++) {
		kill(workers[i], SIGKILL);
		waitpid(workers[i], NULL, 0);
	}
	printf("reads %lu gone %lu marks %lu bad %lu\n", atomic_load(&reads), atomic_load(&gone),
	       atomic_load(&marks), atomic_load(&bad));
	return atomic_load(&bad) ? 1 : 0;
}
