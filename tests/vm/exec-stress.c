// SPDX-License-Identifier: GPL-2.0-only
/*
 * To be run by kview-exec: threads read random places of every segment of /proc/kcore through
 * the library, and the same by the kernel before and after. What stood still must be the same.
 *
 * The kernel changes a few words of its own whenever it reads /proc/kcore, and sees them so each
 * time, while the library sees them at rest (6.12): count and owner of kclist_lock and of
 * page_offline_rwsem, and in_use of the file's proc_dir_entry (proc_reg_read_iter()).
 *
 * A reader also meets memory that is its own: the stack it runs on, its kernel stack, and the
 * struct file that it reads by (f_count). These differ between a read by the library and a
 * system call. So another thread, with a file of its own, looks at a place that is wrong for one, while
 * the first waits (look_for_another()).
 *
 * usage: exec-stress THREADS SECONDS
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define MAX_SEGMENTS 256
#define MAX_READ 8192
#define MAX_THREADS 64
#define TRIES 5
/* A struct rw_semaphore, of which a reader changes count and owner. */
#define LOCK_LEN 40

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

/*
 * Words that the kernel changes each time it reads /proc/kcore: two locks of the image, by name,
 * and one word that has no name, in_use of the file's proc_dir_entry.
 */
static const char *const locks[] = { "kclist_lock", "page_offline_rwsem" };
#define NR_LOCKS (sizeof(locks) / sizeof(locks[0]))

static uint64_t lock_paddr[NR_LOCKS];
static _Atomic uint64_t unnamed_paddr;

/* Physical address of an address of the image; 0 if it is not in it. */
static uint64_t image_to_phys(uint64_t vaddr)
{
	for (int i = 0; i < nr_segments; i++)
		if (segments[i].p_paddr != UINT64_MAX && vaddr >= segments[i].p_vaddr &&
		    vaddr - segments[i].p_vaddr < segments[i].p_filesz)
			return vaddr - segments[i].p_vaddr + segments[i].p_paddr;
	return 0;
}

static void find_locks(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	unsigned long long addr;
	char name[256];

	if (!symbols)
		bail("/proc/kallsyms: %s", strerror(errno));
	while (fscanf(symbols, "%llx %*c %255s%*[^\n]", &addr, name) == 2)
		for (size_t i = 0; i < NR_LOCKS; i++)
			if (strcmp(name, locks[i]) == 0)
				lock_paddr[i] = image_to_phys(addr);
	fclose(symbols);
	for (size_t i = 0; i < NR_LOCKS; i++)
		if (!lock_paddr[i])
			bail("the kernel has no %s", locks[i]);
}

/* Whether the word at a physical address is one of those. */
static bool is_busy(uint64_t paddr)
{
	uint64_t none = 0;

	for (size_t i = 0; i < NR_LOCKS; i++)
		if (paddr - lock_paddr[i] < LOCK_LEN)
			return true;
	return atomic_compare_exchange_strong(&unnamed_paddr, &none, paddr) || none == paddr;
}

/* A place, and what a look at it saw. */
struct place {
	uint64_t off, paddr;	/* in /proc/kcore; UINT64_MAX if it has no one physical address */
	size_t len;
	unsigned char ours[MAX_READ], kernels[MAX_READ];
	bool came;		/* all bytes came */
};

/* One look: 1 if what the library said is right, 0 if not, -1 if memory moved. */
static int look(int fd, struct place *place)
{
	unsigned char after[MAX_READ];
	size_t len = place->len;
	off_t off = (off_t)place->off;
	long a = by_kernel(fd, place->kernels, len, place->off);
	long b = pread(fd, place->ours, len, off);
	long c = by_kernel(fd, after, len, place->off);

	if (a != (long)len || c != a || memcmp(place->kernels, after, len))
		return -1;
	place->came = b == a;
	return place->came && memcmp(place->ours, place->kernels, len) == 0;
}

/*
 * A lock that was taken and released in between looks as if it had stood still. What is wrong
 * stays wrong.
 */
static int look_some(int fd, struct place *place)
{
	int right = 0;

	for (int i = 0; i < TRIES && right == 0; i++)
		right = look(fd, place);
	return right;
}

/* Whether no byte is wrong in both looks, but for busy words. */
static bool only_busy(const struct place *a, const struct place *b)
{
	for (size_t i = 0; i < a->len; i++)
		if (a->ours[i] != a->kernels[i] && b->ours[i] != b->kernels[i] &&
		    (a->paddr == UINT64_MAX || !is_busy((a->paddr + i) & ~UINT64_C(7))))
			return false;
	return true;
}

static void *look_by_another(void *arg)
{
	struct place *place = arg;
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC), right;

	if (fd < 0)
		bail("/proc/kcore: %s", strerror(errno));
	right = look_some(fd, place);
	close(fd);
	return (void *)(intptr_t)right;
}

/* What another thread says of a place that is wrong for this one, as look() does. */
static int look_for_another(const struct place *place)
{
	struct place anothers = { .off = place->off, .paddr = place->paddr, .len = place->len };
	pthread_t thread;
	void *answer;

	if (pthread_create(&thread, NULL, look_by_another, &anothers) || pthread_join(thread, &answer))
		bail("no thread");
	if ((intptr_t)answer == 0 && anothers.came && only_busy(place, &anothers))
		return 1;
	return (int)(intptr_t)answer;
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
		struct place place;
		int right;

		if (len == 8)
			at &= ~(uint64_t)7;
		place.off = ph->p_offset + at;
		place.paddr = ph->p_paddr == UINT64_MAX ? UINT64_MAX : ph->p_paddr + at;
		place.len = len;
		right = look_some(fd, &place);
		if (right == 0 && place.came)
			right = look_for_another(&place);
		if (right < 0) {
			moved++;
			continue;
		}
		compared++;
		if (any(place.kernels, len)) {
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
	load_segments();
	find_locks();
	end = time(NULL) + atoi(argv[2]);
	for (int i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, read_much, (void *)(uintptr_t)i))
			bail("no thread");
	for (int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	if (unnamed_paddr)
		diag("in_use of the file's proc_dir_entry is taken to be at physical %#llx",
		     (unsigned long long)unnamed_paddr);
	diag("%llu reads compared, %llu of them not all zeros; %llu moved", compared, nonzero, moved);
	ok(compared > 1000 && nonzero > 100, "enough stood still to be compared");
	is_int((long long)wrong, 0, "no byte that stood still is wrong");
	return finish();
}
