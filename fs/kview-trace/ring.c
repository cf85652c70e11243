// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Where only a copy can be mapped, the kernel may refuse MAP_SHARED. A file without a size cannot
 * be mapped at all, but a private mapping by FUSE would show that only when it is touched.
 */
static void *map(int fd, size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	struct stat st;

	if (mem != MAP_FAILED || errno != ENODEV)
		return mem;
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)len)
		return mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	errno = ENODEV;
	return MAP_FAILED;
}

static int open_file(struct ring *ring, const char *path, int cpu, int flags, struct kvfs_err *err)
{
	*ring = (struct ring) { .path = path, .cpu = cpu, .fd = -1 };
	ring->fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	return ring->fd < 0 ? kvfs_err_sys(err, errno, "cannot open %s", path) : 0;
}

void ring_advance(struct ring *ring)
{
	int ret = kvfs_ring_next(&ring->cursor, &ring->event);

	ring->pending = ret > 0;
	ring->events += ring->pending;
	if (ret < 0) {
		ring->broken = true;
		ring->cursor.pos = ring->cursor.end;
	}
}

/* The time stamp of a sub-buffer, which the writer sets when it begins the sub-buffer. */
static uint64_t time_stamp(const struct ring *ring, uint32_t id)
{
	return *(const volatile uint64_t *)(ring->mem + kvfs_ring_subbuf_off(&ring->meta, id));
}

/* Sets the cursor on the first event of a sub-buffer, or at skip bytes in it. */
static int begin(struct ring *ring, uint32_t id, uint32_t skip)
{
	int ret = kvfs_ring_first(ring->mem + kvfs_ring_subbuf_off(&ring->meta, id),
				  ring->meta.subbuf_size, &ring->cursor);

	/* The data was written before the header that counts it. */
	atomic_thread_fence(memory_order_acquire);
	ring->id = id;
	ring->time_stamp = ring->cursor.ts;
	if (ret == 0 && skip)
		ret = kvfs_ring_seek(&ring->cursor, skip);
	if (ret == 0 && !skip && ring->cursor.missed) {
		ring->lost = true;
		ring->nr_lost = ring->cursor.nr_missed;
		ring->events_lost += ring->nr_lost;
	}
	return ret;
}

/*
 * Copies bytes of a mapping, of a file that may have no such page: then touching them raises SIGBUS,
 * while write(2) returns EFAULT. Returns 0 or -errno.
 */
static int copy_safely(const void *mapped, size_t len, void *out)
{
	int fds[2], ret = 0;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	if (write(fds[1], mapped, len) != (ssize_t)len || read(fds[0], out, len) != (ssize_t)len)
		ret = errno == EFAULT ? -EFAULT : -EIO;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

/* Maps the meta page, which has the size, and then the whole ring. A mapped ring keeps its size. */
static int map_live(struct ring *ring, struct kvfs_err *err)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *meta = map(ring->fd, page), *mem;
	uint8_t first[sizeof(ring->meta)];
	int ret;

	if (meta == MAP_FAILED)
		return kvfs_err_sys(err, errno, "cannot map %s", ring->path);
	ret = copy_safely(meta, sizeof(first), first);
	if (ret < 0) {
		munmap(meta, page);
		if (ret == -EFAULT)
			return kvfs_err_set(err, EBADMSG, "%s is no ring: its first page cannot be read", ring->path);
		return kvfs_err_sys(err, -ret, "cannot read %s", ring->path);
	}
	ret = kvfs_ring_parse_meta(first, sizeof(first), &ring->meta, err);
	if (ret < 0) {
		munmap(meta, page);
		return kvfs_err_prefix(err, "%s", ring->path);
	}
	ring->len = kvfs_ring_len(&ring->meta);
	mem = map(ring->fd, ring->len);
	if (mem == MAP_FAILED)
		ret = kvfs_err_sys(err, errno, "cannot map %zu bytes of %s", ring->len, ring->path);
	else
		ring->mem = mem;
	munmap(meta, page);
	return ret;
}

int ring_open_live(struct ring *ring, const char *path, int cpu, struct kvfs_err *err)
{
	int ret = open_file(ring, path, cpu, O_NONBLOCK, err);

	if (ret < 0)
		return ret;
	ring->live = true;
	ret = map_live(ring, err);
	if (ret == 0) {
		/* In mode copy a page fault fetches that page and no others. */
		madvise((void *)ring->mem, ring->len, MADV_RANDOM);
		ret = begin(ring, ring->meta.reader.id, ring->meta.reader.read);
		ring->lost = false;
		if (ret < 0)
			kvfs_err_set(err, -ret, "%s: the reader's sub-buffer is broken", path);
	}
	if (ret < 0)
		ring_close(ring);
	return ret;
}

