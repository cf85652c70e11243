// SPDX-License-Identifier: GPL-2.0-only
#include "dump/flattened.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* makedumpfile.h: numbers are big-endian whatever the machine. */
#define SIGNATURE "makedumpfile"
#define HEADER_LEN 4096		/* bytes; what follows struct header is zeros */
#define TYPE_FLAT 1
#define END_FLAG UINT64_MAX	/* in off and len of the last piece, which has no bytes */

struct header {
	char signature[16];
	uint64_t type;
	uint64_t version;
};
_Static_assert(sizeof(struct header) == KVFS_FLATTENED_HEAD_LEN, "the header of the stream");

struct piece {
	uint64_t off;		/* in the dump */
	uint64_t len;		/* of the bytes that follow */
};

#define BUF_LEN (1024 * 1024)

bool kvfs_flattened_is(const void *head)
{
	struct header h;

	memcpy(&h, head, sizeof(h));
	return memcmp(h.signature, SIGNATURE, sizeof(SIGNATURE)) == 0 && be64toh(h.type) == TYPE_FLAT;
}

static int write_all(int fd, const char *buf, size_t len, uint64_t off)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

/* Copies len bytes, which were checked to be in the file. */
static int copy_piece(int in, uint64_t in_off, int out, uint64_t out_off, uint64_t len, char *buf)
{
	while (len > 0) {
		size_t n = len < BUF_LEN ? (size_t)len : BUF_LEN;
		int ret = kvfs_io_pread_exact(in, buf, n, in_off);

		if (ret == 0)
			ret = write_all(out, buf, n, out_off);
		if (ret < 0)
			return ret;
		in_off += n;
		out_off += n;
		len -= n;
	}
	return 0;
}

int kvfs_flattened_unfold(int in, const char *name, uint64_t file_len, int out, uint64_t *cut,
			  kvfs_progress_fn progress, void *arg, struct kvfs_err *err)
{
	_cleanup_free_ char *buf = malloc(BUF_LEN);
	uint64_t pos = HEADER_LEN;

	if (!buf)
		return kvfs_err_sys(err, ENOMEM, "%s", name);
	*cut = 0;
	for (;;) {
		struct piece piece;
		uint64_t off, len, left;
		int ret;

		if (pos > file_len || file_len - pos < sizeof(piece))
			break;
		ret = kvfs_io_pread_exact(in, &piece, sizeof(piece), pos);
		if (ret < 0)
			return kvfs_err_sys(err, -ret, "cannot read %s at 0x%" PRIx64, name, pos);
		off = be64toh(piece.off);
		len = be64toh(piece.len);
		if (off == END_FLAG && len == END_FLAG)
			return 0;
		if (len == 0 || len > INT64_MAX || off > INT64_MAX - len)
			return kvfs_err_set(err, EBADMSG, "%s: the piece at 0x%" PRIx64 " claims 0x%" PRIx64
					    " bytes of the dump at 0x%" PRIx64, name, pos, len, off);
		pos += sizeof(piece);
		left = file_len - pos;
		ret = copy_piece(in, pos, out, off, len < left ? len : left, buf);
		if (ret < 0)
			return kvfs_err_sys(err, -ret, "cannot put %s in order", name);
		if (len > left)
			break;
		pos += len;
		if (progress)
			progress(arg, pos, file_len);
	}
	*cut = file_len;
	return 0;
}
