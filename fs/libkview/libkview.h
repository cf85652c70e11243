/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libkview: memory of the running kernel, of processes, of trace rings and of crash dumps as a
 * tree of files, without a mount. It is what kviewfs shows; docs/views.md describes the files.
 *
 *	struct kview *kview;
 *	struct kview_file *file;
 *	struct kview_error error;
 *
 *	if (kview_open("vmcore=/var/crash/dump,module=no", &kview, &error) < 0 ||
 *	    kview_file_open(kview, "vmcore/ram", &file, &error) < 0)
 *		errx(1, "%s", error.msg);
 *	n = kview_file_pread(file, buf, len, paddr);
 *
 * Paths are relative to the root; "" is the root itself, slashes at either end are ignored, "."
 * and ".." have no meaning. Symbolic links (pid/self) are followed unless said otherwise, and
 * pid/self is the calling process.
 *
 * Errors. Functions return 0 or a length, or -errno. -ENOENT, -ENOTDIR, -EISDIR and -ENOMEM mean
 * what they do in open(2); -ENOTUNIQ is a symbol's name that several symbols have. Any other is
 * what the source of the bytes failed with. A function with a struct kview_error * fills it in
 * when it fails; NULL is allowed there.
 *
 * Threads. All functions may be called by any number of threads at once, with these exceptions:
 * one struct kview_dir serves one thread at a time, and what is closed must not be in use.
 * Files and directories must be closed before the struct kview that they come from.
 *
 * The process. The library starts threads of its own, which take no signals of the program, and
 * keeps descriptors open; a child of fork(2) must not use it. It writes nothing to stdout, stderr
 * or a log, changes no resource limit, and reads no environment variable. Two things hold for all
 * trees of a process: nouring, and which tracefs was found first. The process needs the
 * capabilities that kviewfs needs; what it may not show is missing (kview_dir_missing()).
 */
#ifndef LIBKVIEW_H
#define LIBKVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kview;			/* opaque: an open tree */
struct kview_dir;		/* opaque: an open directory */
struct kview_file;		/* opaque: an open file */

/* Provided by the caller. All zero means no error. */
struct kview_error {
	int errnum;		/* positive errno */
	char msg[512];		/* one line without a newline: what failed, and why */
};

enum kview_kind {
	KVIEW_KIND_DIR,
	KVIEW_KIND_FILE,
	KVIEW_KIND_SYMLINK,
};

/* Where the bytes of a file come from when it is read. docs/architecture.md has the modes. */
enum kview_mode {
	KVIEW_MODE_COPY,	/* each read copies them; kview_file_fd() has no descriptor */
	KVIEW_MODE_DIRECT,	/* kview_file_fd() reads and maps the kernel's own pages, or the dump */
	KVIEW_MODE_SPLIT,	/* kview_file_fd() maps them; reads are copies */
	KVIEW_MODE_CACHED,	/* as KVIEW_MODE_COPY, and they never change */
};

struct kview_stat {
	enum kview_kind kind;
	enum kview_mode mode;	/* of a file; as far as is known without opening the source */
	uint64_t ino;		/* identifies what is shown; unique in the tree */
	uint64_t size;		/* bytes; 0 if only a read tells */
	uint64_t data_len;	/* bytes that are not in holes */
};

struct kview_dirent {
	char name[1024];	/* NUL-terminated */
	enum kview_kind kind;
};

/*
 * Opens a tree. options are those mount options of kviewfs(8) that concern memory: cache, device,
 * kallsyms, kcore, module, mount_tracefs, nomodule, nouring, tracefs, vmcore; separated by commas,
 * with a backslash before a comma that belongs to a value. NULL and "" mean none. With module=require it
 * fails if the module cannot be used. A flattened dump is copied to /var/tmp; otherwise only
 * headers are read. Returns 0 and *out for the caller to close, -EINVAL for an option that is
 * wrong, or why a file that options name cannot be used.
 */
int kview_open(const char *options, struct kview **out, struct kview_error *error);

/* Frees the tree and all that belongs to it. NULL is allowed. */
void kview_close(struct kview *kview);

