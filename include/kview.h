/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kview - user-space interface of the kview kernel module.
 *
 * The module turns a list of extents into a view: a read-only regular file whose
 * bytes, read or mapped, are the kernel's own pages. This header is the whole
 * contract between the module and its callers.
 *
 * Calling convention, for every ioctl:
 *  - all integers are in native byte order, all structures have the same layout
 *    for 32-bit and 64-bit callers;
 *  - every `reserved` member must be zero, every undefined bit in a `flags`
 *    member must be clear, else EINVAL, so that a later version can give them a
 *    meaning;
 *  - an unknown request number is ENOTTY;
 *  - on failure nothing has been created and no structure has been written.
 *
 * Ranges are half-open, [start, start + len), in bytes unless a name says
 * otherwise.
 */
#ifndef KVIEW_H
#define KVIEW_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** Path of the control device, mode 0600; open(2) needs CAP_SYS_RAWIO. */
#define KVIEW_DEVICE		"/dev/kview"

/**
 * Version of this interface. It changes only when an existing request, structure
 * or meaning changes; additions have a feature bit instead. A client built for
 * another version must not use the device.
 */
#define KVIEW_ABI_VERSION	2

/** Most extents in one view. */
#define KVIEW_MAX_EXTENTS	4096
/** Most bytes in one blob extent. */
#define KVIEW_MAX_BLOB_LEN	(64 * 1024)
/** Largest view, in bytes: what loff_t can address, rounded down to 4 GiB. */
#define KVIEW_MAX_SIZE		(0x7fffffffULL << 32)

/* struct kview_info.features: what this module can do on this kernel. */
#define KVIEW_FEATURE_RAM	(1ULL << 0)	/* KVIEW_EXTENT_RAM can be used, lockdown permitting */
#define KVIEW_FEATURE_BLOB	(1ULL << 1)	/* KVIEW_EXTENT_BLOB can be used */
#define KVIEW_FEATURE_FILE	(1ULL << 2)	/* KVIEW_EXTENT_FILE can be used */
#define KVIEW_FEATURE_HUGE_PMD	(1ULL << 3)	/* mappings can use 2 MiB entries */
#define KVIEW_FEATURE_HUGE_PUD	(1ULL << 4)	/* never set: mappings have no 1 GiB entries */

/* struct kview_info.refusals: reasons for which KVIEW_EXTENT_RAM is refused now. */
#define KVIEW_REFUSAL_LOCKDOWN	(1U << 0)	/* lockdown=confidentiality is in force */
#define KVIEW_REFUSAL_ENCRYPTED	(1U << 1)	/* the guest's memory is encrypted (SEV, TDX) */

/* struct kview_info.events: changes after which mapped pages are revoked at once. */
#define KVIEW_EVENT_DIRECT_MAP	(1U << 0)	/* a page leaves the direct map: memfd_secret */
#define KVIEW_EVENT_POISON	(1U << 1)	/* memory failure, soft offline */
#define KVIEW_EVENT_BALLOON	(1U << 2)	/* PageOffline: balloons, virtio-mem */
#define KVIEW_EVENT_MEMTYPE	(1U << 3)	/* another memory type */
#define KVIEW_EVENT_ALL		((1U << 4) - 1)

/**
 * struct kview_info - what KVIEW_IOC_INFO reports
 * @abi_version:    KVIEW_ABI_VERSION of the module; always the first member
 * @refusals:       KVIEW_REFUSAL_* bits in force at the time of the call; 0 if none
 * @features:       KVIEW_FEATURE_* bits
 * @direct_map:     kernel virtual address of physical address 0 (PAGE_OFFSET); 0 if the
 *                  caller lacks CAP_SYS_RAWIO
 * @image_delta:    kernel virtual minus physical address of any byte of the kernel
 *                  image, modulo 2^64; 0 if the caller lacks CAP_SYS_RAWIO
 * @revalidate_ms:  longest time in milliseconds between two looks at the struct page of
 *                  a mapped page; 1,000 at most while KVIEW_EVENT_POISON or
 *                  KVIEW_EVENT_BALLOON is not in @events
 * @max_extents:    KVIEW_MAX_EXTENTS of the module
 * @max_blob_len:   KVIEW_MAX_BLOB_LEN of the module, in bytes
 * @nr_views:       views that exist now, of all callers
 * @events:         KVIEW_EVENT_* bits: a page that is hidden by such a change is unmapped at
 *                  once. For others @revalidate_ms and @direct_ms are the bound.
 * @direct_ms:      longest time in milliseconds between two looks at the kernel's own
 *                  page-table entry of a mapped page
 * @late_ms:        how much longer than @revalidate_ms the last pass took, or the present
 *                  one takes so far
 * @pass_ms:        time that the last pass over all mapped pages took
 * @mapped_blocks:  blocks of 2 MiB that are mapped, or were since the last mapping began
 * @revoked:        blocks unmapped since the module was loaded, by cause: direct map, poison,
 *                  balloon, memory type, offline or online, periodic look, conflict of two
 *                  faults
 * @worst_us:       longest time from a change, or from the event before it if none follows the
 *                  change, to the end of the unmapping, in microseconds
 * @worker_ns:      time that the module's thread has run, in nanoseconds
 * @passes:         passes over all mapped pages that have ended
 * @reserved:       zero
 */
struct kview_info {
	__u32 abi_version;
	__u32 refusals;
	__u64 features;
	__u64 direct_map;
	__u64 image_delta;
	__u32 revalidate_ms;
	__u32 max_extents;
	__u32 max_blob_len;
	__u32 nr_views;
	__u32 events;
	__u32 direct_ms;
	__u32 late_ms;
	__u32 pass_ms;
	__u64 mapped_blocks;
	__u64 revoked[7];
	__u64 worst_us;
	__u64 worker_ns;
	__u64 passes;
	__u64 reserved[3];
};

