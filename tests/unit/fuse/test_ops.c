// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests and their replies, without a kernel and without a session: libfuse's functions that
 * reply are stand-ins. Each request must have one reply.
 */
#include "fuse/ops.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>

#include "failalloc.h"
#include "fuse/backing.h"
#include "fuse/handle.h"
#include "fuse/inode.h"
#include "fuse/ops_blocking.h"
#include "fuse/readbuf.h"
#include "fuse/server.h"
#include "unit.h"

#define INO_FILE KVFS_INO(KVFS_PROVIDER_KCORE, 2)
#define INO_LINK KVFS_INO(KVFS_PROVIDER_KCORE, 3)
#define INO_RING KVFS_INO(KVFS_PROVIDER_TRACE, 4)
#define INO_BAD KVFS_INO(KVFS_PROVIDER_KCORE, 5)
#define FILE_LEN 10000

/* A request, and the reply that it got. */
struct fuse_req {
	struct fuse_ctx ctx;
	int nr_replies;
	enum { ERR, ENTRY, ATTR, READLINK, OPEN, BUF, LSEEK, XATTR, STATFS, POLL, NONE, IOCTL } kind;
	int err;		/* positive, as the kernel gets it; 0 for any other reply */
	size_t len;
	unsigned char first;	/* byte of the buffer */
	struct fuse_entry_param entry;
	struct stat st;
	char text[64];
	int64_t number;
	fuse_interrupt_func_t interrupt;
	void *interrupt_data;
	sem_t done;
};

static struct kvfs_ops server;
static struct kvfs_pool *pool;
static bool gone;		/* the kernel does not take replies: the caller was interrupted */
static int source_error;	/* of every operation of the views, if not 0 */
static int nr_open;		/* views' handles */
static bool ring_waits;
static int ring[2];		/* a pipe */
static bool ring_is_stale;
static int nr_invalidated, nr_woken;

void *__wrap_fuse_req_userdata(fuse_req_t req);
void *__wrap_fuse_req_userdata(fuse_req_t req)
{
	return &server;
}

const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req);
const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req)
{
	return &req->ctx;
}

void __wrap_fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void *data);
void __wrap_fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void *data)
{
	req->interrupt = func;
	req->interrupt_data = data;
}

static int reply(fuse_req_t req, int kind)
{
	req->nr_replies++;
	req->kind = kind;
	sem_post(&req->done);
	return gone ? -ENOENT : 0;
}

int __wrap_fuse_reply_err(fuse_req_t req, int err);
int __wrap_fuse_reply_err(fuse_req_t req, int err)
{
	ck_assert_int_ge(err, 0);
	/* The kernel would never ask again, for no file of the mount. */
	ck_assert_int_ne(err, ENOSYS);
	req->err = err;
	return reply(req, ERR);
}

int __wrap_fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *e);
int __wrap_fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *e)
{
	req->entry = *e;
	return reply(req, ENTRY);
}

int __wrap_fuse_reply_attr(fuse_req_t req, const struct stat *attr, double timeout);
int __wrap_fuse_reply_attr(fuse_req_t req, const struct stat *attr, double timeout)
{
	req->st = *attr;
	return reply(req, ATTR);
}

int __wrap_fuse_reply_readlink(fuse_req_t req, const char *link);
int __wrap_fuse_reply_readlink(fuse_req_t req, const char *link)
{
	snprintf(req->text, sizeof(req->text), "%s", link);
	return reply(req, READLINK);
}

int __wrap_fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi);
int __wrap_fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi)
{
	return reply(req, OPEN);
}

int __wrap_fuse_reply_buf(fuse_req_t req, const char *buf, size_t size);
int __wrap_fuse_reply_buf(fuse_req_t req, const char *buf, size_t size)
{
	req->len = size;
	if (size)
		req->first = (unsigned char)buf[0];
	return reply(req, BUF);
}

int __wrap_fuse_reply_lseek(fuse_req_t req, off_t off);
int __wrap_fuse_reply_lseek(fuse_req_t req, off_t off)
{
	req->number = off;
	return reply(req, LSEEK);
}

int __wrap_fuse_reply_xattr(fuse_req_t req, size_t count);
int __wrap_fuse_reply_xattr(fuse_req_t req, size_t count)
{
	req->len = count;
	return reply(req, XATTR);
}

