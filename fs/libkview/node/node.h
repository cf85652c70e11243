/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node is a directory, a file or a symbolic link of the tree. A view is a file that shows
 * memory. The rooms of the mount implement nodes; the FUSE front end and kview.c use them, and
 * neither side knows more of the other than this header.
 *
 * Numbers. Each node has an ino. It identifies what is shown: it is st_ino, the number in
 * directory listings, and the node id of FUSE (fuse/inode.c). Two nodes with the same ino must
 * show the same bytes at all times, because the front end keeps only one of them. The top 16 bits
 * are the provider's number; the provider assigns the lower 48.
 *
 * Locking. A node does not change after its creation, except for members that it locks itself.
 * Any number of threads may call any operation at once. An operation blocks no longer than its
 * source does. No lock of the caller is held, except at backing().
 *
 * Errors. Operations return 0 or -errno, counts as ssize_t. No operation returns -ENOSYS, because
 * FUSE would not send that request again, for any file. The text of a struct kvfs_err reaches the
 * user in `status` and in the attribute user.kview.reason.
 */
#ifndef KVFS_NODE_NODE_H
#define KVFS_NODE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* How a file is served; docs/architecture.md has the table. */
enum kvfs_mode {
	KVFS_MODE_COPY,		/* the daemon answers each read */
	KVFS_MODE_DIRECT,	/* reads and mappings go to the backing file */
	KVFS_MODE_SPLIT,	/* mappings go to the backing file, reads to the daemon */
	KVFS_MODE_CACHED,	/* the daemon fills the kernel's page cache, which is kept */
};

/* Returns "copy", "direct", "split" or "cached", as `status` and user.kview.mode have it. */
const char *kvfs_mode_name(enum kvfs_mode mode);

/* Provider numbers: bits 48 to 63 of an ino. */
enum kvfs_provider {
	KVFS_PROVIDER_INFO,	/* ino 1 is the root */
	KVFS_PROVIDER_KCORE,
	KVFS_PROVIDER_PID,
	KVFS_PROVIDER_TRACE,
	KVFS_PROVIDER_VMCORE,
};

#define KVFS_INO(provider, nr) (((uint64_t)(provider) << 48) | ((uint64_t)(nr) & ((1ULL << 48) - 1)))
#define KVFS_INO_PROVIDER(ino) ((uint64_t)(ino) >> 48)
#define KVFS_INO_ROOT KVFS_INO(KVFS_PROVIDER_INFO, 1)

/* In pid/, the lowest bits of an ino number the files of one process. */
#define KVFS_INO_PID_FILE_BITS 2

/* In a listing: the entry has an ino, which would take too long to find. */
#define KVFS_INO_UNKNOWN UINT64_C(0xffffffff)

enum kvfs_node_kind {
	KVFS_NODE_DIR,
	KVFS_NODE_FILE,
	KVFS_NODE_SYMLINK,
};

struct kvfs_attr {
	uint64_t size;		/* bytes */
	uint64_t data_len;	/* bytes that are not in holes; st_blocks is computed from it */
};

/* What attributes and `status` report of a node. */
struct kvfs_desc {
	bool has_vaddr;
	bool has_paddr;
	uint64_t vaddr;		/* kernel virtual address of file offset 0, if has_vaddr */
	uint64_t paddr;		/* physical address of file offset 0, if has_paddr */
	char source[128];	/* where the bytes come from; "" means it is not reported */
	const char *copied;	/* huge directories: why files are copied, a constant text; or NULL */
	const char *incomplete;	/* what the source lacks; borrowed for the node's life; or NULL */
	bool has_damaged;
	uint64_t damaged;	/* pages found to be damaged so far, if has_damaged */
};

struct kvfs_dirent {
	char name[1024];	/* NUL-terminated; FUSE takes no longer names */
	uint64_t ino;
	enum kvfs_node_kind kind;
	uint64_t next;		/* cookie of the entry after this one */
};

struct kvfs_node;

struct kvfs_dir_ops {
	/*
	 * Finds an entry. Returns 0 and *out, a node with a reference for the caller, -ENOENT if
	 * there is no entry of that name, or -ENOTUNIQ if there are several.
	 */
	int (*lookup)(struct kvfs_node *dir, const char *name, struct kvfs_node **out);

