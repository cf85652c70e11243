/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mappings of a process: with PROCMAP_QUERY, one ioctl(2) a mapping, where the kernel has it
 * (Linux 6.11), else by parsing the text of /proc/N/maps.
 */
#ifndef KVFS_PID_MAPS_H
#define KVFS_PID_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kvfs_mapping_kind {
	KVFS_MAPPING_ANON,	/* without a file: heap, stack, MAP_ANONYMOUS|MAP_PRIVATE */
	KVFS_MAPPING_FILE,	/* of a file of any type; shared anonymous memory has one (shmem) */
	KVFS_MAPPING_SPECIAL,	/* made by the kernel, without a file: [vdso], [vvar] */
};

struct kvfs_mapping {
	uint64_t start;		/* address of the first byte */
	uint64_t end;		/* exclusive */
	uint64_t file_off;	/* FILE: byte offset in the file of start */
	uint64_t inode;		/* FILE: as in /proc/N/maps */
	uint32_t dev_major;
	uint32_t dev_minor;
	enum kvfs_mapping_kind kind;
	bool shared;		/* MAP_SHARED */
};

/*
 * Parses one line of /proc/N/maps, with or without its newline. Returns 0, or -EINVAL if the text
 * is no such line or its range is empty. Pure.
 */
int kvfs_maps_parse_line(const char *line, size_t len, struct kvfs_mapping *out);

struct kvfs_maps;		/* opaque; for one thread at a time */

/*
 * Opens the mappings of the address space that the process has now. procdir is borrowed for this
 * call only. parse: do not use PROCMAP_QUERY. Returns 0 and an object to be closed, -ESRCH if the
 * process has gone or has no address space, or -errno.
 */
int kvfs_maps_open(int procdir, bool parse, struct kvfs_maps **out);
void kvfs_maps_close(struct kvfs_maps *maps);	/* NULL is allowed */

/*
 * Finds the first mapping that ends beyond addr: it contains addr or follows it. Returns 1, 0 if
 * there is none, -ESRCH if the address space has gone, or -errno. Where the text is parsed, a
 * lower addr than that of the last call reads it from the start.
 */
int kvfs_maps_find(struct kvfs_maps *maps, uint64_t addr, struct kvfs_mapping *out);

/* Bytes; the smallest hole in a file is one aligned block of this size: st_blksize. */
#define KVFS_MAPS_BLOCK 4096

/*
 * lseek(2) with SEEK_DATA and SEEK_HOLE in a file that holds entry_len bytes for each of the first
 * nr_pages pages and has data where there are mappings. A gap between mappings is a hole only if a
 * whole block of the file lies in it: file systems have no smaller holes, and a copy would consist
 * of many short runs. Returns 0 and *out, -ENXIO at or past the end, or for SEEK_DATA with no data
 * left, -EINVAL for any other whence, or as kvfs_maps_find().
 */
int kvfs_maps_seek(struct kvfs_maps *maps, uint64_t nr_pages, size_t entry_len,
		   uint64_t off, int whence, uint64_t *out);

/*
 * Tells whether the kernel has PROCMAP_QUERY: probed once, on this process. false also while
 * there are no descriptors or memory to probe with.
 */
bool kvfs_maps_can_query(void);

#endif /* KVFS_PID_MAPS_H */
