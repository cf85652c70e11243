// SPDX-License-Identifier: GPL-2.0-only
/*
 * To be run by kview-exec: threads read random places of every segment of /proc/kcore through
 * the library, and the same by the kernel before and after. What stood still must be the same.
 *
 * The kernel changes a few words of its own whenever it reads /proc/kcore, and sees them so each
 * time, while the library sees them at rest (6.12): count and owner of kclist_lock and of
 * page_offline_rwsem, in_use of the file's proc_dir_entry (proc_reg_read_iter()), and f_count of
 * the struct file that the thread reads by, since threads share their table (fdget()). And a
 * reader that meets its own kernel stack finds -ENOSYS there, where the system call will return
 * its result (pt_regs).
 *
 * usage: exec-stress THREADS SECONDS
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define MAX_SEGMENTS 256
#define MAX_READ 8192
#define MAX_THREADS 64
/* Words that the kernel changes when it reads /proc/kcore: those of all readers, one a thread. */
#define SHARED_BUSY_WORDS 5
#define TRIES 5

static Elf64_Phdr segments[MAX_SEGMENTS];
static int nr_segments;
static time_t end;
static atomic_ullong compared, moved, wrong, nonzero;

static long by_kernel(int fd, void *buf, size_t len, uint64_t off)
{
	return syscall(SYS_pread64, fd, buf, len, off);
}

static void load_segments(void)
{
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr ehdr;

	if (fd < 0 || by_kernel(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr))
		bail("/proc/kcore: %s", strerror(errno));
	for (int i = 0; i < ehdr.e_phnum && nr_segments < MAX_SEGMENTS; i++) {
		Elf64_Phdr *ph = &segments[nr_segments];

		if (by_kernel(fd, ph, sizeof(*ph), ehdr.e_phoff + (uint64_t)i * sizeof(*ph)) != sizeof(*ph))
			bail("the program headers cannot be read");
		if (ph->p_type == PT_LOAD && ph->p_filesz > MAX_READ)
			nr_segments++;
	}
	close(fd);
}

static uint64_t random_u64(unsigned int *seed)
{
	return (uint64_t)rand_r(seed) << 42 ^ (uint64_t)rand_r(seed) << 21 ^ (uint64_t)rand_r(seed);
}

/*
 * The place to look at: vmalloc and vmemmap are terabytes of nothing, so most looks at them go
 * to where something was found before.
 */
static uint64_t pick(const Elf64_Phdr *ph, unsigned int *seed, uint64_t *found)
{
	uint64_t range = ph->p_filesz - MAX_READ;

	if (*found && rand_r(seed) % 8)
		return (*found + random_u64(seed) % (1 << 22)) % range;
	/* The areas in use lie at the start of the segment. */
	if (ph->p_paddr == UINT64_MAX && rand_r(seed) % 2 && range > 1 << 26)
		range = 1 << 26;
	return random_u64(seed) % range;
}

static bool any(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return true;
	return false;
}

static pthread_mutex_t busy_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t busy[SHARED_BUSY_WORDS + MAX_THREADS];	/* physical addresses */
static int nr_busy, max_busy;

/* Whether a word that differs may be one of those that the kernel changes, which are few. */
static bool is_busy(uint64_t paddr)
{
	bool found = false;

	pthread_mutex_lock(&busy_lock);
	for (int i = 0; i < nr_busy; i++)
		found = found || busy[i] == paddr;
	if (!found && nr_busy < max_busy) {
		busy[nr_busy++] = paddr;
		found = true;
	}
	pthread_mutex_unlock(&busy_lock);
	return found;
}

/* What a look saw. */
struct seen {
	unsigned char ours[MAX_READ], kernels[MAX_READ];
	bool came;		/* all bytes came */
};

