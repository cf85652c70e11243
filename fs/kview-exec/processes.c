// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of libc that start programs or processes. Both get the open files, and with
 * them the file positions, so the kernel has to know the positions by then. libc's functions
 * do not call each other by name, so each is stood in for.
 */
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kview-exec/fds.h"
#include "kview-exec/memory.h"
#include "kview-exec/real.h"

#define EXPORT __attribute__((visibility("default")))

/* Most arguments that execl(3) and its kin pass on; libc has no limit, and no such caller. */
#define MAX_ARGS 1024

EXPORT pid_t fork(void)
{
	pid_t pid;

	kvfs_fds_share_all();
	pid = REAL(fork)();
	if (pid == 0)
		kvfs_memory_forked();
	return pid;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	kvfs_fds_share_all();
	return REAL(execve)(path, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
	kvfs_fds_share_all();
	return REAL(execv)(path, argv);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	kvfs_fds_share_all();
	return REAL(execvp)(file, argv);
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	kvfs_fds_share_all();
	return REAL(execvpe)(file, argv, envp);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	kvfs_fds_share_all();
	return REAL(fexecve)(fd, argv, envp);
}

EXPORT int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	kvfs_fds_share_all();
	return REAL(execveat)(dir, path, argv, envp, flags);
}

/* Puts arg and what follows it, up to the NULL, into argv. */
static int collect(const char *arg, va_list ap, char **argv)
{
	size_t n = 0;

	for (argv[n] = (char *)arg; argv[n]; argv[n] = va_arg(ap, char *)) {
		if (++n == MAX_ARGS) {
			errno = E2BIG;
			return -1;
		}
	}
	return 0;
}

EXPORT int execl(const char *path, const char *arg, ...)
{
	char *argv[MAX_ARGS];
	va_list ap;
	int ret;

	va_start(ap, arg);
	ret = collect(arg, ap, argv);
	va_end(ap);
	return ret < 0 ? ret : execv(path, argv);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	char *argv[MAX_ARGS];
	va_list ap;
	int ret;

	va_start(ap, arg);
	ret = collect(arg, ap, argv);
	va_end(ap);
	return ret < 0 ? ret : execvp(file, argv);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	char *argv[MAX_ARGS];
	char *const *envp;
	va_list ap;
	int ret;

	va_start(ap, arg);
	ret = collect(arg, ap, argv);
	envp = ret < 0 ? NULL : va_arg(ap, char *const *);
	va_end(ap);
	return ret < 0 ? ret : execve(path, argv, envp);
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	kvfs_fds_share_all();
	return REAL(posix_spawn)(pid, path, actions, attr, argv, envp);
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	kvfs_fds_share_all();
	return REAL(posix_spawnp)(pid, file, actions, attr, argv, envp);
}

EXPORT int system(const char *command)
{
	kvfs_fds_share_all();
	return REAL(system)(command);
}

EXPORT FILE *popen(const char *command, const char *type)
{
	kvfs_fds_share_all();
	return REAL(popen)(command, type);
}
