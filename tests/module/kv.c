// SPDX-License-Identifier: GPL-2.0-only
#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define TRACING "/sys/kernel/tracing/"
/* What kv_probe() calls its probe. */
#define PROBE "kviewtest"

static int device = -1;

int kv_device(void)
{
	if (device < 0)
		device = open(KVIEW_DEVICE, O_RDONLY | O_CLOEXEC);
	if (device < 0)
		bail("%s: %s: these tests run as root with the module loaded", KVIEW_DEVICE,
		     strerror(errno));
	return device;
}

void kv_close_device(void)
{
	if (device >= 0)
		close(device);
	device = -1;
}

struct kview_info kv_info(void)
{
	struct kview_info info;

	if (ioctl(kv_device(), KVIEW_IOC_INFO, &info))
		bail("KVIEW_IOC_INFO: %s", strerror(errno));
	return info;
}

int kv_try_create(uint64_t size, const struct kview_extent *extents, uint32_t nr)
{
	struct kview_create request = {
		.size = size,
		.extents = (uintptr_t)extents,
		.nr_extents = nr,
		.name = "test",
	};
	int fd = ioctl(kv_device(), KVIEW_IOC_CREATE, &request);

	return fd < 0 ? -errno : fd;
}

int kv_create(uint64_t size, const struct kview_extent *extents, uint32_t nr)
{
	int fd = kv_try_create(size, extents, nr);

	if (fd < 0)
		bail("KVIEW_IOC_CREATE: %s", strerror(-fd));
	return fd;
}

struct kview_extent kv_ram(uint64_t off, uint64_t len, uint64_t paddr)
{
	return (struct kview_extent){
		.off = off, .len = len, .src = paddr, .kind = KVIEW_EXTENT_RAM,
	};
}

struct kview_extent kv_blob(uint64_t off, uint64_t len, const void *data)
{
	return (struct kview_extent){
		.off = off, .len = len, .src = (uintptr_t)data, .kind = KVIEW_EXTENT_BLOB,
	};
}

unsigned int kv_iomem(struct kv_range *ranges, unsigned int max)
{
	FILE *file = fopen("/proc/iomem", "re");
	unsigned int nr = 0;
	char line[256];

	if (!file)
		bail("/proc/iomem: %s", strerror(errno));
	while (nr < max && fgets(line, sizeof(line), file)) {
		uint64_t start, last;

		/* Children are indented; System RAM is never one. */
		if (line[0] == ' ' || !strstr(line, " : System RAM"))
			continue;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &last) != 2)
			continue;
		start = (start + PAGE - 1) & -PAGE;
		last = (last + 1) & -PAGE;
		if (start < last)
			ranges[nr++] = (struct kv_range){ start, last };
	}
	fclose(file);
	if (!nr)
		bail("/proc/iomem shows no System RAM: not root?");
	return nr;
}

uint64_t kv_ram_end(void)
{
	struct kv_range ranges[256];

	return ranges[kv_iomem(ranges, 256) - 1].end;
}

int kv_ram_view(void)
{
	struct kv_range ranges[256];
	struct kview_extent extents[256];
	unsigned int i, nr = kv_iomem(ranges, 256);

	for (i = 0; i < nr; i++)
		extents[i] = kv_ram(ranges[i].start, ranges[i].end - ranges[i].start,
				    ranges[i].start);
	return kv_create(ranges[nr - 1].end, extents, nr);
}

bool kv_find_ram(uint64_t len, uint64_t align, uint64_t *paddr)
{
	struct kv_range ranges[256];
	unsigned int i = kv_iomem(ranges, 256);

	while (i--) {
		uint64_t start = (ranges[i].start + align - 1) & -align;

		if (start < ranges[i].end && ranges[i].end - start >= len) {
			*paddr = (ranges[i].end - len) & -align;
			return true;
		}
	}
	return false;
}

uint64_t kv_virt_to_phys(const void *addr)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	if (fd < 0)
		bail("/proc/self/pagemap: %s", strerror(errno));
	if (pread(fd, &entry, 8, (uintptr_t)addr / PAGE * 8) != 8)
		bail("/proc/self/pagemap: cannot read");
	close(fd);
	if (!(entry >> 63))
		return 0;
	return (entry & ((1ULL << 55) - 1)) * PAGE + (uintptr_t)addr % PAGE;
}

unsigned char kv_pattern_byte(uint64_t paddr)
{
	/* Differs between neighbouring bytes and between pages. */
	return (unsigned char)(paddr * 7 + (paddr >> 12) * 31 + (paddr >> 20) + 1);
}

unsigned char *kv_pages(unsigned int nr, uint64_t *paddr)
{
	unsigned char *pages = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
				    -1, 0);
	unsigned int i, j;

	if (pages == MAP_FAILED)
		bail("%u pages: %s", nr, strerror(errno));
	for (i = 0; i < nr; i++) {
		pages[i * PAGE] = 0;
		paddr[i] = kv_virt_to_phys(pages + i * PAGE);
		if (!paddr[i])
			bail("pagemap shows no page frame numbers: not root?");
		for (j = 0; j < PAGE; j++)
			pages[i * PAGE + j] = kv_pattern_byte(paddr[i] + j);
	}
	return pages;
}