int __wrap_fuse_reply_statfs(fuse_req_t req, const struct statvfs *st);
int __wrap_fuse_reply_statfs(fuse_req_t req, const struct statvfs *st)
{
	return reply(req, STATFS);
}

int __wrap_fuse_reply_poll(fuse_req_t req, unsigned int revents);
int __wrap_fuse_reply_poll(fuse_req_t req, unsigned int revents)
{
	req->number = revents;
	return reply(req, POLL);
}

void __wrap_fuse_reply_none(fuse_req_t req);
void __wrap_fuse_reply_none(fuse_req_t req)
{
	reply(req, NONE);
}

int __wrap_fuse_reply_ioctl(fuse_req_t req, int result, const void *buf, size_t size);
int __wrap_fuse_reply_ioctl(fuse_req_t req, int result, const void *buf, size_t size)
{
	req->number = result;
	return reply(req, IOCTL);
}

int __wrap_fuse_lowlevel_notify_inval_inode(struct fuse_session *se, fuse_ino_t ino, off_t off, off_t len);
int __wrap_fuse_lowlevel_notify_inval_inode(struct fuse_session *se, fuse_ino_t ino, off_t off, off_t len)
{
	ck_assert_uint_eq(ino, INO_RING);
	nr_invalidated++;
	return 0;
}

int __wrap_fuse_lowlevel_notify_poll(struct fuse_pollhandle *ph);
int __wrap_fuse_lowlevel_notify_poll(struct fuse_pollhandle *ph)
{
	nr_woken++;
	return 0;
}

void __wrap_fuse_pollhandle_destroy(struct fuse_pollhandle *ph);
void __wrap_fuse_pollhandle_destroy(struct fuse_pollhandle *ph)
{
	free(ph);
}

/* The tree: a directory with a file, a link, a ring whose requests wait, and a file without attributes. */

static void destroy(struct kvfs_node *node)
{
	free(node);
}

static int get_size(struct kvfs_node *node, struct kvfs_attr *out)
{
	out->size = out->data_len = FILE_LEN;
	return node->ino == INO_BAD ? -ENXIO : source_error;
}

static int open_view(struct kvfs_node *file, void **handle)
{
	if (source_error)
		return source_error;
	nr_open++;
	return 0;
}

static void release_view(struct kvfs_node *file, void *handle)
{
	nr_open--;
}

static ssize_t read_file(struct kvfs_node *file, void *handle, void *buf, size_t len, uint64_t off)
{
	if (source_error)
		return source_error;
	if (off >= FILE_LEN)
		return 0;
	memset(buf, 'f', len);
	return (ssize_t)(len < FILE_LEN - off ? len : FILE_LEN - off);
}

static int read_link(struct kvfs_node *node, pid_t caller, char *buf, size_t len)
{
	snprintf(buf, len, "%d", (int)caller);
	return source_error;
}

static bool is_stream(struct kvfs_node *file, void *handle)
{
	return true;
}

static bool waits(struct kvfs_node *file, void *handle, const struct kvfs_request *request)
{
	return ring_waits && !request->nonblock;
}

static ssize_t read_ring(struct kvfs_node *file, void *handle, const struct kvfs_request *request, void *buf,
			 size_t len, uint64_t off)
{
	ssize_t ret;

	if (source_error)
		return source_error;
	ret = read(ring[0], buf, len);
	return ret < 0 ? -errno : ret;
}

static int ioctl_ring(struct kvfs_node *file, void *handle, const struct kvfs_request *request, bool *stale)
{
	char c;

	if (request->cmd != 7)
		return -ENOTTY;
	*stale = ring_is_stale;
	if (ring_waits && read(ring[0], &c, 1) < 0)
		return -errno;
	return 3;
}

static int poll_ring(struct kvfs_node *file, void *handle)
{
	return ring[0];
}

