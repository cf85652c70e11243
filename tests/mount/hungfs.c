// SPDX-License-Identifier: GPL-2.0-only
/*
 * hungfs MOUNTPOINT FILE [direct]: a file system with one file, MOUNTPOINT/dump, that has the bytes
 * of FILE. With `direct` it is not cached: then a reader that waits cannot be killed.
 *
 * Commands on stdin, a byte each: h, from now on READ requests are held and not answered; a, those
 * that are held are answered, and further ones at once. Prints "ready" when it can be used, "hangs"
 * in answer to h, and "held N" for each request that it holds. Runs until it is unmounted or stdin
 * is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INO_DUMP 2
#define MAX_HELD 4096

struct held {
	fuse_req_t req;
	size_t size;
	off_t off;
};

static int file;
static bool hang, direct;
static struct held held[MAX_HELD];
static size_t nr_held;

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

static void fill_stat(fuse_ino_t ino, struct stat *st)
{
	struct stat of_file;

	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == INO_DUMP ? S_IFREG | 0400 : S_IFDIR | 0500;
	st->st_nlink = 1;
	if (ino == INO_DUMP && fstat(file, &of_file) == 0)
		st->st_size = of_file.st_size;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	/*
	 * Above its limit the kernel makes background reads, in which a reader can be killed, ones in
	 * which it cannot.
	 */
	conn->max_background = MAX_HELD;
	conn->congestion_threshold = MAX_HELD;
	say("ready");
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .ino = INO_DUMP, .attr_timeout = 3600, .entry_timeout = 3600 };

	if (strcmp(name, "dump") != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fill_stat(INO_DUMP, &e.attr);
	fuse_reply_entry(req, &e);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	fill_stat(ino, &st);
	fuse_reply_attr(req, &st, 3600);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fi->direct_io = direct;
	/* Or an open would wait for reads, to drop what is cached. */
	fi->keep_cache = !direct;
	fuse_reply_open(req, fi);
}

static void answer(fuse_req_t req, size_t size, off_t off)
{
	char *buf = malloc(size);
	ssize_t ret = buf ? pread(file, buf, size, off) : -1;

	if (ret < 0)
		fuse_reply_err(req, EIO);
	else
		fuse_reply_buf(req, buf, (size_t)ret);
	free(buf);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	char line[32];

	if (!hang || nr_held == MAX_HELD) {
		answer(req, size, off);
		return;
	}
	held[nr_held++] = (struct held){ .req = req, .size = size, .off = off };
	snprintf(line, sizeof(line), "held %zu", nr_held);
	say(line);
}

static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.read = op_read,
};

/* Returns false at the end of stdin. */
static bool obey(void)
{
	char c;

	if (read(STDIN_FILENO, &c, 1) != 1)
		return false;
	hang = c == 'h';
	if (hang)
		say("hangs");
	while (!hang && nr_held > 0) {
		nr_held--;
		answer(held[nr_held].req, held[nr_held].size, held[nr_held].off);
	}
	return true;
}

int main(int argc, char *argv[])
{
	char *args_v[] = { argv[0], NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, args_v);
	struct fuse_session *session;
	struct fuse_buf buf = { 0 };
	struct pollfd fds[2];

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: hungfs MOUNTPOINT FILE [direct]\n");
		return 2;
	}
	direct = argc == 4;
	file = open(argv[2], O_RDONLY | O_CLOEXEC);
	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (file < 0 || !session || fuse_session_mount(session, argv[1]) != 0) {
		perror("hungfs");
		return 1;
	}
	fds[0] = (struct pollfd){ .fd = fuse_session_fd(session), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	while (!fuse_session_exited(session)) {
		int ret = 1;

		if (poll(fds, 2, -1) < 0)
			break;
		if (fds[1].revents && !obey())
			break;
		if (fds[0].revents)
			ret = fuse_session_receive_buf(session, &buf);
		if (ret > 0 && fds[0].revents)
			fuse_session_process_buf(session, &buf);
		else if (ret <= 0 && ret != -EINTR && ret != -EAGAIN)
			break;
	}
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	return 0;
}