long kv_minflt(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

size_t kv_touch(const volatile unsigned char *addr, size_t len)
{
	size_t off;

	for (off = 0; off < len; off += PAGE)
		(void)addr[off];
	return len / PAGE;
}

static sigjmp_buf load_failed;

static void on_load_signal(int sig)
{
	siglongjmp(load_failed, sig);
}

int kv_load(const volatile unsigned char *addr)
{
	struct sigaction action = { .sa_handler = on_load_signal };
	struct sigaction old_bus, old_segv;
	volatile int ret;
	int sig;

	sigaction(SIGBUS, &action, &old_bus);
	sigaction(SIGSEGV, &action, &old_segv);
	sig = sigsetjmp(load_failed, 1);
	ret = sig ? -sig : *addr;
	sigaction(SIGBUS, &old_bus, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	return ret;
}

unsigned char *kv_map(int fd, uint64_t off, size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)off);

	if (addr == MAP_FAILED)
		bail("mmap of %zu bytes at %#" PRIx64 ": %s", len, off, strerror(errno));
	return addr;
}

unsigned char *kv_map_at(int fd, uint64_t off, size_t len, uint64_t align)
{
	unsigned char *room = mmap(NULL, len + align, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *want;
	void *addr;

	if (room == MAP_FAILED)
		bail("%zu bytes of address space: %s", len, strerror(errno));
	want = room + ((off - (uintptr_t)room) & (align - 1));
	addr = mmap(want, len, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)off);
	if (addr == MAP_FAILED)
		bail("mmap of %zu bytes at %#" PRIx64 ": %s", len, off, strerror(errno));
	return addr;
}

bool kv_is_zero(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

int kv_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

ssize_t kv_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	text[0] = 0;
	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	if (len < 0)
		len = -errno;
	else
		text[len] = 0;
	close(fd);
	return len;
}

ssize_t kv_read_all(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 0;

	text[0] = 0;
	if (fd < 0)
		return -errno;
	while (len < size - 1 && (got = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = 0;
	close(fd);
	return (ssize_t)len;
}

uint64_t kv_revoked(void)
{
	struct kview_info info = kv_info();
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < sizeof(info.revoked) / sizeof(info.revoked[0]); i++)
		sum += info.revoked[i];
	return sum;
}

bool kv_await_passes(unsigned int nr)
{
	uint64_t limit = kv_now_ms() + KV_PATIENCE_MS, want = kv_info().passes + nr;

	while (kv_info().passes < want && kv_now_ms() < limit)
		kv_sleep_ms(5);
	return kv_info().passes >= want;
}

bool kv_await_hidden(uint32_t event)
{
	return (kv_info().events & event) || kv_await_passes(2);
}

bool kv_await_unmapped(void)
{
	uint64_t limit = kv_now_ms() + KV_PATIENCE_MS;

	while (kv_info().mapped_blocks && kv_now_ms() < limit)
		kv_sleep_ms(5);
	return !kv_info().mapped_blocks;
}

int kv_revalidate_ms(unsigned int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ms);
	return kv_write_file("/sys/module/kview/parameters/revalidate_ms", text);
}

void kv_sleep_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

uint64_t kv_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool kv_has_symbol(const char *name)
{
	char line[256], want[128];
	bool found = false;
	FILE *file = fopen("/proc/kallsyms", "r");

	if (!file)
		bail("/proc/kallsyms: %s", strerror(errno));
	snprintf(want, sizeof(want), " %s\n", name);
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, want);
	fclose(file);
	return found;
}

unsigned char *kv_secret_page(unsigned char fill)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);
	unsigned char *page;

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return NULL;
	if (fd < 0 || ftruncate(fd, PAGE))
		bail("memfd_secret: %s", strerror(errno));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		bail("memfd_secret: mmap: %s", strerror(errno));
	memset(page, fill, PAGE);
	return page;
}

bool kv_probe(const char *function)
{
	char text[128];

	snprintf(text, sizeof(text), "p:" PROBE " %s", function);
	return !kv_write_file(TRACING "kprobe_events", text) &&
	       !kv_write_file(TRACING "events/kprobes/" PROBE "/enable", "1");
}

long kv_probe_hits(void)
{
	static char text[1 << 16];
	char *at;

	if (kv_read_all(TRACING "kprobe_profile", text, sizeof(text)) <= 0)
		bail("kprobe_profile cannot be read");
	at = strstr(text, PROBE);
	if (!at)
		bail("the probe is not in kprobe_profile");
	return strtol(at + strlen(PROBE), NULL, 10);
}

void kv_unprobe(void)
{
	kv_write_file(TRACING "events/kprobes/" PROBE "/enable", "0");
	kv_write_file(TRACING "kprobe_events", "-:" PROBE);
}
