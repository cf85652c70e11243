/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node is a directory, a file or a symbolic link of the tree; a view is one that shows
 * memory. This is the whole of what the layers above (tree, inode, backing, ops) know of a
 * view, and the whole of what a view knows of them.
 *
 * Number spaces. Every node has an `ino`, which names the *thing* shown: it is st_ino, it
 * is what readdir says, and it is the node id that FUSE uses (inode.h). Two nodes with the
 * same ino must show the same bytes, now and later, for only one of them will be kept. The
 * top 16 bits are the provider's number, the lower 48 are the provider's own affair.
 *
 * Locking: a node is immutable after creation except for what a view locks itself. Every
 * operation may be called by any number of threads at once. None may block for longer than
 * its source does, and none is called with a lock of the caller held, backing() excepted.
 *
 * Errors: 0 or -errno, counts as ssize_t. ENOSYS is never returned: FUSE takes it from one
 * file for the answer of the whole mount. Where a struct kvfs_err is filled in, its text
 * reaches the user in `status` and in the attribute user.kview.reason.
 */
#ifndef KVFS_NODE_NODE_H
#define KVFS_NODE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

/* How a file is served; docs/architecture.md has the table. */
enum kvfs_mode {
	KVFS_MODE_COPY,		/* the daemon answers each read */
	KVFS_MODE_DIRECT,	/* reads and mappings go to the backing file */
	KVFS_MODE_SPLIT,	/* mappings go to the backing file, reads to the daemon */
	KVFS_MODE_CACHED,	/* the daemon fills the kernel's page cache, which is kept */
};

/* "copy", "direct", "split", "cached": what status and user.kview.mode say. */
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

/* In a listing: the thing has an ino, and to find it out would take too long. */
#define KVFS_INO_UNKNOWN UINT64_C(0xffffffff)

enum kvfs_node_kind {
	KVFS_NODE_DIR,
	KVFS_NODE_FILE,
	KVFS_NODE_SYMLINK,
};

struct kvfs_attr {
	uint64_t size;		/* bytes */
	uint64_t data_len;	/* bytes that are no hole; st_blocks is made of it */
};

/* What the extended attributes say. */
struct kvfs_desc {
	bool has_vaddr;
	bool has_paddr;
	uint64_t vaddr;		/* kernel virtual address of file offset 0, if has_vaddr */
	uint64_t paddr;		/* physical address of file offset 0, if has_paddr */
	char source[128];	/* where the bytes come from; "" if that says nothing */
	const char *copied;	/* of a huge directory: why its files are copied, a constant text; or NULL */
	const char *incomplete;	/* what the source lacks; lives as long as the node; or NULL */
	bool has_damaged;
	uint64_t damaged;	/* pages that were found to be damaged so far, if has_damaged */
};

struct kvfs_dirent {
	char name[1024];	/* NUL-terminated; FUSE takes no longer ones */
	uint64_t ino;
	enum kvfs_node_kind kind;
	uint64_t next;		/* cookie of the entry behind this one */
};

struct kvfs_node;

struct kvfs_dir_ops {
	/*
	 * Finds name. *out is a node with a reference for the caller. -ENOENT if there is no
	 * such thing, -ENOTUNIQ if the name means several.
	 */
	int (*lookup)(struct kvfs_node *dir, const char *name, struct kvfs_node **out);

	/*
	 * Fills in the entry at a cookie, 0 for the first, later what `next` said. Cookies
	 * below 2^62 stay good as long as the mount does. Returns 1, 0 behind the last entry,
	 * or -errno. "." and ".." are not the view's affair.
	 */
	int (*list)(struct kvfs_node *dir, uint64_t cookie, struct kvfs_dirent *out);

	/*
	 * For a directory that would have to find the place of each entry anew: open makes a
	 * reader, one for each opening and used by one thread at a time, and list_on is called
	 * with it in place of list. All three or none are set; list may be NULL then if the
	 * directory is huge.
	 */
	int (*open)(struct kvfs_node *dir, void **reader);
	void (*release)(struct kvfs_node *dir, void *reader);
	int (*list_on)(struct kvfs_node *dir, void *reader, uint64_t cookie, struct kvfs_dirent *out);

	/*
	 * The i-th thing that belongs here and is not: false behind the last one. name and
	 * reason are borrowed and live as long as dir. NULL: nothing is ever missing.
	 */
	bool (*missing)(struct kvfs_node *dir, size_t i, const char **name, const char **reason);

	/*
	 * Too many entries to be walked without being asked for one by one: not in `status`,
	 * and readdir never looks them up.
	 */
	bool huge;

	/* Entries, from the first, that `status` tells of; 0: all of them. */
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
	/* There are no offsets, only what comes next. May be asked between open and release. */
	bool (*is_stream)(struct kvfs_node *file, void *handle);

	/*
	 * Whether a request could wait. It is then made in a thread of its own, and must return
	 * -EINTR when a system call of it does.
	 */
	bool (*waits)(struct kvfs_node *file, void *handle, const struct kvfs_request *request);

	/* In place of kvfs_file_ops.read. */
	ssize_t (*read)(struct kvfs_node *file, void *handle, const struct kvfs_request *request,
			void *buf, size_t len, uint64_t off);

	/*
	 * ioctl(2) without an argument. Returns its result; -ENOTTY for an unknown command.
	 * *stale, false at first: the page cache must be filled anew. Only requests that wait
	 * may set it.
	 */
	int (*ioctl)(struct kvfs_node *file, void *handle, const struct kvfs_request *request,
		     bool *stale);

