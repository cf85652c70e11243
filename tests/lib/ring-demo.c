// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring-demo RING - makes the same calls as the example in the kernel's
 * Documentation/trace/ring-buffer-map.rst: opens the ring, maps the meta page and prints its
 * counters, maps the data, and moves the reader on until it stays where it is.
 *
 * RING is trace_pipe_raw or trace/cpuN: both must print the same. To show that the right data is
 * mapped it also prints the texts "event-N" of the events it passes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/ring.h"

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_counters(const volatile struct kvfs_ring_meta *meta)
{
	printf("entries %lu, overrun %lu, read %lu, lost %lu\n", (unsigned long)meta->entries,
	       (unsigned long)meta->overrun, (unsigned long)meta->read,
	       (unsigned long)meta->reader.lost_events);
}

static void print_events(const char *subbuf, uint32_t size, uint32_t from, uint32_t to)
{
	struct kvfs_ring_cursor cursor;
	struct kvfs_ring_event event;

	if (kvfs_ring_first(subbuf, size, &cursor) < 0 || kvfs_ring_seek(&cursor, from) < 0)
		return;
	cursor.end = to;
	while (kvfs_ring_next(&cursor, &event) > 0) {
		const char *text = memmem(event.data, event.len, "event-", 6);
		unsigned int number;

		if (text && sscanf(text, "event-%u", &number) == 1)
			printf(" event-%u-", number);
	}
}

static void follow(int fd, const volatile struct kvfs_ring_meta *meta, const char *data)
{
	uint32_t read = meta->reader.read, id;

	do {
		id = meta->reader.id;
		if (ioctl(fd, KVFS_RING_GET_READER) < 0)
			die("GET_READER");
		if (meta->reader.id != id)
			read = 0;
		printf("sub-buffer %u of %u:", meta->reader.id, meta->nr_subbufs);
		print_events(data + (size_t)meta->reader.id * meta->subbuf_size, meta->subbuf_size, read,
			     meta->reader.read);
		printf("\n");
		print_counters(meta);
		read = meta->reader.read;
	} while (meta->reader.id != id);
}

int main(int argc, char *argv[])
{
	size_t page = sysconf(_SC_PAGESIZE), meta_len, data_len;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_NONBLOCK) : -1;
	const volatile struct kvfs_ring_meta *meta;
	const char *data;

	if (fd < 0)
		die("open");
	meta = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	if (meta == MAP_FAILED)
		die("mmap of the meta page");
	print_counters(meta);
	meta_len = meta->meta_page_size;
	data_len = (size_t)meta->subbuf_size * meta->nr_subbufs;
	data = mmap(NULL, data_len, PROT_READ, MAP_SHARED, fd, (off_t)meta_len);
	if (data == MAP_FAILED)
		die("mmap of the data");
	follow(fd, meta, data);
	if (munmap((void *)data, data_len) < 0 || munmap((void *)meta, page) < 0)
		die("munmap");
	close(fd);
	return 0;
}