	/*
	 * Fills in the entry at a cookie: 0 for the first, else `next` of the entry before.
	 * Cookies are below 2^62 and stay valid for the life of the tree. Returns 1, 0 after the
	 * last entry, or -errno. "." and ".." are not listed.
	 */
	int (*list)(struct kvfs_node *dir, uint64_t cookie, struct kvfs_dirent *out);

	/*
	 * For a directory that would have to search for each entry: open() makes a reader, one
	 * for each opening and used by one thread at a time, and list_on() is called with it in
	 * place of list(). Either all three are set or none. With them, list may be NULL if the
	 * directory is huge.
	 */
	int (*open)(struct kvfs_node *dir, void **reader);
	void (*release)(struct kvfs_node *dir, void *reader);
	int (*list_on)(struct kvfs_node *dir, void *reader, uint64_t cookie, struct kvfs_dirent *out);

	/*
	 * Reports the i-th entry that belongs here and is missing. Returns false after the last
	 * one. *name and *reason are borrowed for the life of dir. NULL: nothing is ever missing.
	 */
	bool (*missing)(struct kvfs_node *dir, size_t i, const char **name, const char **reason);

	/* Too many entries to visit them all: `status` and readdir look none of them up. */
	bool huge;

	/* How many entries, from the first, `status` visits; 0: all of them. */
	size_t walk_max;
};

/* A request for a file whose requests may block. */
struct kvfs_request {
	enum {
		KVFS_REQUEST_READ,	/* read(2) and its kin */
		KVFS_REQUEST_FILL,	/* the page cache, for a mapping of a copy or for splice(2) */
		KVFS_REQUEST_IOCTL,
	} what;
	unsigned int cmd;	/* of an ioctl */
	enum kvfs_mode mode;	/* in which the file is open */
	bool nonblock;		/* the caller has set O_NONBLOCK (for an ioctl: at open) */
};

/* Operations of a file whose bytes arrive over time: a request may wait for them. */
struct kvfs_blocking_ops {
	/* Whether reads ignore offsets and consume. Called between open() and release(). */
	bool (*is_stream)(struct kvfs_node *file, void *handle);

	/*
	 * Whether a request could wait. If so, it is interrupted by a signal to its thread: the
	 * operation must then return -EINTR, as its system call does.
	 */
	bool (*waits)(struct kvfs_node *file, void *handle, const struct kvfs_request *request);

	/* In place of kvfs_file_ops.read. */
	ssize_t (*read)(struct kvfs_node *file, void *handle, const struct kvfs_request *request,
			void *buf, size_t len, uint64_t off);

	/*
	 * ioctl(2) without an argument. Returns its result, or -ENOTTY for an unknown command.
	 * Sets *stale, false before, if the file's page cache must be dropped. Only requests for
	 * which waits() returned true may do so.
	 */
	int (*ioctl)(struct kvfs_node *file, void *handle, const struct kvfs_request *request,
		     bool *stale);

	/* A descriptor that is readable when the file is; borrowed until release(). */
	int (*poll_fd)(struct kvfs_node *file, void *handle);
};

struct kvfs_file_ops {
	/*
	 * Called for each opening, before its first read. For a file that can have a backing
	 * file, the results of getattr, read, seek and backing stay the same until the release()
	 * of this opening. *handle, NULL before, is passed to the other operations. NULL: there
	 * is nothing to do.
	 */
	int (*open)(struct kvfs_node *file, void **handle);
	void (*release)(struct kvfs_node *file, void *handle);

	/*
	 * Reads [off, off + len) into buf. Returns the bytes read, which are less than len only
	 * at the end of the file or before a byte that cannot be read; 0 at or past the end.
	 */
	ssize_t (*read)(struct kvfs_node *file, void *handle, void *buf, size_t len, uint64_t off);

	/*
	 * lseek(2) with SEEK_DATA or SEEK_HOLE. Returns -ENXIO at or past the end, and for
	 * SEEK_DATA if there is no data at or after off. NULL: the file has no holes.
	 */
	int (*seek)(struct kvfs_node *file, void *handle, uint64_t off, int whence, uint64_t *out);

