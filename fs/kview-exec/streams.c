// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams: gdb opens /proc/kcore with fopen(3) and reads it with fseeko(3) and fread(3), whose
 * system calls are made inside libc, where they are not seen.
 *
 * A stream of /proc/kcore has a position here, and libc's stream is not moved until a
 * function that is not answered here, such as fgets(3), needs it: then it is moved to where
 * the tool is. libc's buffer is empty meanwhile, so that getc_unlocked(3), which reads it in the
 * tool itself, has to call __uflow().
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kview-exec/fds.h"
#include "kview-exec/memory.h"
#include "kview-exec/real.h"

#define EXPORT __attribute__((visibility("default")))
#define ALIAS(of) __attribute__((visibility("default"), alias(#of), copy(of)))

int _IO_getc(FILE *file);

/* Macros of <stdio.h>, with optimisation. */
#undef fread_unlocked
#undef getc
#undef getc_unlocked
#undef fgetc_unlocked

/* Streams of /proc/kcore that are followed at a time; further ones are libc's own affair. */
#define MAX_STREAMS 16

struct stream {
	FILE *file;		/* NULL: a free slot */
	int64_t pos;		/* where the tool is, if ahead; else libc knows */
	bool ahead;
	bool pushed;		/* a byte was pushed back since the last seek: libc has it */
};

static struct stream streams[MAX_STREAMS];
static int nr_streams;		/* slots that were ever used */
static int turn;		/* 1 while a thread changes file of a slot */

static void take_turn(void)
{
	while (__atomic_exchange_n(&turn, 1, __ATOMIC_ACQUIRE))
		;
}

static void end_turn(void)
{
	__atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
}

static struct stream *find(FILE *file)
{
	int n = __atomic_load_n(&nr_streams, __ATOMIC_ACQUIRE);

	for (int i = 0; i < n; i++)
		if (__atomic_load_n(&streams[i].file, __ATOMIC_RELAXED) == file)
			return &streams[i];
	return NULL;
}

static void forget(FILE *file)
{
	struct stream *stream = find(file);

	if (stream)
		__atomic_store_n(&stream->file, NULL, __ATOMIC_RELEASE);
}

/* Begins to follow a stream that was just opened, if it is one to follow. */
static FILE *follow(FILE *file)
{
	int saved = errno;

	if (!file)
		return NULL;
	/* The number may have been another file's. */
	kvfs_fds_forget(fileno(file));
	if (!__fwritable(file) && kvfs_fds_is_kcore(fileno(file))) {
		take_turn();
		for (int i = 0; i < MAX_STREAMS; i++) {
			if (streams[i].file)
				continue;
			streams[i].ahead = streams[i].pushed = false;
			__atomic_store_n(&streams[i].file, file, __ATOMIC_RELEASE);
			if (i >= nr_streams)
				__atomic_store_n(&nr_streams, i + 1, __ATOMIC_RELEASE);
			break;
		}
		end_turn();
	}
	errno = saved;
	return file;
}

/* Where the tool is in the stream, or -1. */
static int64_t position(struct stream *stream)
{
	return stream->ahead ? stream->pos : REAL(ftello64)(stream->file);
}

/* Moves libc's stream to where the tool is. Returns 0 or -1 with errno set. */
static int catch_up(struct stream *stream)
{
	if (!stream->ahead)
		return 0;
	stream->ahead = false;
	return REAL(fseeko64)(stream->file, stream->pos, SEEK_SET);
}

/* The same for a file that may not be followed, before libc is to do something with it. */
static void hand_over(FILE *file)
{
	struct stream *stream = __atomic_load_n(&nr_streams, __ATOMIC_RELAXED) ? find(file) : NULL;

	if (!stream)
		return;
	flockfile(file);
	catch_up(stream);
	funlockfile(file);
}

/*
 * The tool is at pos from here on. What libc has buffered is dropped; a flush can fail only for
 * what no stream of /proc/kcore is, and then libc answers. Returns whether it worked.
 */
static bool go_ahead(struct stream *stream, int64_t pos)
{
	if (!stream->ahead && REAL(fflush_unlocked)(stream->file) != 0)
		return false;
	stream->pos = pos;
	stream->ahead = true;
	return true;
}

/* Reads at the tool's position. Returns bytes, less than len where the kernel ends or fails. */
static size_t read_stream(struct stream *stream, void *buf, size_t len)
{
	int64_t pos = position(stream);
	ssize_t n;

	if (pos < 0)
		return 0;
	if (stream->pushed)
		return REAL(fread_unlocked)(buf, 1, len, stream->file);
	n = kvfs_memory_pread(fileno_unlocked(stream->file), buf, len, (uint64_t)pos);
	if (n == (ssize_t)len && go_ahead(stream, pos + n))
		return len;
	/* An end or an error is libc's to note, which feof(3) and ferror(3) look at. */
	if (REAL(fseeko64)(stream->file, pos, SEEK_SET) < 0)
		return 0;
	stream->ahead = false;
	return REAL(fread_unlocked)(buf, 1, len, stream->file);
}