/* Whether the aligned word that byte i is in, as far as it was read, is a call without a result. */
static bool is_open_call(const unsigned char *bytes, size_t len, size_t i, uint64_t vaddr)
{
	static const int64_t none = -ENOSYS;
	size_t first = (vaddr + i) % 8 > i ? 0 : i - (vaddr + i) % 8;
	size_t skip = (vaddr + first) % 8, nr = 8 - skip < len - first ? 8 - skip : len - first;

	return memcmp(bytes + first, (const char *)&none + skip, nr) == 0;
}

/* Whether all that differs is busy. */
static bool all_busy(const struct seen *seen, size_t len, uint64_t vaddr, uint64_t paddr)
{
	for (size_t i = 0; i < len; i++)
		if (seen->ours[i] != seen->kernels[i] && !is_open_call(seen->kernels, len, i, vaddr) &&
		    (paddr == UINT64_MAX || !is_busy((paddr + i) & ~UINT64_C(7))))
			return false;
	return true;
}

/* One look: 1 if what the library said is right, 0 if not, -1 if memory moved. */
static int look(int fd, uint64_t off, size_t len, struct seen *seen)
{
	unsigned char after[MAX_READ];
	long a = by_kernel(fd, seen->kernels, len, off);
	long b = pread(fd, seen->ours, len, (off_t)off);
	long c = by_kernel(fd, after, len, off);

	if (a != (long)len || c != a || memcmp(seen->kernels, after, len))
		return -1;
	seen->came = b == a;
	return seen->came && memcmp(seen->ours, seen->kernels, len) == 0;
}

/*
 * A lock that was taken and released in between looks as if it had stood still. What is wrong
 * stays wrong.
 */
static int look_again(int fd, uint64_t off, size_t len, uint64_t vaddr, uint64_t paddr,
		      struct seen *seen)
{
	int right = 0;

	for (int i = 0; i < TRIES && right == 0; i++)
		right = look(fd, off, len, seen);
	if (right == 0 && seen->came && all_busy(seen, len, vaddr, paddr))
		right = 1;
	return right;
}

static void *read_much(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg + 1;
	uint64_t found[MAX_SEGMENTS] = { 0 };
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);

	while (time(NULL) < end) {
		int i = rand_r(&seed) % nr_segments;
		const Elf64_Phdr *ph = &segments[i];
		uint64_t at = pick(ph, &seed, &found[i]);
		size_t len = rand_r(&seed) % 2 ? 8 : 1 + (size_t)rand_r(&seed) % MAX_READ;
		uint64_t paddr;
		struct seen seen;
		int right;

		if (len == 8)
			at &= ~(uint64_t)7;
		paddr = ph->p_paddr == UINT64_MAX ? UINT64_MAX : ph->p_paddr + at;
		right = look_again(fd, ph->p_offset + at, len, ph->p_vaddr + at, paddr, &seen);
		if (right < 0) {
			moved++;
			continue;
		}
		compared++;
		if (any(seen.kernels, len)) {
			nonzero++;
			found[i] = at > 1 << 21 ? at - (1 << 21) : 1;
		}
		if (!right && wrong++ < 10)
			diag("%zu bytes at virtual %#llx are not what the kernel reads", len,
			     (unsigned long long)(ph->p_vaddr + at));
	}
	close(fd);
	return NULL;
}

int main(int argc, char *argv[])
{
	pthread_t threads[MAX_THREADS];
	int nr = argc == 3 ? atoi(argv[1]) : 0;

	if (nr < 1 || nr > MAX_THREADS)
		bail("usage: exec-stress THREADS SECONDS");
	max_busy = SHARED_BUSY_WORDS + nr;
	load_segments();
	end = time(NULL) + atoi(argv[2]);
	for (int i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, read_much, (void *)(uintptr_t)i))
			bail("no thread");
	for (int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < nr_busy; i++)
		diag("the kernel changes the word at physical %#llx when it reads", (unsigned long long)busy[i]);
	diag("%llu reads compared, %llu of them not all zeros; %llu moved", compared, nonzero, moved);
	ok(compared > 1000 && nonzero > 100, "enough stood still to be compared");
	is_int((long long)wrong, 0, "no byte that stood still is wrong");
	return finish();
}