static const struct kvfs_blocking_ops blocking_ops = {
	.is_stream = is_stream, .waits = waits, .read = read_ring, .ioctl = ioctl_ring, .poll_fd = poll_ring,
};
static const struct kvfs_file_ops file_file_ops = {
	.open = open_view, .release = release_view, .read = read_file, .no_backing = "a test",
};
static const struct kvfs_file_ops ring_file_ops = {
	.open = open_view, .release = release_view, .no_backing = "a test", .blocking = &blocking_ops,
};
static const struct kvfs_node_ops file_ops = {
	.kind = KVFS_NODE_FILE, .destroy = destroy, .getattr = get_size, .file = &file_file_ops,
};
static const struct kvfs_node_ops ring_ops = { .kind = KVFS_NODE_FILE, .destroy = destroy, .file = &ring_file_ops };
static const struct kvfs_node_ops link_ops = { .kind = KVFS_NODE_SYMLINK, .destroy = destroy, .readlink = read_link };

static const struct { const char *name; const struct kvfs_node_ops *ops; uint64_t ino; } entries[] = {
	{ "file", &file_ops, INO_FILE },
	{ "link", &link_ops, INO_LINK },
	{ "ring", &ring_ops, INO_RING },
	{ "bad", &file_ops, INO_BAD },
};
#define NR_ENTRIES (sizeof(entries) / sizeof(entries[0]))

static int lookup(struct kvfs_node *dir, const char *name, struct kvfs_node **out)
{
	for (size_t i = 0; i < NR_ENTRIES; i++) {
		if (strcmp(name, entries[i].name) != 0)
			continue;
		*out = calloc(1, sizeof(**out));
		if (!*out)
			return -ENOMEM;
		kvfs_node_init(*out, entries[i].ops, entries[i].name, entries[i].ino, KVFS_INO_ROOT);
		return 0;
	}
	return source_error ? source_error : -ENOENT;
}

static int list(struct kvfs_node *dir, uint64_t cookie, struct kvfs_dirent *out)
{
	if (source_error)
		return source_error;
	if (cookie >= NR_ENTRIES)
		return 0;
	snprintf(out->name, sizeof(out->name), "%s", entries[cookie].name);
	out->ino = entries[cookie].ino;
	out->kind = entries[cookie].ops->kind;
	out->next = cookie + 1;
	return 1;
}

static const struct kvfs_dir_ops dir_dir_ops = { .lookup = lookup, .list = list };
static const struct kvfs_node_ops dir_ops = { .kind = KVFS_NODE_DIR, .destroy = destroy, .dir = &dir_dir_ops };

static void ignore(int sig)
{
}

static void set_up(void)
{
	struct sigaction action = { .sa_handler = ignore };
	struct fuse_conn_info conn = { 0 };
	struct kvfs_node *root = calloc(1, sizeof(*root));

	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(pipe(ring), 0);
	kvfs_node_init(root, &dir_ops, "", KVFS_INO_ROOT, KVFS_INO_ROOT);
	ck_assert_int_eq(kvfs_pool_create(300, &pool), 0);
	ck_assert_int_eq(kvfs_inodes_create(root, &server.inodes), 0);
	ck_assert_int_eq(kvfs_backing_create(&server.backing), 0);
	ck_assert_int_eq(kvfs_blocking_create(pool, &server.blocking), 0);
	kvfs_handles_init(&server.handles);
	kvfs_node_put(root);
	kvfs_ops_table.init(&server, &conn);
	ck_assert(server.initialised);
	/* The kernel must not hold requests back. */
	ck_assert_uint_ge(conn.max_background, 1000);
}

static void tear_down(void)
{
	kvfs_blocking_destroy(server.blocking);
	server.blocking = NULL;
	kvfs_handles_close_all(&server);
	ck_assert_int_eq(nr_open, 0);
	kvfs_inodes_destroy(server.inodes);
	kvfs_backing_destroy(server.backing);
	kvfs_pool_destroy(pool);
	kvfs_readbuf_deinit();
}

static struct fuse_req new_req(void)
{
	struct fuse_req req = { .ctx.pid = 42 };

	sem_init(&req.done, 0, 0);
	return req;
}

