// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random requests, most of them nearly right: whatever comes back is a descriptor or a
 * documented errno, and what was made can be read and mapped without harm.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define ROUNDS 5000
#define MOST 8

static uint64_t state = 20261122;
static uint64_t ram_end;

/* xorshift64*: the same on every run. */
static uint64_t rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

static bool one_in(unsigned int n)
{
	return rnd() % n == 0;
}

/* Numbers that sit beside limits. */
static uint64_t odd_number(void)
{
	static const uint64_t edges[] = {
		0, 1, 8, 4095, 4096, 4097, 65536, 65537, 1 << 21, 1 << 30, 1ULL << 32,
		1ULL << 46, 1ULL << 52, KVIEW_MAX_SIZE, 1ULL << 63, UINT64_MAX - 4095,
		0xffff888000000000, 0xffffffff80000000, 0xffffffffc0000000,
	};
	uint64_t edge = edges[rnd() % (sizeof(edges) / sizeof(edges[0]))];

	return one_in(3) ? rnd() : edge + rnd() % 3 - 1;
}

static void spoil(void *data, size_t size)
{
	unsigned char *bytes = data;

	switch (rnd() % 3) {
	case 0:
		bytes[rnd() % size] ^= (unsigned char)(1U << rnd() % 8);
		break;
	case 1: {
		uint64_t number = odd_number();

		memcpy(bytes + rnd() % (size / 8) * 8, &number, 8);
		break;
	}
	default:
		break;
	}
}

static void build(struct kview_create *request, struct kview_extent *extents)
{
	static char blob[KVIEW_MAX_BLOB_LEN];
	uint64_t off = 0;
	unsigned int i, nr = (unsigned int)(rnd() % MOST);

	memset(request, 0, sizeof(*request));
	for (i = 0; i < nr; i++) {
		uint64_t align = one_in(2) ? 1 : one_in(2) ? PAGE : PMD;
		uint64_t len = rnd() % (4 * PMD) / align * align + align;

		off = (off + rnd() % (2 * PMD)) / align * align + align;
		if (one_in(4))
			extents[i] = kv_blob(off, len % sizeof(blob) + 1, blob);
		else
			extents[i] = kv_ram(off, len, rnd() % ram_end / align * align);
		off = extents[i].off + extents[i].len;
		if (one_in(8))
			spoil(&extents[i], sizeof(extents[i]));
	}
	request->size = off + rnd() % PAGE + 1;
	request->extents = (uintptr_t)extents;
	request->nr_extents = nr;
	if (one_in(8))
		spoil(request, sizeof(*request));
}

static bool documented(int err)
{
	return err == EPERM || err == EOPNOTSUPP || err == EINVAL || err == E2BIG ||
	       err == EBADF || err == ELOOP || err == EFAULT || err == ENOMEM ||
	       err == EMFILE || err == ENFILE;
}

/* Reads and maps some of a view. Returns false if anything is odd. */
static bool use(int fd, uint64_t size)
{
	static unsigned char buf[3 * PAGE];
	uint64_t at = rnd() % size;
	ssize_t ret = pread(fd, buf, sizeof(buf), (off_t)at);
	unsigned char *map;
	size_t len;

	if (ret != (ssize_t)(size - at < sizeof(buf) ? size - at : sizeof(buf)))
		return false;
	at &= -PAGE;
	len = rnd() % (6 * PMD) + 1;
	map = mmap(NULL, len, PROT_READ, one_in(2) ? MAP_SHARED : MAP_PRIVATE, fd, (off_t)at);
	if (map == MAP_FAILED)
		return errno == ENODEV || (errno == EOVERFLOW && at + len > KVIEW_MAX_SIZE);
	/* The size may be anywhere in the last page; a load from it and before it works. */
	at = (size - 1 - at) & -PAGE;
	if (at > len - 1)
		at = (len - 1) & -PAGE;
	if (kv_load(map) < 0 || kv_load(map + at) < 0 || kv_load(map + rnd() % (at + 1)) < 0)
		return false;
	munmap(map, len);
	return true;
}

static void test_create(void)
{
	struct kview_extent extents[MOST];
	struct kview_create request;
	unsigned int i, made = 0, refused = 0, odd_errno = 0, odd_use = 0;
	int fd;

	for (i = 0; i < ROUNDS; i++) {
		build(&request, extents);
		fd = ioctl(kv_device(), KVIEW_IOC_CREATE, &request);
		if (fd < 0) {
			refused++;
			if (!documented(errno)) {
				odd_errno++;
				diag("round %u: %s", i, strerror(errno));
			}
			continue;
		}
		made++;
		if (!use(fd, request.size)) {
			odd_use++;
			diag("round %u: a view of %" PRIu64 " bytes misbehaves", i,
			     (uint64_t)request.size);
		}
		close(fd);
	}
	diag("%u views made, %u requests refused", made, refused);
	is_int(odd_errno, 0, "%d requests: every errno is documented", ROUNDS);
	is_int(odd_use, 0, "every view can be read and mapped");
	ok(made > ROUNDS / 4 && refused > ROUNDS / 20, "both outcomes were tried enough");
}

static void test_requests(void)
{
	unsigned char room[4096];
	unsigned int i, accepted = 0;

	for (i = 0; i < ROUNDS; i++) {
		unsigned int request = (unsigned int)rnd();

		if (one_in(2))
			request = _IOC(rnd() % 4, KVIEW_IOC_MAGIC, rnd() % 4, rnd() % 256);
		if (request == KVIEW_IOC_INFO || request == (unsigned int)KVIEW_IOC_CREATE)
			continue;
		memset(room, 0, sizeof(room));
		if (ioctl(kv_device(), request, room) >= 0 || errno != ENOTTY)
			accepted++;
	}
	is_int(accepted, 0, "every unknown request is ENOTTY");
}

int main(void)
{
	unsigned int before = kv_info().nr_views;

	ram_end = kv_ram_end();
	test_create();
	test_requests();
	is_int(kv_info().nr_views, before, "no view is left");
	return finish();
}