EXPORT size_t fread_unlocked(void *buf, size_t size, size_t n, FILE *file)
{
	struct stream *stream = __atomic_load_n(&nr_streams, __ATOMIC_RELAXED) ? find(file) : NULL;
	size_t len;

	if (!stream || __builtin_mul_overflow(size, n, &len) || len == 0) {
		hand_over(file);
		return REAL(fread_unlocked)(buf, size, n, file);
	}
	return read_stream(stream, buf, len) / size;
}

EXPORT size_t fread(void *buf, size_t size, size_t n, FILE *file)
{
	size_t ret;

	if (!__atomic_load_n(&nr_streams, __ATOMIC_RELAXED) || !find(file))
		return REAL(fread)(buf, size, n, file);
	flockfile(file);
	ret = fread_unlocked(buf, size, n, file);
	funlockfile(file);
	return ret;
}

size_t __fread_chk(void *buf, size_t buf_len, size_t size, size_t n, FILE *file);
size_t __fread_unlocked_chk(void *buf, size_t buf_len, size_t size, size_t n, FILE *file);

static bool fits(size_t buf_len, size_t size, size_t n)
{
	size_t len;

	return !__builtin_mul_overflow(size, n, &len) && len <= buf_len;
}

EXPORT size_t __fread_chk(void *buf, size_t buf_len, size_t size, size_t n, FILE *file)
{
	if (!fits(buf_len, size, n))
		return REAL(__fread_chk)(buf, buf_len, size, n, file);
	return fread(buf, size, n, file);
}

EXPORT size_t __fread_unlocked_chk(void *buf, size_t buf_len, size_t size, size_t n, FILE *file)
{
	if (!fits(buf_len, size, n))
		return REAL(__fread_unlocked_chk)(buf, buf_len, size, n, file);
	return fread_unlocked(buf, size, n, file);
}

EXPORT int fseeko64(FILE *file, off64_t off, int whence)
{
	struct stream *stream = __atomic_load_n(&nr_streams, __ATOMIC_RELAXED) ? find(file) : NULL;
	int64_t pos = whence == SEEK_SET ? 0 : -1;

	if (!stream)
		return REAL(fseeko64)(file, off, whence);
	flockfile(file);
	if (whence == SEEK_CUR)
		pos = position(stream);
	if (pos < 0 || __builtin_add_overflow(pos, off, &pos) || pos < 0 || feof_unlocked(file) ||
	    ferror_unlocked(file) || !go_ahead(stream, pos)) {
		int ret = catch_up(stream);

		if (ret == 0)
			ret = REAL(fseeko64)(file, off, whence);
		stream->pushed = stream->pushed && ret < 0;
		funlockfile(file);
		return ret;
	}
	stream->pushed = false;
	funlockfile(file);
	return 0;
}
ALIAS(fseeko64) int fseeko(FILE *file, off_t off, int whence);
ALIAS(fseeko64) int fseek(FILE *file, long off, int whence);

EXPORT off64_t ftello64(FILE *file)
{
	struct stream *stream = __atomic_load_n(&nr_streams, __ATOMIC_RELAXED) ? find(file) : NULL;

	off64_t pos;

	if (!stream)
		return REAL(ftello64)(file);
	flockfile(file);
	pos = position(stream);
	funlockfile(file);
	return pos;
}
ALIAS(ftello64) off_t ftello(FILE *file);
ALIAS(ftello64) long ftell(FILE *file);

EXPORT void rewind(FILE *file)
{
	hand_over(file);
	REAL(rewind)(file);
}

/* Opening and closing. */

EXPORT FILE *fopen64(const char *path, const char *mode)
{
	return follow(REAL(fopen64)(path, mode));
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
	return follow(REAL(fopen)(path, mode));
}

EXPORT FILE *fdopen(int fd, const char *mode)
{
	kvfs_fds_share(fd);
	return follow(REAL(fdopen)(fd, mode));
}

/* libc is about to close the descriptor of a stream. errno stays as it is. */
static void closing(FILE *file)
{
	int saved = errno, fd = fileno(file);

	hand_over(file);
	forget(file);
	if (fd >= 0)
		kvfs_fds_forget(fd);
	errno = saved;
}

EXPORT FILE *freopen64(const char *path, const char *mode, FILE *file)
{
	closing(file);
	return follow(REAL(freopen64)(path, mode, file));
}
ALIAS(freopen64) FILE *freopen(const char *path, const char *mode, FILE *file);

EXPORT int fclose(FILE *file)
{
	closing(file);
	return REAL(fclose)(file);
}

/* What is not answered here: libc's stream is first where the tool is. */

EXPORT int fgetc(FILE *file)
{
	hand_over(file);
	return REAL(fgetc)(file);
}
ALIAS(fgetc) int getc(FILE *file);
ALIAS(fgetc) int _IO_getc(FILE *file);	/* of programs that an old glibc's headers built */

