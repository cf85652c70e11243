/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mappings of a process: by PROCMAP_QUERY, one ioctl(2) a mapping and no text, where the
 * kernel has it (Linux 6.11), else by parsing /proc/N/maps.
 */
#ifndef KVFS_PID_MAPS_H
#define KVFS_PID_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kvfs_mapping_kind {
	KVFS_MAPPING_ANON,	/* memory without a file: heap, stack, MAP_ANONYMOUS|MAP_PRIVATE */
	KVFS_MAPPING_FILE,	/* of a file of any type; shared anonymous memory has one too */
	KVFS_MAPPING_SPECIAL,	/* of the kernel's own making and without a file: [vdso], [vvar] */
};

struct kvfs_mapping {
	uint64_t start;		/* address of the first byte */
	uint64_t end;		/* exclusive */
	uint64_t file_off;	/* FILE: offset in the file of start, bytes */
	uint64_t inode;		/* FILE: as in /proc/N/maps */
	uint32_t dev_major;
	uint32_t dev_minor;
	enum kvfs_mapping_kind kind;
	bool shared;		/* MAP_SHARED */
};

/*
 * Parses one line of /proc/N/maps, with or without its newline. Returns 0, or -EINVAL if it
 * is no such line or its range is empty. Pure.
 */
int kvfs_maps_parse_line(const char *line, size_t len, struct kvfs_mapping *out);

struct kvfs_maps;		/* one reader's; opaque; not for several threads at once */

/*
 * Begins to read the mappings of the address space that the process has now. procdir is
 * borrowed for this call only. parse: do not try PROCMAP_QUERY. Returns 0 and a reader to be
 * closed, -ESRCH if the process has gone or has no address space, or -errno.
 */
int kvfs_maps_open(int procdir, bool parse, struct kvfs_maps **out);
void kvfs_maps_close(struct kvfs_maps *maps);	/* NULL is allowed */

/*
 * The first mapping that ends beyond addr: it contains addr or follows it. Returns 1, 0 if
 * there is none, -ESRCH if the address space has gone, or -errno. Ascending addresses are
 * cheap; where the text is parsed, going back reads it anew.
 */
int kvfs_maps_find(struct kvfs_maps *maps, uint64_t addr, struct kvfs_mapping *out);

/* Bytes of a file of which a hole has one at least: st_blksize. */
#define KVFS_MAPS_BLOCK 4096

/*
 * lseek(2) with SEEK_DATA and SEEK_HOLE in a file that holds entry_len bytes for each of the
 * first nr_pages pages, with data where there are mappings. Both begin and end where mappings do;
 * but a gap without a whole block of the file in it does not end the data, as a file system
 * would have no room for a hole there, and a copy would be made of crumbs. Returns 0 and *out,
 * -ENXIO at or past the end, or for SEEK_DATA with no data left, -EINVAL for any other whence,
 * or as kvfs_maps_find().
 */
int kvfs_maps_seek(struct kvfs_maps *maps, uint64_t nr_pages, size_t entry_len,
		   uint64_t off, int whence, uint64_t *out);

/*
 * Tells whether the kernel has PROCMAP_QUERY: probed once, on this process. false also while
 * there are no descriptors or memory to probe with.
 */
bool kvfs_maps_can_query(void);

#endif /* KVFS_PID_MAPS_H */
