// SPDX-License-Identifier: GPL-2.0-only
/*
 * kviewfs: the order of things from the command line to the last unmount. Exit status: 0 the
 * mount is ready (with -f: it was unmounted), 1 it cannot be made, 2 the command line is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/pool.h"
#include "fuse/backing.h"
#include "fuse/handle.h"
#include "fuse/inode.h"
#include "fuse/log.h"
#include "fuse/ops.h"
#include "fuse/ops_blocking.h"
#include "fuse/readbuf.h"
#include "fuse/session.h"
#include "fuse/status.h"
#include "kviewfs/daemonize.h"
#include "kviewfs/notify.h"
#include "kviewfs/opts.h"
#include "kviewfs/readme.h"
#include "node/text.h"
#include "tree/tree.h"

#define EXIT_USAGE 2

/* Each user of the pool has a lower limit of its own: this one is against mistakes. */
#define MAX_THREADS 8192

/* Numbers of its own files; 1 is the root's. */
#define INO_README KVFS_INO(KVFS_PROVIDER_INFO, 2)
#define INO_STATUS KVFS_INO(KVFS_PROVIDER_INFO, 3)

/* Seconds between two lines about work that takes long. */
#define PROGRESS_SECONDS 2

/* All that a running kviewfs is made of, in the order in which it is made. */
struct daemon {
	struct kvfs_pool *pool;
	struct kvfs_backing *backing;
	struct kvfs_tree *tree;
	struct kvfs_status status;
	struct kvfs_inodes *inodes;
	struct kvfs_ops ops;
	struct kvfs_session *session;
};

/* Keeps the daemon small: see readbuf.h for the rest. */
static void limit_memory(void)
{
	/* A fixed threshold: by default it grows with what is freed, and memory stays. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
	mallopt(M_ARENA_MAX, 2);
	/* Huge pages would round the symbols up by megabytes. Mappings of views are not ours. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

/* Each open file of pid/ has two descriptors, and the usual soft limit is 1,024. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* A file that got the number 0, 1 or 2 would be written to as stderr, or replaced later. */
static void open_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void tell_start(const struct daemon *d, const struct kvfs_opts *opts)
{
	char *line = NULL;
	size_t len;
	FILE *out = open_memstream(&line, &len);

	if (!out)
		return;
	kvfs_status_summarise(&d->status, out);
	if (fclose(out) == 0)
		kvfs_log_info("mounted on %s: %s", opts->mountpoint, line);
	free(line);
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void tell_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	time_t *last = arg;

	if (now() - *last < PROGRESS_SECONDS)
		return;
	*last = now();
	kvfs_log_info("putting %s in order: %.0f %%", what, total ? 100.0 * (double)done / (double)total : 0);
}

static void write_status(void *arg, FILE *out)
{
	kvfs_status_write(arg, out);
}

/* The tree, with the files that are kviewfs's own. */
static int create_tree(struct daemon *d, const struct kvfs_opts *opts, unsigned int threads,
		       struct kvfs_err *err)
{
	struct kvfs_config config = opts->config;
	const char *tmpdir = getenv("TMPDIR");
	time_t last = now();
	char *readme;
	int ret;

	if (tmpdir && *tmpdir)
		config.tmpdir = tmpdir;
	config.pool = d->pool;
	config.threads = threads;
	config.progress = tell_progress;
	config.progress_arg = &last;
	ret = kvfs_tree_create(&config, &d->tree, err);
	if (ret < 0)
		return ret;
	d->status.kmod = kvfs_tree_kmod(d->tree, &d->status.kmod_reason);
	d->status.backing = d->backing;
	d->status.root = kvfs_tree_root(d->tree);
	readme = strdup(kvfs_readme);
	ret = !readme ? -ENOMEM :
	      kvfs_tree_add(d->tree, "README",
			    kvfs_text_create("README", INO_README, KVFS_INO_ROOT, readme, strlen(readme)));
	if (ret == 0)
		ret = kvfs_tree_add(d->tree, "status",
				    kvfs_text_create_rendered("status", INO_STATUS, KVFS_INO_ROOT,
							      write_status, &d->status));
	return ret < 0 ? kvfs_err_sys(err, -ret, "the tree") : 0;
}

static int set_up(struct daemon *d, const struct kvfs_opts *opts, struct kvfs_err *err)
{
	unsigned int threads = kvfs_session_threads(opts->single);
	struct kvfs_session_config config = {
		.mountpoint = opts->mountpoint,
		.allow_other = opts->allow_other,
		.debug = opts->debug,
		.single = opts->single,
		.ops = &d->ops,
	};
	int ret;

	if (geteuid() != 0)
		return kvfs_err_set(err, EPERM, "only root can mount kviewfs");
	if (kvfs_pool_create(MAX_THREADS, &d->pool) < 0 || kvfs_backing_create(&d->backing) < 0)
		return kvfs_err_sys(err, ENOMEM, "kviewfs");
	config.pool = d->pool;
	ret = create_tree(d, opts, threads, err);
	if (ret < 0)
		return ret;
	if (kvfs_inodes_create(kvfs_tree_root(d->tree), &d->inodes) < 0)
		return kvfs_err_sys(err, ENOMEM, "kviewfs");
	d->ops.inodes = d->inodes;
	d->ops.backing = d->backing;
	d->ops.allow_other = opts->allow_other;
	kvfs_handles_init(&d->ops.handles);
	ret = kvfs_blocking_create(d->pool, &d->ops.blocking);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "cannot set up polling");
	clock_gettime(CLOCK_REALTIME, &d->ops.mounted_at);
	ret = kvfs_session_create(&config, &d->session, err);
	if (ret < 0)
		return ret;
	kvfs_backing_probe(d->backing, kvfs_session_fd(d->session));
	kvfs_status_rehearse(&d->status);
	if (opts->config.module == KVFS_MODULE_REQUIRE) {
		ret = kvfs_status_require_backing(&d->status, err);
		if (ret < 0)
			return kvfs_err_prefix(err, "module=require");
	}
	return kvfs_session_start(d->session, err);
}