/* struct kview_extent.kind */
#define KVIEW_EXTENT_RAM	1	/* System RAM */
#define KVIEW_EXTENT_BLOB	2	/* bytes copied from the caller by KVIEW_IOC_CREATE */
#define KVIEW_EXTENT_FILE	3	/* a window: a range of another open file */

/**
 * struct kview_extent - a run of a view's bytes and where they come from
 * @off:      offset of its first byte in the view
 * @len:      length in bytes, at least 1
 * @src:      RAM:  physical address of the first byte. The range need not be RAM:
 *                  each page is judged when it is read or faulted in, and what may
 *                  not be shown reads as zeros.
 *            BLOB: address of the bytes in the caller's memory; they are copied.
 *            FILE: offset of the first byte in @fd; its end is less than 2^63.
 * @vaddr:    RAM:  0, or the address of @src in the mapping of the kernel image: the
 *                  page is then shown only if it is present there, too, as in
 *                  /proc/kcore's KCORE_TEXT. EINVAL unless it equals
 *                  @src + image_delta for the whole extent.
 *            others: 0
 * @kind:     KVIEW_EXTENT_*; a kind whose feature bit is clear is EOPNOTSUPP
 * @fd:       FILE: an open file descriptor, borrowed (the view holds its own
 *            reference); others: 0
 * @reserved: zero
 *
 * A view can be mapped only if each of its RAM and FILE extents has @off, @src and @len
 * multiples of the page size, each BLOB extent has @off a multiple of it, and no two
 * extents share a page of the view. mmap of any other view is ENODEV; it can be read.
 * While the kernel runs with page_table_check=on, which stops the kernel when user space
 * maps a page that is in use as something else, mmap is ENODEV for all but FILE extents.
 * Huge entries are used where @off and @src are equal modulo their size.
 *
 * FILE: a read is a read of that file, through one open file for all readers; a long read
 * of /proc/vmcore maps the file while it lasts. A mapping is a mapping of that file. It
 * must lie inside one FILE extent or touch none, else mmap is EINVAL. Where the file ends
 * before the extent does, a read is EIO and a mapped access SIGBUS.
 */
struct kview_extent {
	__u64 off;
	__u64 len;
	__u64 src;
	__u64 vaddr;
	__u32 kind;
	__s32 fd;
	__u64 reserved[3];
};

/**
 * struct kview_create - argument of KVIEW_IOC_CREATE
 * @size:       size of the view in bytes, 1 to KVIEW_MAX_SIZE; bytes outside of all
 *              extents are holes and read as zeros
 * @extents:    address of an array of @nr_extents struct kview_extent, in ascending
 *              order of off, not overlapping, inside [0, @size)
 * @nr_extents: 0 to KVIEW_MAX_EXTENTS; E2BIG above
 * @flags:      zero
 * @name:       name in /proc/PID/fd, NUL-terminated, without '/' and control
 *              characters; "" means "view"
 * @reserved:   zero
 */
struct kview_create {
	__u64 size;
	__u64 extents;
	__u32 nr_extents;
	__u32 flags;
	char  name[32];
	__u64 reserved[4];
};

/** Request group of every kview ioctl. */
#define KVIEW_IOC_MAGIC		0xd7

/**
 * KVIEW_IOC_INFO - fill in a struct kview_info, which need not be initialised.
 * Errors: EFAULT.
 */
#define KVIEW_IOC_INFO		_IOR(KVIEW_IOC_MAGIC, 0, struct kview_info)

/**
 * KVIEW_IOC_CREATE - create a view; returns a new file descriptor, open for reading,
 * close-on-exec. The view lives as long as a descriptor or a mapping of it, and holds
 * the module.
 *
 * read(2), pread(2), readv(2), splice(2), mmap(2) (shared or private, PROT_READ only)
 * and lseek(2), with SEEK_DATA and SEEK_HOLE, work on it; opening it for writing is
 * EPERM, PROT_WRITE or PROT_EXEC on a mapping is EACCES or EPERM, also later by
 * mprotect(2). Reading at or past @size returns 0; a mapped access past the last page is
 * SIGBUS. Once lockdown=confidentiality is in force, opening again or mapping a view that
 * has RAM is EPERM; existing descriptors and mappings keep working, as /proc/kcore's do.
 *
 * Errors: EPERM (the caller lacks CAP_SYS_RAWIO in the initial user namespace, or RAM
 * under lockdown=confidentiality), EOPNOTSUPP (a kind without a feature bit, or RAM in an
 * encrypted guest), EINVAL (reserved or undefined bits; sizes, order or alignment; FILE on
 * a file that is not regular), E2BIG (too many extents, or a blob over
 * KVIEW_MAX_BLOB_LEN), EBADF (FILE on a descriptor that is closed or not open for
 * reading), ELOOP (FILE on a view, or on a file system stacked on others, except procfs),
 * EFAULT, ENOMEM, EMFILE, ENFILE, and with FILE the errors of opening the file again.
 */
#define KVIEW_IOC_CREATE	_IOW(KVIEW_IOC_MAGIC, 1, struct kview_create)

#if defined(__cplusplus)
#define KVIEW_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define KVIEW_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

KVIEW_STATIC_ASSERT(sizeof(struct kview_info) == 176, "struct kview_info is 176 bytes");
KVIEW_STATIC_ASSERT(sizeof(struct kview_extent) == 64, "struct kview_extent is 64 bytes");
KVIEW_STATIC_ASSERT(sizeof(struct kview_create) == 88, "struct kview_create is 88 bytes");

#endif /* KVIEW_H */