	/*
	 * Tells whether backing() is expected to succeed, without opening or making anything.
	 * Returns 0 and *mode, KVFS_MODE_DIRECT or KVFS_MODE_SPLIT, or -errno and the reason;
	 * -EINVAL only if the bytes are not whole pages, so that it never can. NULL, as backing
	 * then is, if the file has no kernel file of its own and is always copied; no_backing is
	 * the reason.
	 */
	int (*can_back)(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err);

	/*
	 * Makes the kernel file whose bytes and mappings are the file's. Called between open()
	 * and release(), by one thread at a time for a node, with a lock of the caller held.
	 * Returns a descriptor that the caller owns, or -errno and the reason.
	 */
	int (*backing)(struct kvfs_node *file, struct kvfs_err *err);

	/* Constant text; set if can_back is NULL. */
	const char *no_backing;

	/*
	 * The bytes never change, so the kernel may keep them: without a backing file the mode is
	 * KVFS_MODE_CACHED. read() must fail rather than stop before a byte that cannot be read,
	 * because the kernel takes a short read for the end of the file.
	 */
	bool unchanging;

	/*
	 * An open of the file disturbs other users of its source, so it is for callers of the mount
	 * alone: the daemon opens no such file to find out how it is served.
	 */
	bool open_disturbs;

	/* NULL: no request waits, and there is no ioctl and no poll. */
	const struct kvfs_blocking_ops *blocking;
};

struct kvfs_node_ops {
	enum kvfs_node_kind kind;
	double entry_timeout;	/* seconds for which the kernel may keep the name; 0: it asks each time */
	double attr_timeout;	/* the same for size and times */

	/* Frees the node. Called when the last reference is given back. */
	void (*destroy)(struct kvfs_node *node);

	/* Fills in *out, zeroed before. NULL: the size is 0. Opens no source and renders no text. */
	int (*getattr)(struct kvfs_node *node, struct kvfs_attr *out);

	/* Fills in *out, zeroed before, for a file that is served in mode. NULL: all zero. */
	void (*describe)(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out);

	/*
	 * Symbolic links: writes the target that the thread `caller` sees into buf, NUL-terminated.
	 * Returns 0 or -errno.
	 */
	int (*readlink)(struct kvfs_node *node, pid_t caller, char *buf, size_t len);

	const struct kvfs_dir_ops *dir;		/* set if kind is KVFS_NODE_DIR */
	const struct kvfs_file_ops *file;	/* set if kind is KVFS_NODE_FILE */
};

struct kvfs_node {
	const struct kvfs_node_ops *ops;
	const char *label;	/* path below the root, for messages; borrowed for the node's life */
	uint64_t ino;
	uint64_t parent_ino;
	_Atomic(unsigned int) refs;
};

/* Sets up the members, with one reference for the caller. ops and label are borrowed. */
void kvfs_node_init(struct kvfs_node *node, const struct kvfs_node_ops *ops, const char *label,
		    uint64_t ino, uint64_t parent_ino);

/* Takes another reference. Returns node. */
struct kvfs_node *kvfs_node_get(struct kvfs_node *node);

/*
 * Takes a reference to a node that may be on its way to be destroyed: false if its last reference
 * is gone. The caller holds a lock that the node's destroy takes before it frees the node.
 */
bool kvfs_node_try_get(struct kvfs_node *node);

/* Gives a reference back; the last one calls destroy(). NULL is allowed. */
void kvfs_node_put(struct kvfs_node *node);

/* getattr() of any node. */
int kvfs_node_getattr(struct kvfs_node *node, struct kvfs_attr *out);

/* describe() of any node. */
void kvfs_node_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out);

/* open(), release() and seek() of a node of kind KVFS_NODE_FILE, with the defaults for NULL. */
int kvfs_node_open(struct kvfs_node *file, void **handle);
void kvfs_node_release(struct kvfs_node *file, void *handle);
int kvfs_node_seek(struct kvfs_node *file, void *handle, uint64_t off, int whence, uint64_t *out);

#endif /* KVFS_NODE_NODE_H */