/* What path is. A symbolic link at its end is not followed. */
int kview_stat(struct kview *kview, const char *path, struct kview_stat *out, struct kview_error *error);

/*
 * Writes the target of a symbolic link into buf, NUL-terminated. Returns its length, -EINVAL for
 * anything else than a link, or -ERANGE if it does not fit into len bytes.
 */
ssize_t kview_readlink(struct kview *kview, const char *path, char *buf, size_t len);

/*
 * Writes the value of an attribute of path into buf, NUL-terminated: "user.kview.mode" and the
 * others that getfattr(1) shows in a mount. Returns its length without the NUL, -ENODATA if path
 * has no such attribute, or -ERANGE if it does not fit into len bytes; 512 bytes are enough.
 */
ssize_t kview_attr(struct kview *kview, const char *path, const char *name, char *buf, size_t len);

/* The name of the i-th attribute that there may be, from 0; NULL past the last. */
const char *kview_attr_name(size_t i);

/* Opens a directory for listing. *out is the caller's to close. -ENOTDIR for anything else. */
int kview_dir_open(struct kview *kview, const char *path, struct kview_dir **out, struct kview_error *error);

/* NULL is allowed. */
void kview_dir_close(struct kview_dir *dir);

/*
 * The next entry, without "." and "..". Returns 1, 0 past the last entry, or -errno. Entries that
 * come and go meanwhile (pid/) may be listed or not; each is listed once at most.
 */
int kview_dir_read(struct kview_dir *dir, struct kview_dirent *out);

/*
 * The i-th entry, from 0, that belongs into dir and is missing. Returns false past the last one.
 * *name and *reason are borrowed until dir is closed.
 */
bool kview_dir_missing(struct kview_dir *dir, size_t i, const char **name, const char **reason);

/*
 * Opens a file for reading. *out is the caller's to close. -EISDIR for a directory. Its source
 * may be asked for memory or rights, so that any error of open(2) is possible.
 */
int kview_file_open(struct kview *kview, const char *path, struct kview_file **out, struct kview_error *error);

/* NULL is allowed. Descriptors of kview_file_fd() stay valid. */
void kview_file_close(struct kview_file *file);

/* As kview_stat(), of an open file: its size does not change while it is open, where it is known. */
int kview_file_stat(struct kview_file *file, struct kview_stat *out);

/*
 * Reads [off, off + len) into buf. Holes are zeros. Returns the bytes read, which are less than
 * len only at the end of the file or before a byte that cannot be read; 0 at or past the end;
 * -errno if the first byte cannot be read, -EOVERFLOW for an offset above INT64_MAX. Blocks for
 * as long as the source does; -EINTR if a signal handler interrupted that.
 */
ssize_t kview_file_pread(struct kview_file *file, void *buf, size_t len, uint64_t off);

/*
 * Whether there are no offsets, only what comes next: trace rings that this kernel cannot map.
 * kview_file_pread() ignores off then, returns what there is, and waits if that is nothing.
 */
bool kview_file_is_stream(struct kview_file *file);

/*
 * Finds the first byte at or after off that is data (whence SEEK_DATA) or in a hole (SEEK_HOLE;
 * the end of the file is one). Returns 0 and *out, -ENXIO at or past the end or if there is no
 * more data, or -EINVAL for any other whence.
 */
int kview_file_seek(struct kview_file *file, uint64_t off, int whence, uint64_t *out);

/*
 * A descriptor that can be mapped with MAP_SHARED and PROT_READ: a view of the kview module, the
 * ring of a trace file, or the dump itself where vmcore/core is that. In mode direct it can also
 * be read, with the offsets of the file; in mode split it cannot. Pages that may no longer be
 * shown become zeros. The end of a dump that is truncated, and memory with an uncorrected error,
 * raise SIGBUS. Returns a descriptor with FD_CLOEXEC that the caller owns, -EOPNOTSUPP with the
 * reason if the file is only copied, or -errno with the reason why there is none now.
 */
int kview_file_fd(struct kview_file *file, struct kview_error *error);

#endif /* LIBKVIEW_H */
