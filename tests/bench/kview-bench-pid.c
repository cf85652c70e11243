// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-pid - measures what it costs to look at a process from outside: its page table,
 * which of a file's pages are in memory, and a copy of a sparse pagemap.
 *
 *   kview-bench-pid PIDDIR MOUNTPOINT DIR ROUNDS
 *
 * DIR is for files of 4 GiB and less. Output as that of kview-bench. The processes looked at
 * are children of this program, which change nothing meanwhile.
 */
#include <dirent.h>
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "find_daemon.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define GIB (1024 * MIB)
#define MAX_ROUNDS 64
#define NR_MAPPINGS 200
#define NR_READERS 100
#define NR_PROCESSES 10000
#define FILE_LEN (4 * GIB)

/* A child, and the memory it shares with this program. */
struct child {
	pid_t pid;
	struct {
		uint64_t addr, len;	/* of what it mapped */
		double seconds;		/* what the child measured last */
		atomic_int turn;	/* 1: the child's */
	} *shared;
};

static const char *piddir, *dir;
static int rounds;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "kview-bench-pid: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_row(const char *bench, const char *target, const char *unit, const double *v)
{
	printf("{\"bench\": \"%s\", \"target\": \"%s\", \"unit\": \"%s\", \"rounds\": [", bench, target, unit);
	for (int r = 0; r < rounds; r++)
		printf("%s%.3f", r ? ", " : "", v[r]);
	printf("]}\n");
	fflush(stdout);
}

static void print_missing(const char *bench, const char *target, const char *why)
{
	printf("{\"bench\": \"%s\", \"target\": \"%s\", \"unit\": \"\", \"why_not\": \"%s\"}\n", bench,
	       target, why);
}