	/* A descriptor, the view's own, which is readable when the file is. */
	int (*poll_fd)(struct kvfs_node *file, void *handle);
};

struct kvfs_file_ops {
	/*
	 * Called for each open, before anything is read. Where a file can have a backing, what
	 * getattr, read, seek and backing answer stays the same until the release that belongs
	 * to it. *handle is the view's, NULL at first. NULL: nothing to do.
	 */
	int (*open)(struct kvfs_node *file, void **handle);
	void (*release)(struct kvfs_node *file, void *handle);

	/*
	 * Reads [off, off + len) into buf. Returns the bytes read, less than len only at the
	 * end of the file or before a byte that cannot be read; 0 at or past the end.
	 */
	ssize_t (*read)(struct kvfs_node *file, void *handle, void *buf, size_t len, uint64_t off);

	/*
	 * lseek(2) with SEEK_DATA or SEEK_HOLE. -ENXIO at or past the end, and for SEEK_DATA
	 * without data behind off. NULL: no holes.
	 */
	int (*seek)(struct kvfs_node *file, void *handle, uint64_t off, int whence, uint64_t *out);

	/*
	 * Says whether backing() is expected to succeed, without making anything: 0 and *mode,
	 * KVFS_MODE_DIRECT or KVFS_MODE_SPLIT, or -errno and why not, -EINVAL only where the
	 * bytes are no whole pages, so that it never can be. If it is NULL, and
	 * backing with it, the view has no kernel file of its own and is always copied;
	 * no_backing then says why, as a constant text.
	 */
	int (*can_back)(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err);

	/*
	 * Makes the kernel file whose bytes and mappings are the view's. Called between open
	 * and release, by one thread at a time for a node, with its backing lock held. Returns
	 * a descriptor that the caller owns, or -errno and the reason.
	 */
	int (*backing)(struct kvfs_node *file, struct kvfs_err *err);

	const char *no_backing;

	/*
	 * The bytes are the same as long as the mount lives, so that the kernel may keep them:
	 * without a backing file the mode is KVFS_MODE_CACHED. read must not stop before a byte
	 * that cannot be read, but fail, because the kernel would take that for the end.
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
	double entry_timeout;	/* seconds for which the kernel may trust the name; 0: ask each time */
	double attr_timeout;	/* the same for size and times */

	/* Frees the node; the last reference is gone. */
	void (*destroy)(struct kvfs_node *node);

	/* Size. NULL: 0 bytes, as directories have. */
	int (*getattr)(struct kvfs_node *node, struct kvfs_attr *out);

	/* Fills in out, zeroed before, for a file that is served in mode. NULL: nothing. */
	void (*describe)(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out);

	/*
	 * Symbolic links: writes the target for a caller, which is a thread, into buf and ends it
	 * with a NUL. Returns 0 or -errno.
	 */
	int (*readlink)(struct kvfs_node *node, pid_t caller, char *buf, size_t len);

	const struct kvfs_dir_ops *dir;		/* set if kind is KVFS_NODE_DIR */
	const struct kvfs_file_ops *file;	/* set if kind is KVFS_NODE_FILE */
};

struct kvfs_node {
	const struct kvfs_node_ops *ops;
	const char *label;	/* path below the root, for messages; a constant text */
	uint64_t ino;
	uint64_t parent_ino;
	_Atomic(unsigned int) refs;
};

/* Sets up the part that every node has, with one reference for the caller. */
void kvfs_node_init(struct kvfs_node *node, const struct kvfs_node_ops *ops, const char *label,
		    uint64_t ino, uint64_t parent_ino);

/* Takes another reference. Returns node. */
struct kvfs_node *kvfs_node_get(struct kvfs_node *node);

/*
 * Takes a reference to a node that may be on its way to be destroyed: false if its last reference
 * is gone. The caller holds a lock that the node's destroy takes before it frees the node.
 */
bool kvfs_node_try_get(struct kvfs_node *node);

/* Gives a reference back; the last one destroys the node. NULL is allowed. */
void kvfs_node_put(struct kvfs_node *node);

/* Size and blocks of any node. */
int kvfs_node_getattr(struct kvfs_node *node, struct kvfs_attr *out);

/* What node says of itself; all zero if it says nothing. */
void kvfs_node_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out);

/*
 * kvfs_file_ops.open, release and seek with what is meant where a view leaves them out. They
 * may be called for a node of kind KVFS_NODE_FILE only.
 */
int kvfs_node_open(struct kvfs_node *file, void **handle);
void kvfs_node_release(struct kvfs_node *file, void *handle);
int kvfs_node_seek(struct kvfs_node *file, void *handle, uint64_t off, int whence, uint64_t *out);

/*
 * A directory with a fixed, short list of entries, each with a name and a node: enough for
 * the root and for most providers. names and nodes are borrowed from the caller, who keeps
 * a reference to each node for as long as the list is used.
 */
struct kvfs_entry {
	const char *name;
	struct kvfs_node *node;		/* NULL: missing, and reason says why */
	const char *reason;
};

int kvfs_entries_lookup(const struct kvfs_entry *v, size_t n, const char *name,
			struct kvfs_node **out);
int kvfs_entries_list(const struct kvfs_entry *v, size_t n, uint64_t cookie,
		      struct kvfs_dirent *out);
bool kvfs_entries_missing(const struct kvfs_entry *v, size_t n, size_t i, const char **name,
			  const char **reason);

#endif /* KVFS_NODE_NODE_H */
