// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differences between versions of libfuse are probed by meson, and are handled in the functions at
 * the head of this file only:
 *
 *  HAVE_FUSE_BACKING_ID       fuse_file_info.backing_id, FUSE_CAP_PASSTHROUGH and
 *                             fuse_conn_info.max_backing_stack_depth (libfuse 3.17)
 *  HAVE_FUSE_FEATURE_FLAGS    fuse_set_feature_flag() in place of conn->want (3.17)
 *
 * The ioctls are issued here and not by fuse_passthrough_open(), because that needs a request and
 * the probe at start has none.
 */
#include "fuse/backing.h"

#include <assert.h>
#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"

/* FUSE_DEV_IOC_BACKING_*, Linux 6.9: older <linux/fuse.h> can come with a newer kernel. */
struct backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define IOC_BACKING_OPEN _IOW(229, 1, struct backing_map)
#define IOC_BACKING_CLOSE _IOW(229, 2, uint32_t)

/* Buckets of slots; a power of two. A slot exists for each open file. */
#define NR_BUCKETS 256

/*
 * What holds for all opens of one inode. It exists while the file is open, and after that as
 * long as there is a failure to remember.
 */
struct slot {
	struct slot *next;		/* in its bucket; kvfs_backing.lock */
	uint64_t ino;
	unsigned int users;		/* threads that are using it; kvfs_backing.lock */

	pthread_mutex_t lock;		/* all below; held while a backing file is made */
	unsigned int opens;
	enum kvfs_mode mode;		/* of these opens */
	int id;				/* backing id, 0 if there is none */
	bool rehearsed;			/* status walks it: a failure is kept although FUSE forgets the inode */
	struct kvfs_err failure;	/* why the last attempt failed; errnum 0 if it did not */
};

struct kvfs_backing {
	int fuse_fd;
	bool wanted;			/* libfuse and kernel have passthrough */
	bool works;			/* it was tried */
	bool shared_mmap;
	struct kvfs_err reason;		/* why not, if it does not work */
	pthread_mutex_t lock;		/* the buckets, and what slots say is under it */
	struct slot *buckets[NR_BUCKETS];
};

/* What libfuse can do. */

#ifdef FUSE_CAP_DIRECT_IO_ALLOW_MMAP
#define CAP_SHARED_MMAP FUSE_CAP_DIRECT_IO_ALLOW_MMAP
#else
#define CAP_SHARED_MMAP 0	/* libfuse before 3.17 cannot ask for it */
#endif

#ifdef HAVE_FUSE_FEATURE_FLAGS
static bool want(struct fuse_conn_info *conn, uint64_t flag)
{
	return flag && fuse_set_feature_flag(conn, flag);
}

static void unwant(struct fuse_conn_info *conn, uint64_t flag)
{
	fuse_unset_feature_flag(conn, flag);
}
#else
static bool want(struct fuse_conn_info *conn, uint64_t flag)
{
	if (!(conn->capable & flag))
		return false;
	conn->want |= flag;
	return true;
}

static void unwant(struct fuse_conn_info *conn, uint64_t flag)
{
	conn->want &= ~flag;
}
#endif

#ifdef HAVE_FUSE_BACKING_ID
static bool want_passthrough(struct fuse_conn_info *conn, struct kvfs_err *err)
{
	/*
	 * 0 is 1 on the wire: backing files are on no stacked file system, so that others
	 * (overlayfs) may still be stacked on this mount.
	 */
	conn->max_backing_stack_depth = FUSE_BACKING_STACKED_UNDER;
	if (want(conn, FUSE_CAP_PASSTHROUGH))
		return true;
	kvfs_err_set(err, EOPNOTSUPP, "this kernel has no FUSE passthrough (Linux 6.9 or later, CONFIG_FUSE_PASSTHROUGH)");
	return false;
}

