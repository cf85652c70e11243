// SPDX-License-Identifier: GPL-2.0-only
#include "pid/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/number.h"
#include "base/once.h"
#include "pid/process.h"

/*
 * struct procmap_query of linux/fs.h, Linux 6.11, for builds against older headers. It carries its
 * size, so that kernels with more fields accept it.
 */
struct procmap_query_v1 {
	__u64 size;
	__u64 query_flags;
	__u64 query_addr;
	__u64 vma_start;
	__u64 vma_end;
	__u64 vma_flags;
	__u64 vma_page_size;
	__u64 vma_offset;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 vma_name_size;
	__u32 build_id_size;
	__u64 vma_name_addr;
	__u64 build_id_addr;
};

#define PROCMAP_QUERY_V1 _IOWR('f', 17, struct procmap_query_v1)
#define QUERY_COVERING_OR_NEXT 0x10
#define VMA_SHARED 0x08

#define TEXT_LEN 16384		/* bytes: several lines, each up to a page and 80 bytes long */
#define NAME_LEN 256		/* bytes: names of mappings without a file have at most 80 */

struct kvfs_maps {
	int fd;
	bool query;
	/* Below: for parsing only. */
	uint64_t seen;		/* no mapping in the text before pos ends beyond this address */
	size_t pos, len;	/* bytes of text that are parsed, and that are read */
	bool eof;
	char text[];
};

/* Tells whether a name is that of a mapping which the kernel makes: [vdso], [vvar] and the like. */
static bool is_special_name(const char *name, size_t len)
{
	static const char *const anon[] = { "[heap]", "[stack", "[anon:" };

	if (len == 0 || name[0] != '[')
		return false;
	for (size_t i = 0; i < sizeof(anon) / sizeof(anon[0]); i++)
		if (len >= strlen(anon[i]) && memcmp(name, anon[i], strlen(anon[i])) == 0)
			return false;
	return true;
}

static enum kvfs_mapping_kind kind_of(const struct kvfs_mapping *m, const char *name, size_t len)
{
	if (m->dev_major || m->dev_minor || m->inode)
		return KVFS_MAPPING_FILE;
	return is_special_name(name, len) ? KVFS_MAPPING_SPECIAL : KVFS_MAPPING_ANON;
}

static bool take_hex(const char **p, const char *end, char delimiter, uint64_t max, uint64_t *out)
{
	return kvfs_number_take_until(p, end, 16, delimiter, max, out) == 0;
}

int kvfs_maps_parse_line(const char *line, size_t len, struct kvfs_mapping *out)
{
	const char *p = line, *end = line + len;
	uint64_t major, minor;

	if (len && end[-1] == '\n')
		end--;
	memset(out, 0, sizeof(*out));
	if (!take_hex(&p, end, '-', UINT64_MAX, &out->start) || !take_hex(&p, end, ' ', UINT64_MAX, &out->end))
		return -EINVAL;
	if (out->start >= out->end || end - p < 5 || p[4] != ' ' || (p[3] != 's' && p[3] != 'p'))
		return -EINVAL;
	out->shared = p[3] == 's';
	p += 5;
	if (!take_hex(&p, end, ' ', UINT64_MAX, &out->file_off) ||
	    !take_hex(&p, end, ':', UINT32_MAX, &major) || !take_hex(&p, end, ' ', UINT32_MAX, &minor))
		return -EINVAL;
	out->dev_major = (uint32_t)major;
	out->dev_minor = (uint32_t)minor;
	if (kvfs_number_take(&p, end, 10, UINT64_MAX, &out->inode) < 0 || (p < end && *p != ' '))
		return -EINVAL;
	while (p < end && *p == ' ')
		p++;
	out->kind = kind_of(out, p, (size_t)(end - p));
	return 0;
}