static void tear_down(struct daemon *d)
{
	kvfs_session_destroy(d->session);
	kvfs_blocking_destroy(d->ops.blocking);
	kvfs_inodes_destroy(d->inodes);
	kvfs_tree_destroy(d->tree);
	kvfs_backing_destroy(d->backing);
	kvfs_pool_destroy(d->pool);
	kvfs_readbuf_deinit();
}

static int run(const struct kvfs_opts *opts)
{
	struct kvfs_daemonize daemonize = { .fd = -1 };
	struct kvfs_err err = { 0 };
	struct daemon d = { 0 };
	int ret, sig;

	if (!opts->foreground) {
		ret = kvfs_daemonize_begin(&daemonize);
		if (ret < 0) {
			kvfs_log_error("cannot become a daemon: %s", strerror(-ret));
			return EXIT_FAILURE;
		}
	}
	ret = set_up(&d, opts, &err);
	if (ret < 0) {
		kvfs_log_error("%s", err.msg);
		tear_down(&d);
		return EXIT_FAILURE;
	}
	tell_start(&d, opts);
	if (!opts->foreground)
		kvfs_daemonize_ready(&daemonize);
	ret = kvfs_notify_ready();
	if (ret < 0)
		kvfs_log_warn("cannot notify the service manager: %s", strerror(-ret));
	sig = kvfs_session_wait(d.session);
	kvfs_notify("STOPPING=1");
	if (sig)
		kvfs_log_info("%s: unmounting %s", strsignal(sig), opts->mountpoint);
	if (kvfs_session_is_stuck(d.session)) {
		kvfs_log_warn("%s: a source does not answer; its readers get an error", opts->mountpoint);
		kvfs_session_abandon(d.session);
		_exit(EXIT_SUCCESS);
	}
	tear_down(&d);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct kvfs_err err = { 0 };
	struct kvfs_opts opts;
	int ret;

	open_standard_fds();
	limit_memory();
	allow_descriptors();
	kvfs_log_init(false);
	ret = kvfs_opts_parse(argc, argv, &opts, &err);
	if (ret < 0) {
		kvfs_log_error("%s (kviewfs --help tells more)", err.msg);
		ret = EXIT_USAGE;
	} else if (opts.action == KVFS_ACTION_HELP) {
		kvfs_opts_usage(stdout);
		ret = fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	} else if (opts.action == KVFS_ACTION_VERSION) {
		printf("kviewfs %s, libfuse %s\n", KVFS_VERSION, kvfs_backing_libfuse_version());
		ret = fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	} else {
		kvfs_log_init(opts.debug);
		ret = run(&opts);
	}
	kvfs_opts_deinit(&opts);
	return ret;
}