static void set_backing_id(struct fuse_file_info *fi, int id)
{
	fi->backing_id = id;
}
#else
static bool want_passthrough(struct fuse_conn_info *conn, struct kvfs_err *err)
{
	kvfs_err_set(err, EOPNOTSUPP, "libfuse %s has no passthrough (3.17 or later has)", fuse_pkgversion());
	return false;
}

static void set_backing_id(struct fuse_file_info *fi, int id)
{
	assert(!"a backing id without a library that can hand it on");
}
#endif

const char *kvfs_backing_libfuse_version(void)
{
	return fuse_pkgversion();
}

/* Slots. */

static struct slot **find_slot(struct kvfs_backing *backing, uint64_t ino)
{
	struct slot **p = &backing->buckets[kvfs_hash_u64(ino) & (NR_BUCKETS - 1)];

	while (*p && (*p)->ino != ino)
		p = &(*p)->next;
	return p;
}

static void free_slot(struct slot *slot)
{
	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

static struct slot *new_slot(uint64_t ino)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (slot) {
		slot->ino = ino;
		pthread_mutex_init(&slot->lock, NULL);
	}
	return slot;
}

/*
 * The slot of an inode, locked; the caller calls unlock_slot(). NULL if there is none; with create,
 * only if out of memory.
 */
static struct slot *lock_slot(struct kvfs_backing *backing, uint64_t ino, bool create)
{
	struct slot **p, *slot;

	pthread_mutex_lock(&backing->lock);
	p = find_slot(backing, ino);
	if (!*p && create)
		*p = new_slot(ino);
	slot = *p;
	if (slot)
		slot->users++;
	pthread_mutex_unlock(&backing->lock);
	if (slot)
		pthread_mutex_lock(&slot->lock);
	return slot;
}

/* Frees the slot if the file is not open and there is no failure to remember; forget: drops that. */
static void unlock_slot(struct kvfs_backing *backing, struct slot *slot, bool forget)
{
	struct slot **p;

	pthread_mutex_unlock(&slot->lock);
	pthread_mutex_lock(&backing->lock);
	/* Without users it does not change, and backing->lock keeps new users away. */
	if (--slot->users == 0 && slot->opens == 0 &&
	    (!slot->failure.errnum || (forget && !slot->rehearsed))) {
		p = find_slot(backing, slot->ino);
		*p = slot->next;
		free_slot(slot);
	}
	pthread_mutex_unlock(&backing->lock);
}

int kvfs_backing_create(struct kvfs_backing **out)
{
	struct kvfs_backing *backing = calloc(1, sizeof(*backing));

	if (!backing)
		return -ENOMEM;
	backing->fuse_fd = -1;
	kvfs_err_set(&backing->reason, ENOTCONN, "not mounted yet");
	pthread_mutex_init(&backing->lock, NULL);
	*out = backing;
	return 0;
}

void kvfs_backing_destroy(struct kvfs_backing *backing)
{
	if (!backing)
		return;
	for (size_t i = 0; i < NR_BUCKETS; i++) {
		while (backing->buckets[i]) {
			struct slot *slot = backing->buckets[i];

			backing->buckets[i] = slot->next;
			free_slot(slot);
		}
	}
	pthread_mutex_destroy(&backing->lock);
	free(backing);
}

void kvfs_backing_negotiate(struct kvfs_backing *backing, struct fuse_conn_info *conn)
{
	/* Passthrough excludes it, and a read-only mount has no use for it. */
	unwant(conn, FUSE_CAP_WRITEBACK_CACHE);
	backing->wanted = want_passthrough(conn, &backing->reason);
	backing->shared_mmap = want(conn, CAP_SHARED_MMAP);
	/* Requests are small: read(2) takes them without a pipe for each thread. */
	unwant(conn, FUSE_CAP_SPLICE_READ);
}