/* Asks for the first mapping that ends beyond addr, with its name unless name is NULL. */
static int query_once(int fd, uint64_t addr, char *name, struct procmap_query_v1 *q)
{
	memset(q, 0, sizeof(*q));
	q->size = sizeof(*q);
	q->query_flags = QUERY_COVERING_OR_NEXT;
	q->query_addr = addr;
	if (name) {
		q->vma_name_addr = (__u64)(uintptr_t)name;
		q->vma_name_size = NAME_LEN;
	}
	if (ioctl(fd, PROCMAP_QUERY_V1, q) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

static int find_by_query(struct kvfs_maps *maps, uint64_t addr, struct kvfs_mapping *out)
{
	struct procmap_query_v1 q;
	char name[NAME_LEN] = "";
	bool has_file;
	int ret;

	/*
	 * Asks for a name only if there is no file, because a path may be long. The mapping may
	 * change between the two queries; the second answer is then as good as the first, unless
	 * it is a file whose path does not fit (ENAMETOOLONG).
	 */
	ret = query_once(maps->fd, addr, NULL, &q);
	if (ret <= 0)
		return ret;
	has_file = q.dev_major || q.dev_minor || q.inode;
	if (!has_file) {
		struct procmap_query_v1 named;

		ret = query_once(maps->fd, addr, name, &named);
		if (ret == 1)
			q = named;
		else if (ret != -ENAMETOOLONG)
			return ret;
	}
	out->start = q.vma_start;
	out->end = q.vma_end;
	out->file_off = q.vma_offset;
	out->inode = q.inode;
	out->dev_major = q.dev_major;
	out->dev_minor = q.dev_minor;
	out->shared = q.vma_flags & VMA_SHARED;
	out->kind = kind_of(out, name, q.vma_name_size ? strnlen(name, sizeof(name)) : 0);
	return 1;
}

static int probe_query(void)
{
	_cleanup_close_ int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct procmap_query_v1 q;
	int ret = fd < 0 ? -errno : query_once(fd, 0, NULL, &q);

	return kvfs_err_is_shortage(ret) ? ret : ret == 1;
}

bool kvfs_maps_can_query(void)
{
	static struct kvfs_once once = KVFS_ONCE_INIT;

	return kvfs_once(&once, probe_query) > 0;
}

int kvfs_maps_open(int procdir, bool parse, struct kvfs_maps **out)
{
	_cleanup_close_ int fd = kvfs_process_openat(procdir, "maps", O_RDONLY);
	bool query = !parse && kvfs_maps_can_query();
	struct kvfs_maps *maps;

	if (fd < 0)
		return fd;
	maps = calloc(1, sizeof(*maps) + (query ? 0 : TEXT_LEN));
	if (!maps)
		return -ENOMEM;
	maps->fd = kvfs_steal_fd(&fd);
	maps->query = query;
	*out = maps;
	return 0;
}

void kvfs_maps_close(struct kvfs_maps *maps)
{
	if (!maps)
		return;
	close(maps->fd);
	free(maps);
}

/* Gets the next whole line of the text: 1, 0 at the end, or -errno. */
static int next_line(struct kvfs_maps *maps, const char **line, size_t *len)
{
	for (;;) {
		char *at = maps->text + maps->pos;
		char *newline = memchr(at, '\n', maps->len - maps->pos);
		ssize_t n;

		if (newline) {
			*line = at;
			*len = (size_t)(newline - at);
			maps->pos += *len + 1;
			return 1;
		}
		if (maps->eof)
			return maps->pos == maps->len ? 0 : -EINVAL;
		memmove(maps->text, at, maps->len - maps->pos);
		maps->len -= maps->pos;
		maps->pos = 0;
		if (maps->len == TEXT_LEN)
			return -EINVAL;
		do {
			n = read(maps->fd, maps->text + maps->len, TEXT_LEN - maps->len);
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
		maps->eof = n == 0;
		maps->len += (size_t)n;
	}
}

static int find_by_text(struct kvfs_maps *maps, uint64_t addr, struct kvfs_mapping *out)
{
	const char *line = NULL;
	size_t len = 0;
	int ret;

	if (addr < maps->seen) {
		if (lseek(maps->fd, 0, SEEK_SET) < 0)
			return -errno;
		maps->pos = maps->len = 0;
		maps->seen = 0;
		maps->eof = false;
	}
	while ((ret = next_line(maps, &line, &len)) == 1) {
		ret = kvfs_maps_parse_line(line, len, out);
		if (ret < 0)
			return ret;
		if (out->end > addr) {
			maps->pos -= len + 1;	/* the next call may need the same line */
			maps->seen = addr;
			return 1;
		}
	}
	maps->seen = addr;
	return ret;
}

int kvfs_maps_find(struct kvfs_maps *maps, uint64_t addr, struct kvfs_mapping *out)
{
	return maps->query ? find_by_query(maps, addr, out) : find_by_text(maps, addr, out);
}

/* Like kvfs_maps_find(), but sets only start and end. */
static int find_place(struct kvfs_maps *maps, uint64_t addr, struct kvfs_mapping *out)
{
	struct procmap_query_v1 q;
	int ret;

	if (!maps->query)
		return find_by_text(maps, addr, out);
	ret = query_once(maps->fd, addr, NULL, &q);
	if (ret == 1) {
		out->start = q.vma_start;
		out->end = q.vma_end;
	}
	return ret;
}

/* Tells whether a whole block lies in [start, end) of a file. */
static bool has_block(uint64_t start, uint64_t end)
{
	uint64_t first = (start + KVFS_MAPS_BLOCK - 1) / KVFS_MAPS_BLOCK * KVFS_MAPS_BLOCK;

	return first < end && end - first >= KVFS_MAPS_BLOCK;
}

/* Finds the end of the data that begins with map; addresses from limit on are past the file. */
static int end_of_data(struct kvfs_maps *maps, struct kvfs_mapping *map, uint64_t limit,
		       uint64_t page_size, size_t entry_len, uint64_t *end)
{
	int ret = 1;

	*end = map->end;
	while (*end < limit) {
		ret = find_place(maps, *end, map);
		if (ret <= 0 || map->start >= limit ||
		    has_block(*end / page_size * entry_len, map->start / page_size * entry_len))
			break;
		*end = map->end;
	}
	return ret < 0 ? ret : 0;
}

int kvfs_maps_seek(struct kvfs_maps *maps, uint64_t nr_pages, size_t entry_len,
		   uint64_t off, int whence, uint64_t *out)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t size = nr_pages * entry_len, limit = nr_pages * page_size;
	uint64_t addr = off / entry_len * page_size, end;
	struct kvfs_mapping map;
	int ret;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (off >= size)
		return -ENXIO;
	ret = find_place(maps, addr, &map);
	if (ret < 0)
		return ret;
	if (ret == 0 || map.start >= limit)
		map.start = map.end = limit;
	if (whence == SEEK_DATA) {
		if (map.start == limit)
			return -ENXIO;
		*out = map.start <= addr ? off : map.start / page_size * entry_len;
		return 0;
	}
	if (map.start > addr) {
		*out = off;
		return 0;
	}
	ret = end_of_data(maps, &map, limit, page_size, entry_len, &end);
	if (ret < 0)
		return ret;
	*out = end < limit ? end / page_size * entry_len : size;
	return 0;
}
