/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module's tests share: making views, knowing where RAM is, and reading the
 * same bytes from /proc/kcore. All of it bails out instead of returning an error, unless
 * it says otherwise.
 */
#ifndef KV_H
#define KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kview.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define PMD (2 * MIB)
#define PAGE 4096ULL

/** struct kv_range - [start, end), in bytes */
struct kv_range {
	uint64_t start;
	uint64_t end;
};

/** kv_device - /dev/kview, opened once */
int kv_device(void);

/** kv_close_device - close it; the next kv_device() opens it again */
void kv_close_device(void);

/** kv_info - what KVIEW_IOC_INFO says */
struct kview_info kv_info(void);

/** kv_try_create - KVIEW_IOC_CREATE; returns the descriptor or -errno */
int kv_try_create(uint64_t size, const struct kview_extent *extents, uint32_t nr);

/** kv_create - the same, and it must succeed */
int kv_create(uint64_t size, const struct kview_extent *extents, uint32_t nr);

/** kv_ram - an extent of RAM */
struct kview_extent kv_ram(uint64_t off, uint64_t len, uint64_t paddr);

/** kv_blob - an extent with the bytes at @data */
struct kview_extent kv_blob(uint64_t off, uint64_t len, const void *data);

/** kv_iomem - the System RAM ranges of /proc/iomem, whole pages; returns their number, at most @max */
unsigned int kv_iomem(struct kv_range *ranges, unsigned int max);

/** kv_ram_end - end of the highest of them */
uint64_t kv_ram_end(void);

/** kv_ram_view - all of it as one view, offset = physical address */
int kv_ram_view(void);

/**
 * kv_find_ram - a range inside System RAM
 * @len:   its length in bytes
 * @align: its alignment in bytes
 * @paddr: set to its start
 *
 * Prefers high addresses. Returns false if there is none.
 */
bool kv_find_ram(uint64_t len, uint64_t align, uint64_t *paddr);

/** kv_pattern_byte - the byte that kv_pages() puts at @paddr */
unsigned char kv_pattern_byte(uint64_t paddr);

/**
 * kv_pages - @nr locked pages of this process whose bytes tell their physical address
 * @nr:    number of pages
 * @paddr: set to the physical address of each
 */
unsigned char *kv_pages(unsigned int nr, uint64_t *paddr);

/** kv_virt_to_phys - physical address of a byte of this process that is present; 0 if it is not */
uint64_t kv_virt_to_phys(const void *addr);

/** kv_minflt - minor page faults of this process so far */
long kv_minflt(void);

/** kv_touch - load from each page of [addr, addr + len); returns the number of loads */
size_t kv_touch(const volatile unsigned char *addr, size_t len);

/**
 * kv_load - load a byte that may not be there
 *
 * Returns the byte, or -SIGNAL if it raised one (SIGBUS, SIGSEGV).
 */
int kv_load(const volatile unsigned char *addr);

/** kv_map - map @len bytes of @fd at @off, shared and readable */
unsigned char *kv_map(int fd, uint64_t off, size_t len);

/**
 * kv_map_at - the same at an address of the right alignment
 * @align: the address is equal to @off modulo this
 */
unsigned char *kv_map_at(int fd, uint64_t off, size_t len, uint64_t align);

/** kv_is_zero - whether @len bytes are all zero */
bool kv_is_zero(const void *data, size_t len);

/** kv_write_file - write @text to @path; returns 0 or -errno */
int kv_write_file(const char *path, const char *text);

/** kv_read_file - read a text file; returns its length or -errno; always terminates */
ssize_t kv_read_file(const char *path, char *text, size_t size);

/** kv_has_symbol - tells whether the running kernel has a function, by /proc/kallsyms */
bool kv_has_symbol(const char *name);

/** kv_secret_page - a page of memfd_secret full of @fill, to be unmapped; NULL if there is none */
unsigned char *kv_secret_page(unsigned char fill);

/** kv_probe - count calls of a function of the kernel, one at a time; false if it cannot */
bool kv_probe(const char *function);

/** kv_probe_hits - calls since kv_probe() */
long kv_probe_hits(void);

/** kv_unprobe - end what kv_probe() began */
void kv_unprobe(void);

/** kv_read_all - as kv_read_file(), but reads on until the end or until @size is full */
ssize_t kv_read_all(const char *path, char *text, size_t size);

/* Causes: indices of struct kview_info.revoked, in the order of kview.h. */
enum {
	KV_REVOKED_DIRECT_MAP,
	KV_REVOKED_POISON,
	KV_REVOKED_BALLOON,
	KV_REVOKED_MEMTYPE,
	KV_REVOKED_OFFLINE,
	KV_REVOKED_BACKSTOP,
	KV_REVOKED_CONFLICT,
};

/** kv_revoked - blocks that the module has revoked so far, for any cause */
uint64_t kv_revoked(void);

/** kv_await_passes - wait for @nr more passes of the backstop; false if they do not come */
bool kv_await_passes(unsigned int nr);

/**
 * kv_await_hidden - wait until a page that was hidden before the call is unmapped
 * @event: KVIEW_EVENT_* bit of the change that hid it
 *
 * Waits for nothing if the module revokes by that event: the process that hid the page waited.
 * Otherwise waits for two passes, of which the second began after the change. Returns false if
 * they do not come.
 */
bool kv_await_hidden(uint32_t event);

/** kv_await_unmapped - wait until no block counts as mapped; false if that does not come */
bool kv_await_unmapped(void);

/** kv_revalidate_ms - set the module's parameter; returns 0 or -errno */
int kv_revalidate_ms(unsigned int ms);

/** KV_SLOW_MS - a revalidate_ms for tests that hold the module to it */
#define KV_SLOW_MS 8000

/** KV_PATIENCE_MS - limit for events that come soon, unless the host does not run the guest */
#define KV_PATIENCE_MS 30000

/** kv_sleep_ms - wait; only for what has no event to wait for, such as a timer of the module */
void kv_sleep_ms(unsigned int ms);

/** kv_now_ms - monotonic clock in milliseconds */
uint64_t kv_now_ms(void);

#endif /* KV_H */