EXPORT int getc_unlocked(FILE *file)
{
	hand_over(file);
	return REAL(getc_unlocked)(file);
}
ALIAS(getc_unlocked) int fgetc_unlocked(FILE *file);

int __underflow(FILE *file);

/* An inlined getc_unlocked() calls it when the buffer is empty. */
EXPORT int __uflow(FILE *file)
{
	hand_over(file);
	return REAL(__uflow)(file);
}

EXPORT int __underflow(FILE *file)
{
	hand_over(file);
	return REAL(__underflow)(file);
}

EXPORT int getw(FILE *file)
{
	hand_over(file);
	return REAL(getw)(file);
}

/* How many bytes are pushed back is known to libc alone, so it answers until the next seek. */
EXPORT int ungetc(int c, FILE *file)
{
	struct stream *stream = __atomic_load_n(&nr_streams, __ATOMIC_RELAXED) ? find(file) : NULL;
	int ret;

	if (!stream)
		return REAL(ungetc)(c, file);
	flockfile(file);
	catch_up(stream);
	ret = REAL(ungetc)(c, file);
	stream->pushed = stream->pushed || ret != EOF;
	funlockfile(file);
	return ret;
}

EXPORT char *fgets(char *buf, int len, FILE *file)
{
	hand_over(file);
	return REAL(fgets)(buf, len, file);
}

char *__fgets_chk(char *buf, size_t buf_len, int len, FILE *file);

EXPORT char *__fgets_chk(char *buf, size_t buf_len, int len, FILE *file)
{
	hand_over(file);
	return REAL(__fgets_chk)(buf, buf_len, len, file);
}

EXPORT char *fgets_unlocked(char *buf, int len, FILE *file)
{
	hand_over(file);
	return REAL(fgets_unlocked)(buf, len, file);
}

char *__fgets_unlocked_chk(char *buf, size_t buf_len, int len, FILE *file);

EXPORT char *__fgets_unlocked_chk(char *buf, size_t buf_len, int len, FILE *file)
{
	hand_over(file);
	return REAL(__fgets_unlocked_chk)(buf, buf_len, len, file);
}

/* glibc's headers make this of getline() in optimised programs. */
EXPORT ssize_t __getdelim(char **line, size_t *len, int delimiter, FILE *file)
{
	hand_over(file);
	return REAL(__getdelim)(line, len, delimiter, file);
}

EXPORT ssize_t getdelim(char **line, size_t *len, int delimiter, FILE *file)
{
	hand_over(file);
	return REAL(getdelim)(line, len, delimiter, file);
}

EXPORT ssize_t getline(char **line, size_t *len, FILE *file)
{
	hand_over(file);
	return REAL(getline)(line, len, file);
}

/*
 * fscanf(3) and vfscanf(3), of which libc has one pair for each standard of C. <stdio.h> gives
 * the first pair the names of another, so they are declared here by their own.
 */
#define SCANF(prefix)                                                                        \
	int kvfs_##prefix##vfscanf(FILE *file, const char *format, va_list args)             \
		__asm__(#prefix "vfscanf");                                                  \
	int kvfs_##prefix##fscanf(FILE *file, const char *format, ...)                       \
		__asm__(#prefix "fscanf");                                                   \
	EXPORT int kvfs_##prefix##vfscanf(FILE *file, const char *format, va_list args)      \
	{                                                                                    \
		static int (*real)(FILE *file, const char *format, va_list args);            \
                                                                                             \
		if (!__atomic_load_n(&real, __ATOMIC_RELAXED))                               \
			__atomic_store_n(&real, (__typeof__(real))                           \
					 kvfs_real_find(#prefix "vfscanf"), __ATOMIC_RELAXED); \
		hand_over(file);                                                             \
		return real(file, format, args);                                             \
	}                                                                                    \
	EXPORT int kvfs_##prefix##fscanf(FILE *file, const char *format, ...)                \
	{                                                                                    \
		va_list args;                                                                \
		int ret;                                                                     \
                                                                                             \
		va_start(args, format);                                                      \
		ret = kvfs_##prefix##vfscanf(file, format, args);                            \
		va_end(args);                                                                \
		return ret;                                                                  \
	}

SCANF()
SCANF(__isoc99_)
SCANF(__isoc23_)

EXPORT int fgetpos64(FILE *file, fpos64_t *pos)
{
	hand_over(file);
	return REAL(fgetpos64)(file, pos);
}
ALIAS(fgetpos64) int fgetpos(FILE *file, fpos_t *pos);

EXPORT int fsetpos64(FILE *file, const fpos64_t *pos)
{
	hand_over(file);
	return REAL(fsetpos64)(file, pos);
}
ALIAS(fsetpos64) int fsetpos(FILE *file, const fpos_t *pos);

EXPORT int fflush(FILE *file)
{
	if (file)
		hand_over(file);
	return REAL(fflush)(file);
}
