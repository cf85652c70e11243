/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that is x86-64: the kernel's own page tables, memory types, the mapping of the kernel
 * image, and copies that survive an absent page. A port is a second version of this file.
 */
#ifndef KVIEW_ARCH_H
#define KVIEW_ARCH_H

#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/pgtable.h>
#include <asm/sparsemem.h>

/*
 * How the kernel maps a page, as a code of one byte: KVIEW_ARCH_ABSENT if it does not (or,
 * on a host that encrypts its memory, as plain text), else 1 plus the three bits of the entry
 * that select the memory type. KVIEW_ARCH_CACHED is write-back.
 */
#define KVIEW_ARCH_ABSENT 0
#define KVIEW_ARCH_CACHED 1

/* Shift of the largest physical address of the running kernel, plus 1. */
static inline unsigned int kview_arch_paddr_bits(void)
{
	return cpu_feature_enabled(X86_FEATURE_LA57) ? 52 : 46;
}

/* Kernel virtual minus physical address of any byte of the kernel image, modulo 2^64. */
static inline u64 kview_arch_image_delta(void)
{
	return __START_KERNEL_map - phys_base;
}

/* Tells whether [vaddr, vaddr + len) is inside the range of the kernel image mapping. */
static inline bool kview_arch_is_image(u64 vaddr, u64 len)
{
	return vaddr >= __START_KERNEL_map && vaddr - __START_KERNEL_map < KERNEL_IMAGE_SIZE &&
	       len <= KERNEL_IMAGE_SIZE - (vaddr - __START_KERNEL_map);
}

/* Tells whether an address is one of the direct map, or of a range that begins there. */
static inline bool kview_arch_is_direct(unsigned long vaddr)
{
	return vaddr >= PAGE_OFFSET && vaddr - PAGE_OFFSET < 1UL << kview_arch_paddr_bits();
}

/* set_mce_nospec() passes direct-map addresses with bit 63 flipped. */
static inline unsigned long kview_arch_undecoy(unsigned long vaddr)
{
	return vaddr | BIT(63);
}

static inline u8 kview_arch_code(pteval_t entry, bool large)
{
	const pteval_t want = _PAGE_PRESENT | _PAGE_ENC;
	const pteval_t pat = large ? _PAGE_PAT_LARGE : _PAGE_PAT;

	if ((entry & want) != want)
		return KVIEW_ARCH_ABSENT;
	return KVIEW_ARCH_CACHED + !!(entry & _PAGE_PWT) + 2 * !!(entry & _PAGE_PCD) +
	       4 * !!(entry & pat);
}

/* @prot with the memory type of a code that is not KVIEW_ARCH_ABSENT, for a small entry. */
static inline pgprot_t kview_arch_prot(pgprot_t prot, u8 code)
{
	unsigned int type = code - KVIEW_ARCH_CACHED;
	pgprotval_t val = pgprot_val(prot) & ~_PAGE_CACHE_MASK;

	if (type & 1)
		val |= _PAGE_PWT;
	if (type & 2)
		val |= _PAGE_PCD;
	if (type & 4)
		val |= _PAGE_PAT;
	return __pgprot(val);
}

/*
 * The code of the page at @vaddr; *nr is set to the number of pages, 1 to @max, that have it,
 * as far as one page table tells.
 *
 * Interrupts are off because 6.15 and later free page tables of the direct map after a flush
 * by interprocessor interrupt (cpa_collapse_large_pages()).
 */
static inline u8 kview_arch_lookup(unsigned long vaddr, unsigned long max, unsigned long *nr)
{
	unsigned long flags, n = 1, nr_entries, step;
	u8 code = KVIEW_ARCH_ABSENT;
	unsigned int level;
	pte_t *pte;

	local_irq_save(flags);
	pte = lookup_address(vaddr, &level);
	/* Without an entry, @level is not used: 6.1 sets it to that of a table above. */
	if (pte) {
		const bool large = level != PG_LEVEL_4K;

		/* The entry is part of a page table: look at the entries after it, too. */
		step = page_level_size(level) >> PAGE_SHIFT;
		nr_entries = PTRS_PER_PTE - (vaddr / page_level_size(level)) % PTRS_PER_PTE;
		code = kview_arch_code(pte_val(READ_ONCE(*pte)), large);
		n = (page_level_size(level) - (vaddr & ~page_level_mask(level))) >> PAGE_SHIFT;
		for (pte++; n < max && --nr_entries; pte++, n += step) {
			pteval_t entry = pte_val(READ_ONCE(*pte));

			/* Present without PSE: a table below. */
			if (large && (entry & _PAGE_PRESENT) && !(entry & _PAGE_PSE))
				break;
			if (kview_arch_code(entry, large) != code)
				break;
		}
	}
	local_irq_restore(flags);
	*nr = min(n, max);
	return code;
}

/*
 * Tells whether _copy_mc_to_iter() survives a source page that is not mapped. To user space
 * it does. To kernel memory it is a plain memcpy() on CPUs without fast string moves.
 * Sanitizers would report reads of memory that the module does not own.
 */
static inline bool kview_arch_copy_survives(const struct iov_iter *to)
{
	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KMSAN) || IS_ENABLED(CONFIG_KCSAN))
		return false;
	return user_backed_iter(to) || cpu_feature_enabled(X86_FEATURE_ERMS);
}

/* Loads an aligned word. Returns false if the page is not mapped or has a memory error. */
static inline bool kview_arch_load(u64 *to, const u64 *from)
{
	bool loaded = false;

	asm volatile("1:	movq (%[from]), %[to]\n"
		     "	movb $1, %[loaded]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_DEFAULT_MCE_SAFE)
		     : [to] "=&r" (*to), [loaded] "+q" (loaded)
		     : [from] "r" (from)
		     : "memory");
	return loaded;
}

/* Copies to kernel memory. Returns 0 if all bytes were copied. */
static inline int kview_arch_copy(void *dst, const void *src, size_t len)
{
	if (!IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KMSAN) &&
	    cpu_feature_enabled(X86_FEATURE_ERMS))
		return copy_mc_to_kernel(dst, src, len) ? -EFAULT : 0;
	return copy_from_kernel_nofault(dst, src, len);
}

/* Tells whether the CPU has page-table entries of 2 MiB. */
static inline bool kview_arch_has_huge(void)
{
	return cpu_feature_enabled(X86_FEATURE_PSE);
}

/* Tells whether a read of a page that the kernel keeps encrypted or not would fault. */
static inline bool kview_arch_read_faults(void)
{
	return !_PAGE_ENC;
}

#endif /* KVIEW_ARCH_H */