/* Returns a backing id, above 0, or -errno with the reason. */
static int backing_id_open(int fuse_fd, int fd, struct kvfs_err *err)
{
	struct backing_map map = { .fd = fd };
	int id = ioctl(fuse_fd, IOC_BACKING_OPEN, &map);

	if (id > 0)
		return id;
	if (id == 0)
		return kvfs_err_set(err, EPROTO, "FUSE gave out the backing id 0");
	if (errno == EPERM)
		return kvfs_err_set(err, EPERM, "FUSE takes backing files from CAP_SYS_ADMIN in the initial user namespace only");
	return kvfs_err_sys(err, errno, "FUSE did not take the backing file");
}

static void backing_id_close(int fuse_fd, int id)
{
	uint32_t id32 = id;

	/* It fails only if the connection is gone, and the id with it. */
	ioctl(fuse_fd, IOC_BACKING_CLOSE, &id32);
}

void kvfs_backing_probe(struct kvfs_backing *backing, int fuse_fd)
{
	_cleanup_close_ int fd = -1;
	int id;

	backing->fuse_fd = fuse_fd;
	if (!backing->wanted)
		return;
	/* Any regular file that is on no stacked file system tells. */
	fd = memfd_create("kviewfs-probe", MFD_CLOEXEC);
	if (fd < 0) {
		kvfs_err_sys(&backing->reason, errno, "cannot make a file to try FUSE passthrough with");
		return;
	}
	id = backing_id_open(fuse_fd, fd, &backing->reason);
	if (id < 0)
		return;
	backing_id_close(fuse_fd, id);
	backing->works = true;
}

bool kvfs_backing_passthrough(const struct kvfs_backing *backing, const char **reason)
{
	*reason = backing->works ? NULL : backing->reason.msg;
	return backing->works;
}

bool kvfs_backing_shared_mmap(const struct kvfs_backing *backing)
{
	return backing->shared_mmap;
}

static bool is_backed(enum kvfs_mode mode)
{
	return mode == KVFS_MODE_DIRECT || mode == KVFS_MODE_SPLIT;
}

/*
 * What can be said of file without trying: 0 and the mode wanted, or -errno and why it must
 * be copied.
 */
static int expect(const struct kvfs_backing *backing, struct kvfs_node *file,
		  enum kvfs_mode *mode, struct kvfs_err *err)
{
	const struct kvfs_file_ops *ops = file->ops->file;

	if (!ops->can_back)
		return kvfs_err_set(err, EOPNOTSUPP, "%s", ops->no_backing ? ops->no_backing : "the view has no kernel file of its own");
	/* The view's own reason first: it is the one that the user can do something about. */
	if (ops->can_back(file, mode, err) < 0)
		return -err->errnum;
	if (!backing->works)
		return kvfs_err_set(err, backing->reason.errnum, "%s", backing->reason.msg);
	assert(is_backed(*mode));
	/* The view may have met a failure that it makes nothing of. */
	*err = (struct kvfs_err){ 0 };
	return 0;
}

/* The mode of a file that has no backing file. */
static enum kvfs_mode mode_without(const struct kvfs_node *file)
{
	return file->ops->file->unchanging ? KVFS_MODE_CACHED : KVFS_MODE_COPY;
}

/* The first open of file: a backing id, and the mode, or a copy and slot->failure. */
static void decide(struct kvfs_backing *backing, struct kvfs_node *file,
		   struct slot *slot, bool *lost)
{
	_cleanup_close_ int fd = -1;
	struct kvfs_err err = { 0 };
	enum kvfs_mode wanted;

	slot->id = 0;
	slot->mode = mode_without(file);
	if (expect(backing, file, &wanted, &err) < 0)
		return;
	fd = file->ops->file->backing(file, &err);
	if (fd >= 0) {
		int id = backing_id_open(backing->fuse_fd, fd, &err);

		if (id > 0) {
			slot->id = id;
			slot->mode = wanted;
			slot->failure.errnum = 0;
			return;
		}
	}
	*lost = slot->failure.errnum == 0;
	slot->failure = err;
}