/* Makes a request, waits for its reply, and sees that it is of a kind, or an error. */
#define ask(req, want_kind, want_err, op, ...) \
	do { \
		*(req) = new_req(); \
		kvfs_ops_table.op(req, ##__VA_ARGS__); \
		expect_reply(req, want_kind, want_err); \
	} while (0)

static void expect_reply(struct fuse_req *req, int kind, int err)
{
	while (sem_wait(&req->done) != 0)
		;
	ck_assert_int_eq(req->nr_replies, 1);
	ck_assert_int_eq(req->kind, kind);
	ck_assert_int_eq(req->err, err);
}

/* Looks a name up and opens it. */
static struct fuse_file_info open_file(const char *name, uint64_t ino)
{
	struct fuse_file_info fi = { .flags = O_RDONLY };
	struct fuse_req req;

	ask(&req, ENTRY, 0, lookup, KVFS_INO_ROOT, name);
	ck_assert_uint_eq(req.entry.ino, ino);
	ask(&req, OPEN, 0, open, ino, &fi);
	return fi;
}

START_TEST(names)
{
	struct fuse_req req;

	set_up();
	ask(&req, ENTRY, 0, lookup, KVFS_INO_ROOT, "file");
	ck_assert_uint_eq(req.entry.ino, INO_FILE);
	ck_assert_uint_eq(req.entry.attr.st_ino, INO_FILE);
	ck_assert_int_eq(req.entry.attr.st_size, FILE_LEN);
	ask(&req, ERR, ENOENT, lookup, KVFS_INO_ROOT, "nothing");
	ask(&req, ERR, ENXIO, lookup, KVFS_INO_ROOT, "bad");
	ask(&req, ERR, ENOTDIR, lookup, INO_FILE, "file");
	ask(&req, ERR, ESTALE, lookup, 12345, "file");
	source_error = -EIO;
	ask(&req, ERR, EIO, lookup, KVFS_INO_ROOT, "nothing");
	ask(&req, ERR, EIO, lookup, KVFS_INO_ROOT, "file");
	source_error = 0;
	ask(&req, ATTR, 0, getattr, INO_FILE, NULL);
	ck_assert_int_eq(req.st.st_size, FILE_LEN);
	ask(&req, NONE, 0, forget, INO_FILE, 1);
	ask(&req, ERR, ESTALE, getattr, INO_FILE, NULL);
	/* A reply that the kernel did not take leaves no lookup behind. */
	gone = true;
	ask(&req, ENTRY, 0, lookup, KVFS_INO_ROOT, "file");
	ask(&req, ERR, ESTALE, getattr, INO_FILE, NULL);
	tear_down();
}
END_TEST

START_TEST(links)
{
	struct fuse_req req;

	set_up();
	ask(&req, ENTRY, 0, lookup, KVFS_INO_ROOT, "link");
	ask(&req, READLINK, 0, readlink, INO_LINK);
	ck_assert_str_eq(req.text, "42");
	ask(&req, ERR, EINVAL, readlink, KVFS_INO_ROOT);
	source_error = -ESRCH;
	ask(&req, ERR, ESRCH, readlink, INO_LINK);
	tear_down();
}
END_TEST

START_TEST(files)
{
	struct fuse_file_info fi, other = { .flags = O_RDONLY }, writing = { .flags = O_RDWR };
	struct fuse_req req;

	set_up();
	fi = open_file("file", INO_FILE);
	ask(&req, BUF, 0, read, INO_FILE, 100, 0, &fi);
	ck_assert_uint_eq(req.len, 100);
	ck_assert_uint_eq(req.first, 'f');
	ask(&req, BUF, 0, read, INO_FILE, 2 * KVFS_READBUF_MAX, FILE_LEN - 5, &fi);
	ck_assert_uint_eq(req.len, 5);
	ask(&req, BUF, 0, read, INO_FILE, 100, FILE_LEN, &fi);
	ck_assert_uint_eq(req.len, 0);
	ask(&req, LSEEK, 0, lseek, INO_FILE, 5, SEEK_HOLE, &fi);
	ck_assert_int_eq(req.number, FILE_LEN);
	ask(&req, ERR, ENXIO, lseek, INO_FILE, FILE_LEN, SEEK_DATA, &fi);
	ask(&req, POLL, 0, poll, INO_FILE, &fi, NULL);
	ask(&req, ERR, ENOTTY, ioctl, INO_FILE, 7, NULL, &fi, 0, NULL, 0, 0);
	source_error = -EIO;
	ask(&req, ERR, EIO, read, INO_FILE, 100, 0, &fi);
	ask(&req, ERR, EIO, read, INO_FILE, KVFS_READBUF_MAX, 0, &fi);
	ask(&req, ERR, EIO, open, INO_FILE, &other);
	source_error = 0;
	failalloc_arm(0);
	ask(&req, ERR, ENOMEM, read, INO_FILE, 100, 0, &fi);
	ck_assert(failalloc_happened());
	ask(&req, ERR, 0, release, INO_FILE, &fi);
	ck_assert_int_eq(nr_open, 0);
	ask(&req, ERR, EROFS, open, INO_FILE, &writing);
	ask(&req, ERR, EISDIR, open, KVFS_INO_ROOT, &other);
	ask(&req, ERR, ESTALE, open, 12345, &other);
	/* The caller was interrupted, and sends no RELEASE. */
	gone = true;
	ask(&req, OPEN, 0, open, INO_FILE, &other);
	ck_assert_int_eq(nr_open, 0);
	tear_down();
}
END_TEST

/* Counts the entries of an answer to READDIR or READDIRPLUS that the kernel looked up. */
static int count_entries(const struct fuse_req *req)
{
	return (int)(req->len / FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + 4));
}

