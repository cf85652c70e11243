// SPDX-License-Identifier: GPL-2.0-only
/* A long read ends soon when its reader is killed, and not for a signal it handles. */
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define PIECES 1000
#define PIECE (2 * MIB)

static int fd;
static struct iovec iov[PIECES];

/* A view of about 2 GiB: one piece of RAM again and again, so that any guest has it. */
static int long_view(void)
{
	static struct kview_extent extents[PIECES];
	unsigned char *buf = aligned_alloc(PAGE, PIECE);
	uint64_t paddr;
	unsigned int i;

	if (!buf || !kv_find_ram(PIECE, PMD, &paddr))
		bail("no 2 MiB");
	for (i = 0; i < PIECES; i++) {
		extents[i] = kv_ram(i * PIECE, PIECE, paddr);
		iov[i] = (struct iovec){ buf, PIECE };
	}
	return kv_create(PIECES * PIECE, extents, PIECES);
}

static void test_killed(void)
{
	int pipes[2], status;
	uint64_t start;
	char byte = 0;
	pid_t pid;

	if (pipe(pipes))
		bail("pipe");
	pid = fork();
	if (!pid) {
		if (write(pipes[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			(void)!preadv(fd, iov, PIECES, 0);
	}
	if (read(pipes[0], &byte, 1) != 1)
		bail("no child");
	kv_sleep_ms(50);
	start = kv_now_ms();
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a reader in a long read is killed");
	start = kv_now_ms() - start;
	ok(start < 5000, "%llu ms after the signal", (unsigned long long)start);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* As for any regular file: profilers and timers must not make reads short. */
static void test_not_interrupted(void)
{
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };
	ssize_t ret;

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	ret = preadv(fd, iov, 32, 0);
	setitimer(ITIMER_REAL, &never, NULL);
	is_int(ret, 32 * PIECE, "a read is whole although a timer fires");
	ok(alarms > 0, "which it did");
}

int main(void)
{
	fd = long_view();
	test_killed();
	test_not_interrupted();
	return finish();
}
