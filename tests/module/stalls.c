// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that maps RAM and hardly runs may stop in the middle of a fault. Beside it pages are
 * revoked, processes fork and memory goes offline while it stands still. And a fault of small
 * pages does not walk the kernel's resources under their lock.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define CGROUP "cgroup/throttled"
#define MEMORY "/sys/devices/system/memory/"
#define ROUNDS 6

static int view;
static unsigned char *map;
static uint64_t end;
/* Of the block that go_offline() found; empty before. */
static char block_state[128];

/* A number of the cgroup's cpu.stat. */
static uint64_t cpu_stat(const char *key)
{
	char text[1024], *at;

	if (kv_read_file(CGROUP "/cpu.stat", text, sizeof(text)) <= 0)
		bail("cpu.stat cannot be read");
	at = strstr(text, key);
	if (!at)
		bail("cpu.stat has no %s", key);
	return strtoull(at + strlen(key), NULL, 10);
}

/* Maps, touches and unmaps in a loop; begins when the pipe is written to. */
static void mapper(int start)
{
	char byte;

	if (read(start, &byte, 1) != 1)
		_exit(1);
	for (;;) {
		unsigned char *mine = kv_map(view, 0, end);

		for (uint64_t at = 0; at < end; at += PMD)
			(void)*(volatile unsigned char *)(mine + at);
		munmap(mine, end);
	}
}

static int make_cgroup(pid_t pid)
{
	char text[32];
	int ret;

	mkdir("cgroup", 0700);
	if (mount("none", "cgroup", "cgroup2", 0, NULL))
		return -errno;
	ret = kv_write_file("cgroup/cgroup.subtree_control", "+cpu");
	if (!ret && mkdir(CGROUP, 0700))
		ret = -errno;
	if (!ret)
		ret = kv_write_file(CGROUP "/cpu.max", "1000 1000000");
	snprintf(text, sizeof(text), "%d", pid);
	return ret ? ret : kv_write_file(CGROUP "/cgroup.procs", text);
}

/* Waits until the mapper has used up its time @nr times. */
static bool await_throttled(uint64_t nr)
{
	uint64_t limit = kv_now_ms() + KV_PATIENCE_MS;

	while (cpu_stat("nr_throttled ") < nr && kv_now_ms() < limit)
		kv_sleep_ms(5);
	return cpu_stat("nr_throttled ") >= nr;
}

/* Each returns 0 if it did what it is for, or how it failed: a skip if that is ENOSYS. */
static int make_secret(void)
{
	unsigned char *page = kv_secret_page(0x5e);
	int shown;

	if (!page)
		return ENOSYS;
	shown = map[kv_virt_to_phys(page)] == 0x5e;
	munmap(page, PAGE);
	return shown ? EEXIST : 0;
}

/* The child has a copy of the mapping. */
static int make_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : ECHILD;
}

/* A block of movable memory goes offline; go_online() brings it back. */
static int go_offline(void)
{
	struct kv_range ranges[256];
	char path[128], text[64];
	uint64_t size, block;
	unsigned int i = kv_iomem(ranges, 256);

	if (block_state[0])
		return -kv_write_file(block_state, "offline");
	if (kv_read_file(MEMORY "block_size_bytes", text, sizeof(text)) <= 0)
		return ENOSYS;
	size = strtoull(text, NULL, 16);
	for (block = ranges[i - 1].end / size; block--;) {
		snprintf(path, sizeof(path), MEMORY "memory%llu/valid_zones",
			 (unsigned long long)block);
		if (kv_read_file(path, text, sizeof(text)) <= 0 || strncmp(text, "Movable", 7))
			continue;
		snprintf(block_state, sizeof(block_state), MEMORY "memory%llu/state",
			 (unsigned long long)block);
		if (!kv_write_file(block_state, "offline"))
			return 0;
	}
	block_state[0] = 0;
	return ENOSYS;
}

static void go_online(void)
{
	if (block_state[0] && kv_write_file(block_state, "online"))
		diag("the block stays offline");
}

/*
 * Runs @act in rounds. If it waited for the mapper, the mapper would have run in each of them; it
 * may run in some, because its next period begins meanwhile.
 */
static void test_beside(const char *name, int (*act)(void))
{
	unsigned int i, still = 0, wrong = 0;
	int ret = 0;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t used;

		kv_touch(map, end);
		if (!await_throttled(cpu_stat("nr_throttled ") + 1))
			bail("the mapper is not throttled");
		used = cpu_stat("usage_usec ");
		ret = act();
		still += cpu_stat("usage_usec ") == used;
		if (ret == ENOSYS)
			break;
		wrong += ret != 0;
		go_online();
	}
	if (ret == ENOSYS) {
		skip(2, "%s: not on this kernel", name);
		return;
	}
	is_int(wrong, 0, "%s, %d times beside the mapper", name, ROUNDS);
	ok(still >= ROUNDS / 3, "%s: %u of %d times while the mapper stood still", name, still,
	   ROUNDS);
}

static void test_throttled(void)
{
	int pipes[2], status, err;
	pid_t pid;

	if (pipe(pipes))
		bail("pipe");
	pid = fork();
	if (!pid)
		mapper(pipes[0]);
	err = make_cgroup(pid);
	if (err) {
		skip(7, "no cgroup with cpu.max: %s", strerror(-err));
	} else {
		ok(write(pipes[1], "", 1) == 1, "a mapper runs for 1 ms in each second");
		test_beside("a page becomes secret", make_secret);
		test_beside("a process forks", make_child);
		test_beside("memory goes offline", go_offline);
		/* So that it has the time to end. */
		kv_write_file(CGROUP "/cpu.max", "max");
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	rmdir(CGROUP);
	umount2("cgroup", MNT_DETACH);
}

/* At an address that is not aligned as the RAM is, a mapping can have small pages only. */
static unsigned char *map_small(void)
{
	unsigned char *room, *small;
	uint64_t paddr;

	if (!kv_find_ram(2 * PMD, PMD, &paddr))
		bail("no RAM");
	room = kv_map_at(view, paddr, 2 * PMD, PMD);
	small = mmap(room + PAGE, PMD, PROT_READ, MAP_SHARED | MAP_FIXED, view, (off_t)paddr);
	if (small == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return small;
}

static void test_small_pages(void)
{
	unsigned char *small;
	long hits;

	if (!kv_probe("walk_system_ram_range")) {
		skip(1, "no probe at walk_system_ram_range");
		return;
	}
	small = map_small();
	hits = kv_probe_hits();
	kv_touch(small, PMD);
	hits = kv_probe_hits() - hits;
	ok(hits < 8, "512 small pages: %ld walks of the kernel's resources", hits);
	munmap(small - PAGE, 2 * PMD);
	kv_unprobe();
}

int main(void)
{
	unsigned int before = kv_info().revalidate_ms;

	view = kv_ram_view();
	end = kv_ram_end();
	map = kv_map(view, 0, end);
	kv_revalidate_ms(60000);
	test_small_pages();
	test_throttled();
	munmap(map, end);
	kv_revalidate_ms(before);
	return finish();
}