int ring_open_saved(struct ring *ring, const char *path, int cpu, struct kvfs_err *err)
{
	struct stat st;
	int ret = open_file(ring, path, cpu, 0, err);

	if (ret < 0)
		return ret;
	if (fstat(ring->fd, &st) < 0)
		ret = kvfs_err_sys(err, errno, "%s", path);
	else if (st.st_size < (off_t)sizeof(ring->meta))
		ret = kvfs_err_set(err, EBADMSG, "%s: %lld bytes are no ring", path, (long long)st.st_size);
	if (ret == 0) {
		ring->len = st.st_size;
		ring->mem = mmap(NULL, ring->len, PROT_READ, MAP_PRIVATE, ring->fd, 0);
		if (ring->mem == MAP_FAILED) {
			ring->mem = NULL;
			ret = kvfs_err_sys(err, errno, "cannot map %s", path);
		}
	}
	if (ret == 0) {
		ret = kvfs_ring_parse_meta(ring->mem, ring->len, &ring->meta, err);
		if (ret < 0)
			kvfs_err_prefix(err, "%s", path);
	}
	if (ret == 0 && kvfs_ring_len(&ring->meta) > ring->len)
		ret = kvfs_err_set(err, EBADMSG, "%s is cut off: %zu bytes of %llu", path, ring->len,
				   (unsigned long long)kvfs_ring_len(&ring->meta));
	if (ret == 0) {
		ring->order = calloc(ring->meta.nr_subbufs, sizeof(*ring->order));
		if (!ring->order)
			ret = kvfs_err_sys(err, ENOMEM, "%s", path);
	}
	if (ret == 0)
		ring->nr_order = kvfs_ring_order(ring->mem, ring->len, &ring->meta, ring->order);
	if (ret < 0)
		ring_close(ring);
	return ret;
}

void ring_close(struct ring *ring)
{
	free(ring->order);
	if (ring->mem)
		munmap((void *)ring->mem, ring->len);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->order = NULL;
	ring->mem = NULL;
	ring->fd = -1;
}

static int fill_saved(struct ring *ring)
{
	while (!ring->pending && ring->next_order < ring->nr_order) {
		uint32_t id = ring->order[ring->next_order++];

		if (begin(ring, id, id == ring->meta.reader.id ? ring->meta.reader.read : 0) < 0) {
			ring->broken = true;
			continue;
		}
		ring_advance(ring);
	}
	return ring->pending;
}

/*
 * GET_READER counts as read all that the reader's sub-buffer holds, and moves on to the next one
 * if nothing is left. The meta page then has the sub-buffer and how far it was read. The cursor
 * ends there: what is committed later is for the next call, so no event comes twice. GET_READER
 * may take padding alone, so the ring is empty only if it took nothing.
 */
static int fill_live(struct ring *ring)
{
	const volatile struct kvfs_ring_meta *meta = (const void *)ring->mem;
	bool new_subbuf, took;

	do {
		uint32_t id, read;
		int ret = 0;

		if (ioctl(ring->fd, KVFS_RING_GET_READER) < 0)
			return -errno;
		id = meta->reader.id;
		read = meta->reader.read;
		if (id >= ring->meta.nr_subbufs || read > ring->meta.subbuf_size - KVFS_RING_HDR_LEN)
			return -EBADMSG;
		/* A reset of the ring (`echo > trace`) leaves the reader on its sub-buffer. */
		new_subbuf = id != ring->id || read < ring->cursor.pos || time_stamp(ring, id) != ring->time_stamp;
		took = new_subbuf || read > ring->cursor.pos;
		/* An empty sub-buffer begins with the first event, too. */
		if (new_subbuf || ring->cursor.pos == 0)
			ret = begin(ring, id, 0);
		if (ret < 0)
			return ret;
		ring->cursor.end = read;
		ring_advance(ring);
	} while (!ring->pending && took && !ring->broken);
	return ring->broken ? -EBADMSG : ring->pending;
}

int ring_fill(struct ring *ring)
{
	if (ring->pending)
		return 1;
	return ring->live ? fill_live(ring) : fill_saved(ring);
}