static void fill_in(const struct slot *slot, struct fuse_file_info *fi)
{
	/* Nothing is ever written, so there is nothing to flush. */
	fi->noflush = 1;
	fi->direct_io = slot->mode == KVFS_MODE_COPY || slot->mode == KVFS_MODE_SPLIT;
	fi->keep_cache = slot->mode == KVFS_MODE_CACHED;
	if (slot->id > 0)
		set_backing_id(fi, slot->id);
}

int kvfs_backing_open(struct kvfs_backing *backing, struct kvfs_node *file,
		      struct fuse_file_info *fi, bool *lost)
{
	struct slot *slot = lock_slot(backing, file->ino, true);

	*lost = false;
	if (!slot)
		return -ENOMEM;
	if (slot->opens++ == 0)
		decide(backing, file, slot, lost);
	fill_in(slot, fi);
	unlock_slot(backing, slot, false);
	return 0;
}

void kvfs_backing_release(struct kvfs_backing *backing, struct kvfs_node *file)
{
	struct slot *slot = lock_slot(backing, file->ino, false);

	assert(slot && slot->opens > 0);
	if (--slot->opens == 0 && slot->id > 0) {
		backing_id_close(backing->fuse_fd, slot->id);
		slot->id = 0;
	}
	unlock_slot(backing, slot, false);
}

void kvfs_backing_forget(struct kvfs_backing *backing, uint64_t ino)
{
	struct slot *slot = lock_slot(backing, ino, false);

	if (slot)
		unlock_slot(backing, slot, true);
}

enum kvfs_mode kvfs_backing_mode(struct kvfs_backing *backing, const struct kvfs_node *file)
{
	struct slot *slot = lock_slot(backing, file->ino, false);
	enum kvfs_mode mode;

	assert(slot && slot->opens > 0);
	mode = slot->mode;
	unlock_slot(backing, slot, false);
	return mode;
}

void kvfs_backing_plan(struct kvfs_backing *backing, struct kvfs_node *file,
		       enum kvfs_mode *mode, struct kvfs_err *reason, unsigned int *opens)
{
	struct kvfs_err failure = { 0 };
	unsigned int nr = 0;
	struct slot *slot;
	int ret;

	memset(reason, 0, sizeof(*reason));
	ret = expect(backing, file, mode, reason);
	if (ret < 0)
		*mode = mode_without(file);
	slot = lock_slot(backing, file->ino, false);
	if (slot) {
		nr = slot->opens;
		if (nr > 0)
			*mode = slot->mode;
		failure = slot->failure;
		unlock_slot(backing, slot, false);
	}
	if (opens)
		*opens = nr;
	if (nr > 0 && is_backed(*mode)) {
		memset(reason, 0, sizeof(*reason));
	} else if (ret == 0 && failure.errnum) {
		*mode = mode_without(file);
		*reason = failure;
	} else if (ret == 0 && !is_backed(*mode)) {
		kvfs_err_set(reason, EBUSY, "it is open since a time when it had to be copied");
	}
}

/* Marks file as rehearsed, with the failure of its open; ret 0 if that went well. */
static void note_rehearsal(struct kvfs_backing *backing, struct kvfs_node *file, int ret)
{
	struct slot *slot = lock_slot(backing, file->ino, true);

	if (!slot)
		return;
	slot->rehearsed = true;
	if (ret < 0)
		kvfs_err_sys(&slot->failure, -ret, "it cannot be opened now");
	unlock_slot(backing, slot, false);
}

void kvfs_backing_rehearse(struct kvfs_backing *backing, struct kvfs_node *file)
{
	struct fuse_file_info fi = { 0 };
	void *handle;
	bool lost;
	int ret = kvfs_node_open(file, &handle);

	if (ret < 0) {
		note_rehearsal(backing, file, ret);
		return;
	}
	if (kvfs_backing_open(backing, file, &fi, &lost) == 0) {
		note_rehearsal(backing, file, 0);
		kvfs_backing_release(backing, file);
	}
	kvfs_node_release(file, handle);
}