static int open_of(const char *base, pid_t pid, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%d/%s", base, pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

/* Waits until the child has done its turn. */
static void wait_for(struct child *child)
{
	while (atomic_load(&child->shared->turn)) {
		if (waitpid(child->pid, NULL, WNOHANG) == child->pid) {
			fprintf(stderr, "kview-bench-pid: a child has failed\n");
			exit(1);
		}
		usleep(1000);
	}
}

/* Starts a child that calls set_up and then, each time it is its turn, measure. */
static void start_child(struct child *child, void (*set_up)(struct child *),
			void (*measure)(struct child *))
{
	child->shared = mmap(NULL, sizeof(*child->shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (child->shared == MAP_FAILED)
		die("mmap");
	atomic_store(&child->shared->turn, 1);
	child->pid = fork();
	if (child->pid < 0)
		die("fork");
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		set_up(child);
		for (;;) {
			atomic_store(&child->shared->turn, 0);
			while (!atomic_load(&child->shared->turn))
				usleep(1000);
			measure(child);
		}
	}
	wait_for(child);
}

/* Lets the child measure once, in seconds. */
static double ask_child(struct child *child)
{
	atomic_store(&child->shared->turn, 1);
	wait_for(child);
	return child->shared->seconds;
}

static void end_child(struct child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	munmap(child->shared, sizeof(*child->shared));
}

static void measure_nothing(struct child *child)
{
}

static void measure_mincore(struct child *child)
{
	size_t n = child->shared->len / PAGE;
	unsigned char *vec = malloc(n);
	double start;

	memset(vec, 0, n);
	start = now();
	if (mincore((void *)child->shared->addr, child->shared->len, vec) < 0)
		die("mincore");
	child->shared->seconds = now() - start;
	for (size_t i = 0; i < n; i++)
		if (!(vec[i] & 1)) {
			errno = ENODATA;
			die("a page of the file is not in memory");
		}
	free(vec);
}

/* 1 GiB of mappings, as a program has them: each of 64 MiB, every page touched. */
static void map_gib(struct child *child)
{
	uint8_t *p = mmap(NULL, GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, GIB, MADV_NOHUGEPAGE);
	for (uint64_t off = 0; off < GIB; off += PAGE)
		p[off] = 1;
	for (uint64_t off = 0; off < GIB; off += 128 * MIB)
		mprotect(p + off, 64 * MIB, PROT_READ);
	child->shared->addr = (uintptr_t)p;
	child->shared->len = GIB;
}

/* Reads len bytes at off in blocks of 1 MiB. */
static double read_all(int fd, uint64_t off, uint64_t len)
{
	static uint8_t block[MIB];
	double start = now();

	for (uint64_t done = 0; done < len; done += sizeof(block))
		if (pread(fd, block, sizeof(block), (off_t)(off + done)) != sizeof(block))
			die("reading a pagemap");
	return now() - start;
}

static void bench_sequential(void)
{
	double view[MAX_ROUNDS], proc[MAX_ROUNDS];
	struct child child;
	int view_fd, proc_fd;

	start_child(&child, map_gib, measure_nothing);
	view_fd = open_of(piddir, child.pid, "pagemap");
	proc_fd = open_of("/proc", child.pid, "pagemap");
	for (int r = -1; r < rounds; r++) {
		uint64_t off = child.shared->addr / PAGE * 8, len = child.shared->len / PAGE * 8;
		double a = read_all(proc_fd, off, len), b = read_all(view_fd, off, len);

		if (r >= 0) {
			proc[r] = a * 1e3;
			view[r] = b * 1e3;
		}
	}
	print_row("pagemap of 1 GiB", "/proc/N/pagemap", "ms", proc);
	print_row("pagemap of 1 GiB", "pid/N/pagemap", "ms", view);
	close(view_fd);
	close(proc_fd);
	end_child(&child);
}

/* A file in DIR, and a mapping of our own that keeps all of it in memory. */
static int file_fd = -1;
static void *file_map = MAP_FAILED;

static int make_file(void)
{
	uint8_t *block = calloc(1, MIB);
	char path[4096];

	snprintf(path, sizeof(path), "%s/kview-bench.XXXXXX", dir);
	file_fd = mkstemp(path);
	if (file_fd < 0)
		die(path);
	unlink(path);
	for (uint64_t off = 0; block && off < FILE_LEN; off += MIB)
		if (write(file_fd, block, MIB) != (ssize_t)MIB)
			return -errno;
	free(block);
	if (fsync(file_fd) < 0)
		return -errno;
	file_map = mmap(NULL, FILE_LEN, PROT_READ, MAP_SHARED, file_fd, 0);
	return file_map == MAP_FAILED || mlock(file_map, FILE_LEN) < 0 ? -errno : 0;
}

static void remove_file(void)
{
	if (file_map != MAP_FAILED)
		munmap(file_map, FILE_LEN);
	close(file_fd);
}

static void map_file(struct child *child)
{
	void *p = mmap(NULL, FILE_LEN, PROT_READ, MAP_SHARED, file_fd, 0);

	if (p == MAP_FAILED)
		die("mapping a file");
	child->shared->addr = (uintptr_t)p;
	child->shared->len = FILE_LEN;
}

static void map_and_touch_file(struct child *child)
{
	map_file(child);
	madvise((void *)child->shared->addr, FILE_LEN, MADV_POPULATE_READ);
	for (uint64_t off = 0; off < FILE_LEN; off += PAGE)
		(void)*(volatile uint8_t *)(child->shared->addr + off);
}

static void bench_residency(const char *bench, void (*set_up)(struct child *))
{
	size_t n = FILE_LEN / PAGE;
	uint8_t *vec = malloc(n);
	double own[MAX_ROUNDS], view[MAX_ROUNDS];
	struct child child;
	int fd;

	start_child(&child, set_up, measure_mincore);
	fd = open_of(piddir, child.pid, "mincore");
	memset(vec, 0, n);
	for (int r = -1; r < rounds; r++) {
		double a = ask_child(&child), start = now();

		for (size_t done = 0; done < n; done += MIB)
			if (pread(fd, vec + done, n - done < MIB ? n - done : MIB,
				  (off_t)(child.shared->addr / PAGE + done)) <= 0)
				die("reading pid/N/mincore");
		if (r >= 0) {
			own[r] = a * 1e3;
			view[r] = (now() - start) * 1e3;
		}
		for (size_t i = 0; i < n; i++)
			if (!(vec[i] & 1)) {
				errno = ENODATA;
				die("the view does not show a page of the file");
			}
	}
	print_row(bench, "mincore(2) in the process", "ms", own);
	print_row(bench, "pid/N/mincore", "ms", view);
	close(fd);
	free(vec);
	end_child(&child);
}

/* 200 mappings of 1 to 8 MiB, all touched, with gaps of about the same size between them. */
static void map_200(struct child *child)
{
	unsigned int seed = 1;

	for (int i = 0; i < NR_MAPPINGS; i++) {
		size_t len = (1 + rand_r(&seed) % 8) * MIB, gap = (1 + rand_r(&seed) % 8) * MIB;
		uint8_t *p = mmap(NULL, len + gap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
		munmap(p + len, gap);
		madvise(p, len, MADV_NOHUGEPAGE);
		memset(p, 1, len);
	}
}

/* The peer: reads the mappings from /proc, and copies what they have to a sparse file. */
static int copy_by_hand(pid_t pid, const char *out_path)
{
	char path[64], line[4096];
	int in = open_of("/proc", pid, "pagemap");
	int out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	static uint8_t buf[MIB];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (out < 0 || !maps)
		die(out_path);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start, end;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 || end >> 63)
			continue;
		for (uint64_t off = start / PAGE * 8; off < end / PAGE * 8;) {
			uint64_t left = end / PAGE * 8 - off;
			ssize_t n = pread(in, buf, left < sizeof(buf) ? left : sizeof(buf), (off_t)off);

			if (n <= 0 || pwrite(out, buf, (size_t)n, (off_t)off) != n)
				die("copying a pagemap");
			off += (uint64_t)n;
		}
	}
	fclose(maps);
	return ftruncate(out, (off_t)((UINT64_C(1) << 47) / PAGE * 8 - 8)) < 0;
}

/* Runs a command to its end. Returns the seconds it took. */
static double time_command(char *const argv[])
{
	double start = now();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || status) {
		errno = ECHILD;
		die(argv[0]);
	}
	return now() - start;
}

