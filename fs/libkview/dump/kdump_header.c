// SPDX-License-Identifier: GPL-2.0-only
#include "dump/kdump_header.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/checked.h"
#include "base/io.h"

/* As a little-endian 64-bit kernel's makedumpfile writes it; block 0 of the file. */
struct header {
	char signature[KVFS_KDUMP_HEADER_MAGIC_LEN];
	uint32_t version;
	char sysname[65];
	char nodename[65];
	char release[65];
	char uts_version[65];
	char machine[65];
	char domainname[65];
	char pad[6];
	uint64_t timestamp[2];
	uint32_t status;
	int32_t block_size;
	int32_t sub_header_blocks;
	uint32_t map_blocks;		/* of both bitmaps */
	uint32_t max_mapnr;
	uint32_t total_ram_blocks;
	uint32_t device_blocks;
	uint32_t written_blocks;
	uint32_t current_cpu;
	int32_t nr_cpus;
};
_Static_assert(sizeof(struct header) == 464, "the header has no holes but the one named");

/* Block 1 of the file. */
struct sub_header {
	uint64_t phys_base;
	int32_t dump_level;
	int32_t split;			/* version 2 */
	uint64_t start_pfn_old, end_pfn_old;	/* version 2 */
	uint64_t vmcoreinfo_off, vmcoreinfo_len;	/* version 3 */
	uint64_t notes_off, notes_len;	/* version 4 */
	uint64_t erase_off, erase_len;	/* version 5 */
	uint64_t start_pfn, end_pfn;	/* version 6 */
	uint64_t max_mapnr;		/* version 6 */
};
_Static_assert(sizeof(struct sub_header) == 104, "the sub header has no holes");

#define STATUS_INCOMPLETE (1U << 3)

#define MIN_PAGE_SIZE 4096
#define MAX_PAGE_SIZE 65536

/* A file whose headers are being loaded. */
struct input {
	int fd;
	const char *name;
	uint64_t file_len;
	struct kvfs_err *err;
};

static int read_part(const struct input *in, const char *what, void *buf, size_t len, uint64_t off)
{
	ssize_t n = kvfs_io_pread(in->fd, buf, len, off);

	if (n < 0)
		return kvfs_err_sys(in->err, (int)-n, "cannot read the %s of %s", what, in->name);
	if ((size_t)n < len)
		return kvfs_err_set(in->err, ENODATA, "%s is truncated: it ends at 0x%" PRIx64
				    ", inside its %s", in->name, in->file_len, what);
	return 0;
}

static bool is_page_size(uint32_t size)
{
	return size >= MIN_PAGE_SIZE && size <= MAX_PAGE_SIZE && (size & (size - 1)) == 0;
}

static int load_header(const struct input *in, struct header *h)
{
	uint32_t block_size;
	int ret;

	ret = read_part(in, "header", h, sizeof(*h), 0);
	if (ret < 0)
		return ret;
	if (memcmp(h->signature, KVFS_KDUMP_HEADER_MAGIC, KVFS_KDUMP_HEADER_MAGIC_LEN) != 0)
		return kvfs_err_set(in->err, ENOEXEC, "%s is not kdump-compressed", in->name);
	block_size = le32toh((uint32_t)h->block_size);
	if (is_page_size(block_size) && (int32_t)le32toh((uint32_t)h->sub_header_blocks) >= 1)
		return 0;
	if (is_page_size(be32toh((uint32_t)h->block_size)))
		return kvfs_err_set(in->err, ENOEXEC, "%s was made on a big-endian machine, which is not supported", in->name);
	/* On a 32-bit machine the time stamp is 8 bytes and its padding 4 bytes shorter. */
	if (is_page_size((uint32_t)le64toh(h->timestamp[1])))
		return kvfs_err_set(in->err, ENOEXEC, "%s was made on a 32-bit machine, which is not supported", in->name);
	return kvfs_err_set(in->err, EBADMSG, "%s: its header has the page size %" PRIu32, in->name, block_size);
}

/* Sets *out_off and *out_len to [off, off + len) if that is in the file; leaves them if len is 0. */
static int take_notes(const struct input *in, const char *what, uint64_t off, uint64_t len,
		      uint64_t *out_off, uint64_t *out_len)
{
	uint64_t end;

	if (len == 0)
		return 0;
	if (len > KVFS_KDUMP_HEADER_NOTES_MAX || !kvfs_add_u64(off, len, &end) || end > INT64_MAX)
		return kvfs_err_set(in->err, EBADMSG, "%s claims 0x%" PRIx64 " bytes of %s at 0x%" PRIx64,
				    in->name, len, what, off);
	if (end > in->file_len)
		return kvfs_err_set(in->err, ENODATA, "%s is truncated: its %s should end at 0x%" PRIx64
				    " but the file ends at 0x%" PRIx64, in->name, what, end, in->file_len);
	*out_off = off;
	*out_len = len;
	return 0;
}