START_TEST(directories)
{
	struct fuse_file_info fi = { 0 }, other = { 0 };
	struct fuse_req req;

	set_up();
	ask(&req, ENTRY, 0, lookup, KVFS_INO_ROOT, "file");
	ask(&req, ERR, ENOTDIR, opendir, INO_FILE, &other);
	ask(&req, OPEN, 0, opendir, KVFS_INO_ROOT, &fi);
	/* ".", ".." and four more, whose names are all as long when padded. */
	ask(&req, BUF, 0, readdir, KVFS_INO_ROOT, 4096, 0, &fi);
	ck_assert_int_eq(count_entries(&req), 6);
	ask(&req, BUF, 0, readdir, KVFS_INO_ROOT, 4096, 5, &fi);
	ck_assert_int_eq(count_entries(&req), 1);
	ask(&req, BUF, 0, readdir, KVFS_INO_ROOT, 4096, 6, &fi);
	ck_assert_uint_eq(req.len, 0);
	/* Each entry is looked up, but for the one that cannot be. */
	ask(&req, ERR, ESTALE, getattr, INO_LINK, NULL);
	ask(&req, BUF, 0, readdirplus, KVFS_INO_ROOT, 4096, 0, &fi);
	ask(&req, ATTR, 0, getattr, INO_LINK, NULL);
	ask(&req, ERR, ESTALE, getattr, INO_BAD, NULL);
	/* One that does not fit any more is not looked up. */
	ask(&req, NONE, 0, forget, INO_RING, 1);
	ask(&req, BUF, 0, readdirplus, KVFS_INO_ROOT, 4 * FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS + 4), 0, &fi);
	ask(&req, ERR, ESTALE, getattr, INO_RING, NULL);
	source_error = -EIO;
	ask(&req, ERR, EIO, readdir, KVFS_INO_ROOT, 4096, 2, &fi);
	ask(&req, BUF, 0, readdir, KVFS_INO_ROOT, 4096, 0, &fi);
	ck_assert_int_eq(count_entries(&req), 2);
	source_error = 0;
	failalloc_arm(0);
	ask(&req, ERR, ENOMEM, readdir, KVFS_INO_ROOT, 4096, 0, &fi);
	ck_assert(failalloc_happened());
	ask(&req, ERR, 0, releasedir, KVFS_INO_ROOT, &fi);
	tear_down();
}
END_TEST

START_TEST(attributes)
{
	struct fuse_req req;
	size_t len;

	set_up();
	ask(&req, ENTRY, 0, lookup, KVFS_INO_ROOT, "file");
	ask(&req, XATTR, 0, getxattr, INO_FILE, "user.kview.mode", 0);
	ck_assert_uint_eq(req.len, strlen("copy"));
	ask(&req, BUF, 0, getxattr, INO_FILE, "user.kview.mode", 4);
	ask(&req, ERR, ERANGE, getxattr, INO_FILE, "user.kview.mode", 3);
	ask(&req, ERR, ENODATA, getxattr, INO_FILE, "security.capability", 0);
	ask(&req, ERR, ENODATA, getxattr, INO_FILE, "user.kview.vaddr", 0);
	ask(&req, ERR, ESTALE, getxattr, 12345, "user.kview.mode", 0);
	ask(&req, XATTR, 0, listxattr, INO_FILE, 0);
	len = req.len;
	ask(&req, BUF, 0, listxattr, INO_FILE, len);
	ask(&req, ERR, ERANGE, listxattr, INO_FILE, len - 1);
	ask(&req, ERR, ESTALE, listxattr, 12345, 0);
	ask(&req, STATFS, 0, statfs, KVFS_INO_ROOT);
	tear_down();
}
END_TEST