static void bench_copy(const char *self)
{
	char in[4096], out[4096], number[16];
	double cp[MAX_ROUNDS], hand[MAX_ROUNDS];
	struct child child;

	start_child(&child, map_200, measure_nothing);
	snprintf(in, sizeof(in), "%s/%d/pagemap", piddir, child.pid);
	snprintf(out, sizeof(out), "%s/kview-bench.out", dir);
	snprintf(number, sizeof(number), "%d", child.pid);
	for (int r = -1; r < rounds; r++) {
		char *const cp_argv[] = { "cp", "--sparse=always", in, out, NULL };
		char *const hand_argv[] = { (char *)self, "--copy", number, out, NULL };
		double a = time_command(hand_argv), b;

		unlink(out);
		b = time_command(cp_argv);
		unlink(out);
		if (r >= 0) {
			hand[r] = a * 1e3;
			cp[r] = b * 1e3;
		}
	}
	print_row("copy of pagemap, 200 mappings", "/proc/N/pagemap, by hand", "ms", hand);
	print_row("copy of pagemap, 200 mappings", "cp --sparse=always", "ms", cp);
	end_child(&child);
}

static void bench_list(void)
{
	char *const proc_argv[] = { "ls", "/proc", NULL }, *const pid_argv[] = { "ls", (char *)piddir, NULL };
	static pid_t pids[NR_PROCESSES];
	double proc[MAX_ROUNDS], view[MAX_ROUNDS];

	for (int i = 0; i < NR_PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	for (int r = -1; r < rounds; r++) {
		double a = time_command(proc_argv), b = time_command(pid_argv);

		if (r >= 0) {
			proc[r] = a * 1e3;
			view[r] = b * 1e3;
		}
	}
	print_row("list of 10,000 processes", "ls /proc", "ms", proc);
	print_row("list of 10,000 processes", "ls pid", "ms", view);
	for (int i = 0; i < NR_PROCESSES; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < NR_PROCESSES; i++)
		waitpid(pids[i], NULL, 0);
}

static atomic_bool stop_reading;

static void *read_on(void *arg)
{
	struct child *child = arg;
	int pagemap = open_of(piddir, child->pid, "pagemap"), mincore_fd = open_of(piddir, child->pid, "mincore");
	uint8_t *block = malloc(MIB);

	while (!atomic_load(&stop_reading)) {
		uint64_t page = child->shared->addr / PAGE;

		if (pread(pagemap, block, MIB, (off_t)(page * 8)) <= 0 ||
		    pread(mincore_fd, block, MIB / 4, (off_t)page) <= 0)
			die("a reader");
	}
	free(block);
	close(pagemap);
	close(mincore_fd);
	return NULL;
}

static double rss_kib(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmRSS:", 6))
			kib = strtod(line + 6, NULL);
	if (f)
		fclose(f);
	return kib;
}

static void bench_readers(const char *mountpoint)
{
	pid_t daemon = find_daemon(mountpoint);
	pthread_t readers[NR_READERS];
	double rss[MAX_ROUNDS];
	struct child child;

	start_child(&child, map_gib, measure_nothing);
	for (int i = 0; i < NR_READERS; i++)
		if (pthread_create(&readers[i], NULL, read_on, &child))
			die("a reader");
	for (int r = 0; r < rounds; r++) {
		usleep(500 * 1000);	/* of reading */
		rss[r] = rss_kib(daemon);
	}
	atomic_store(&stop_reading, true);
	for (int i = 0; i < NR_READERS; i++)
		pthread_join(readers[i], NULL);
	print_row("daemon memory, 100 readers of pid/", "kviewfs", "KiB", rss);
	end_child(&child);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc == 4 && !strcmp(argv[1], "--copy"))
		return copy_by_hand(atoi(argv[2]), argv[3]);
	rounds = argc == 5 ? atoi(argv[4]) : 0;
	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: kview-bench-pid PIDDIR MOUNTPOINT DIR ROUNDS (1 to %d)\n", MAX_ROUNDS);
		return 2;
	}
	piddir = argv[1];
	dir = argv[3];
	bench_sequential();
	ret = make_file();
	if (ret < 0) {
		print_missing("residency of 4 GiB, not touched", "pid/N/mincore", strerror(-ret));
	} else {
		bench_residency("residency of 4 GiB, not touched", map_file);
		bench_residency("residency of 4 GiB, touched", map_and_touch_file);
	}
	remove_file();
	bench_copy(argv[0]);
	bench_list();
	bench_readers(argv[2]);
	return 0;
}