static int load_sub_header(const struct input *in, const struct header *h,
			   struct kvfs_kdump_header *out)
{
	uint32_t version = le32toh(h->version);
	struct sub_header s;
	int ret;

	out->nr_pfns = le32toh(h->max_mapnr);
	out->end_pfn = KVFS_PFN_MAX;
	if (version > INT32_MAX)
		return kvfs_err_set(in->err, EBADMSG, "%s: its header has the version %" PRIu32, in->name, version);
	if (version < 1)
		return 0;
	ret = read_part(in, "sub header", &s, sizeof(s), out->page_size);
	if (ret < 0)
		return ret;
	out->split = version >= 2 && s.split;
	if (out->split) {
		out->start_pfn = le64toh(version >= 6 ? s.start_pfn : s.start_pfn_old);
		out->end_pfn = le64toh(version >= 6 ? s.end_pfn : s.end_pfn_old);
		if (out->start_pfn > out->end_pfn)
			return kvfs_err_set(in->err, EBADMSG, "%s is the part from PFN 0x%" PRIx64 " to 0x%" PRIx64,
					    in->name, out->start_pfn, out->end_pfn);
	}
	if (version >= 6)
		out->nr_pfns = le64toh(s.max_mapnr);
	if (version >= 4)
		ret = take_notes(in, "notes", le64toh(s.notes_off), le64toh(s.notes_len),
				 &out->notes_off, &out->notes_len);
	if (ret == 0 && version >= 3)
		ret = take_notes(in, "VMCOREINFO", le64toh(s.vmcoreinfo_off), le64toh(s.vmcoreinfo_len),
				 &out->vmcoreinfo_off, &out->vmcoreinfo_len);
	return ret;
}

static int place_maps(const struct input *in, const struct header *h, struct kvfs_kdump_header *out)
{
	/* Cannot overflow: block counts have 32 bits, the bytes of a block 17. */
	uint64_t head_blocks = 1 + (uint64_t)le32toh((uint32_t)h->sub_header_blocks);
	uint64_t blocks = le32toh(h->map_blocks);

	out->ram_map_off = head_blocks * out->page_size;
	out->map_len = blocks / 2 * out->page_size;
	out->dumped_map_off = out->ram_map_off + out->map_len;
	out->descs_off = out->ram_map_off + blocks * out->page_size;
	if (blocks > INT32_MAX || out->nr_pfns == 0 || (out->nr_pfns - 1) / 8 >= out->map_len)
		return kvfs_err_set(in->err, EBADMSG, "%s: bitmaps of %" PRIu64 " blocks do not cover its %" PRIu64 " pages",
				    in->name, blocks, out->nr_pfns);
	if (out->descs_off > in->file_len)
		return kvfs_err_set(in->err, ENODATA, "%s is truncated: its page descriptors should begin at 0x%" PRIx64
				    " but the file ends at 0x%" PRIx64, in->name, out->descs_off, in->file_len);
	return 0;
}

/* Copies a string of the header, which may lack its NUL. */
static void copy_name(char out[65], const char in[65])
{
	memcpy(out, in, 64);
	out[64] = '\0';
	for (char *c = out; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

int kvfs_kdump_header_load(int fd, const char *name, uint64_t file_len, struct kvfs_kdump_header *out,
			   struct kvfs_err *err)
{
	const struct input in = { .fd = fd, .name = name, .file_len = file_len, .err = err };
	struct kvfs_kdump_header head = { 0 };
	struct header h;
	int ret;

	ret = load_header(&in, &h);
	if (ret < 0)
		return ret;
	head.page_size = le32toh((uint32_t)h.block_size);
	head.incomplete = le32toh(h.status) & STATUS_INCOMPLETE;
	copy_name(head.machine, h.machine);
	copy_name(head.release, h.release);
	ret = load_sub_header(&in, &h, &head);
	if (ret == 0)
		ret = place_maps(&in, &h, &head);
	if (ret == 0)
		*out = head;
	return ret;
}

int kvfs_kdump_desc_check(const struct kvfs_kdump_desc *desc, uint32_t page_size,
			  uint64_t file_len)
{
	uint64_t off = le64toh(desc->off);
	uint32_t len = le32toh(desc->len);
	uint32_t how = le32toh(desc->flags) & KVFS_KDUMP_DESC_METHODS;
	uint64_t end;

	if ((how & (how - 1)) != 0 || len == 0 || len > page_size || (!how && len != page_size))
		return -EBADMSG;
	if (!kvfs_add_u64(off, len, &end) || end > INT64_MAX)
		return -EBADMSG;
	return end <= file_len ? 0 : -ENODATA;
}