/* Each request of another user is refused where it names a node, and not where it has a descriptor. */
START_TEST(other_users)
{
	struct fuse_file_info fi, other = { 0 };
	struct fuse_req req;

#define ask_as_other(want_kind, want_err, op, ...) \
	do { \
		req = new_req(); \
		req.ctx.uid = 1000; \
		kvfs_ops_table.op(&req, ##__VA_ARGS__); \
		expect_reply(&req, want_kind, want_err); \
	} while (0)

	set_up();
	fi = open_file("file", INO_FILE);
	ask_as_other(ERR, EACCES, lookup, KVFS_INO_ROOT, "file");
	ask_as_other(ERR, EACCES, getattr, INO_FILE, NULL);
	ask_as_other(ERR, EACCES, readlink, INO_FILE);
	ask_as_other(ERR, EACCES, open, INO_FILE, &other);
	ask_as_other(ERR, EACCES, opendir, KVFS_INO_ROOT, &other);
	ask_as_other(ERR, EACCES, getxattr, INO_FILE, "user.kview.mode", 0);
	ask_as_other(ERR, EACCES, listxattr, INO_FILE, 0);
	ask_as_other(ATTR, 0, getattr, INO_FILE, &fi);
	ask_as_other(BUF, 0, read, INO_FILE, 100, 0, &fi);
	tear_down();
}
END_TEST

START_TEST(what_would_change_something)
{
	struct fuse_file_info fi = { 0 };
	struct stat st = { 0 };
	struct fuse_req req;

	set_up();
	ask(&req, ERR, EROFS, setattr, KVFS_INO_ROOT, &st, 0, NULL);
	ask(&req, ERR, EROFS, mknod, KVFS_INO_ROOT, "x", 0, 0);
	ask(&req, ERR, EROFS, mkdir, KVFS_INO_ROOT, "x", 0);
	ask(&req, ERR, EROFS, unlink, KVFS_INO_ROOT, "x");
	ask(&req, ERR, EROFS, rmdir, KVFS_INO_ROOT, "x");
	ask(&req, ERR, EROFS, symlink, "x", KVFS_INO_ROOT, "y");
	ask(&req, ERR, EROFS, rename, KVFS_INO_ROOT, "x", KVFS_INO_ROOT, "y", 0);
	ask(&req, ERR, EROFS, link, KVFS_INO_ROOT, KVFS_INO_ROOT, "x");
	ask(&req, ERR, EROFS, create, KVFS_INO_ROOT, "x", 0, &fi);
	ask(&req, ERR, EROFS, write, KVFS_INO_ROOT, "x", 1, 0, &fi);
	ask(&req, ERR, EROFS, fallocate, KVFS_INO_ROOT, 0, 0, 1, &fi);
	ask(&req, ERR, EROFS, setxattr, KVFS_INO_ROOT, "x", "y", 1, 0);
	ask(&req, ERR, EROFS, removexattr, KVFS_INO_ROOT, "x");
	tear_down();
}
END_TEST

START_TEST(requests_that_wait)
{
	struct fuse_file_info fi, nonblock;
	struct fuse_req req, other;

	set_up();
	ring_waits = true;
	fi = open_file("ring", INO_RING);
	ck_assert(fi.nonseekable);
	req = new_req();
	kvfs_ops_table.read(&req, INO_RING, 100, 0, &fi);
	/* It waits elsewhere: this thread goes on, and answers others. */
	ask(&other, ATTR, 0, getattr, KVFS_INO_ROOT, NULL);
	ck_assert_int_eq(req.nr_replies, 0);
	ck_assert_int_eq(write(ring[1], "r", 1), 1);
	expect_reply(&req, BUF, 0);
	ck_assert_uint_eq(req.first, 'r');
	/* INTERRUPT ends the wait, whenever it comes. */
	for (int i = 0; i < 50; i++) {
		req = new_req();
		kvfs_ops_table.read(&req, INO_RING, 100, 0, &fi);
		while (!__atomic_load_n(&req.interrupt, __ATOMIC_ACQUIRE))
			sched_yield();
		req.interrupt(&req, req.interrupt_data);
		expect_reply(&req, ERR, EINTR);
	}
	ring_is_stale = true;
	req = new_req();
	kvfs_ops_table.ioctl(&req, INO_RING, 7, NULL, &fi, 0, NULL, 0, 0);
	ck_assert_int_eq(write(ring[1], "i", 1), 1);
	expect_reply(&req, IOCTL, 0);
	ck_assert_int_eq(req.number, 3);
	ck_assert_int_eq(nr_invalidated, 1);
	ask(&req, ERR, ENOTTY, ioctl, INO_RING, 8, NULL, &fi, 0, NULL, 0, 0);
	/* With O_NONBLOCK it is answered at once. */
	ck_assert_int_eq(fcntl(ring[0], F_SETFL, O_NONBLOCK), 0);
	nonblock = fi;
	nonblock.flags = O_NONBLOCK;
	ask(&req, ERR, EAGAIN, read, INO_RING, 100, 0, &nonblock);
	ring_waits = false;
	ask(&req, IOCTL, 0, ioctl, INO_RING, 7, NULL, &fi, 0, NULL, 0, 0);
	source_error = -EIO;
	ask(&req, ERR, EIO, read, INO_RING, 100, 0, &fi);
	source_error = 0;
	tear_down();
}
END_TEST

START_TEST(too_many_wait)
{
	static struct fuse_req reqs[257];
	struct fuse_file_info fi;

	set_up();
	ring_waits = true;
	fi = open_file("ring", INO_RING);
	for (int i = 0; i < 257; i++) {
		reqs[i] = new_req();
		kvfs_ops_table.read(&reqs[i], INO_RING, 1, 0, &fi);
	}
	expect_reply(&reqs[256], ERR, EAGAIN);
	/* The end answers all of them, and further ones at once. */
	ck_assert(kvfs_blocking_stop(server.blocking, -1));
	for (int i = 0; i < 256; i++)
		expect_reply(&reqs[i], ERR, EINTR);
	ask(&reqs[0], ERR, EAGAIN, read, INO_RING, 1, 0, &fi);
	failalloc_arm(0);
	ask(&reqs[0], ERR, ENOMEM, read, INO_RING, 1, 0, &fi);
	ck_assert(failalloc_happened());
	tear_down();
}
END_TEST

START_TEST(polling)
{
	struct fuse_pollhandle *handles[3] = { malloc(1), malloc(1), malloc(1) };
	struct fuse_file_info fi;
	struct fuse_req req;

	set_up();
	fi = open_file("ring", INO_RING);
	ask(&req, POLL, 0, poll, INO_RING, &fi, handles[0]);
	ck_assert_int_eq(req.number, 0);
	/* Asked again, it wakes the caller once. */
	ask(&req, POLL, 0, poll, INO_RING, &fi, handles[1]);
	ck_assert_int_eq(write(ring[1], "p", 1), 1);
	while (!__atomic_load_n(&nr_woken, __ATOMIC_ACQUIRE))
		sched_yield();
	ask(&req, POLL, 0, poll, INO_RING, &fi, NULL);
	ck_assert_int_eq(req.number, POLLIN | POLLRDNORM);
	ask(&req, ERR, 0, release, INO_RING, &fi);
	/* What cannot be watched is ready at once, with an error. */
	fi = open_file("ring", INO_RING);
	close(ring[0]);
	ask(&req, POLL, 0, poll, INO_RING, &fi, handles[2]);
	ck_assert_int_eq(req.number, POLLERR);
	tear_down();
	ck_assert_int_eq(nr_woken, 1);
}
END_TEST

UNIT_MAIN("ops", names, links, files, directories, attributes, other_users, what_would_change_something,
	  requests_that_wait, too_many_wait, polling)
