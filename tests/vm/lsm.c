// SPDX-License-Identifier: GPL-2.0-only
/*
 * On a kernel with SELinux, which has a policy, and with IMA's policy `tcb`: a view is no private
 * file, which LSMs do not look at, and a process that waits for IMA to hash all of RAM can be killed.
 *
 * usage: lsm KCORE_RAM
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define POLICY "/sys/kernel/security/ima/policy"
#define RULES "policy.ima"

/* Bytes that a process has read so far, also if it has ended and was not waited for; -1: unknown. */
static long long rchar(pid_t pid)
{
	char path[64], text[512], *at;

	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	if (kv_read_file(path, text, sizeof(text)) <= 0)
		return -1;
	at = strstr(text, "rchar: ");
	return at ? strtoll(at + 7, NULL, 10) : -1;
}

/* A private file has no label: fgetxattr() does not even ask SELinux. */
static void test_label(void)
{
	char label[256] = "";
	ssize_t len = fgetxattr(kv_ram_view(), "security.selinux", label, sizeof(label) - 1);

	ok(len > 0, "SELinux has a label for a view: %s", len > 0 ? label : strerror(errno));
}

static pid_t start_open(const char *path)
{
	pid_t pid = fork();

	if (!pid)
		_exit(open(path, O_RDONLY | O_CLOEXEC) < 0);
	return pid;
}

/* Ends when the process has read @bytes, or has ended. */
static void await_bytes(pid_t pid, long long bytes)
{
	siginfo_t info = { 0 };

	while (!info.si_pid && rchar(pid) < bytes) {
		waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG);
		kv_sleep_ms(1);
	}
}

static void test_killed(const char *path)
{
	pid_t pid = start_open(path);
	long long bytes, size = (long long)kv_ram_end();
	siginfo_t info;
	int status;

	await_bytes(pid, 4 * (long long)MIB);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	bytes = rchar(pid);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status), "a process that opens it is killed");
	ok(bytes >= 4 * (long long)MIB && bytes < size / 2, "while IMA hashes it: after %lld MiB of %lld",
	   bytes >> 20, size >> 20);
}

/* The rules of docs/security.md. */
static void test_rules(const char *path)
{
	FILE *rules = fopen(RULES, "we");
	char name[4096];
	siginfo_t info;
	long long bytes;
	pid_t pid;

	if (!rules || !getcwd(name, sizeof(name) - sizeof(RULES) - 1))
		bail("%s: %s", RULES, strerror(errno));
	/* The third is proc, of which the daemon opens /proc/kcore: `tcb` leaves it out, too. */
	fputs("dont_measure fsmagic=0x6b766977\ndont_measure fsmagic=0x65735546\n"
	      "dont_measure fsmagic=0x9fa0\nmeasure func=FILE_CHECK mask=MAY_READ uid=0\n", rules);
	fclose(rules);
	strcat(name, "/" RULES);
	is_int(kv_write_file(POLICY, name), 0, "IMA takes the rules that leave the mount out");
	pid = start_open(path);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	bytes = rchar(pid);
	waitpid(pid, NULL, 0);
	ok(info.si_code == CLD_EXITED && info.si_status == 0 && bytes >= 0 && bytes < (long long)MIB,
	   "then an open reads nothing: %lld bytes", bytes);
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		bail("usage: lsm KCORE_RAM");
	test_label();
	test_killed(argv[1]);
	test_rules(argv[1]);
	return finish();
}
