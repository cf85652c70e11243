// SPDX-License-Identifier: GPL-2.0-only
#include "kcore.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define KCORE "/proc/kcore"
/* Where x86-64 kernels map their image. */
#define IMAGE_START 0xffffffff80000000ULL
#define IMAGE_END 0xffffffffc0000000ULL

static struct kcore_segment segments[512];
static unsigned int nr_segments;
static int fd = -1;

void kcore_open(void)
{
	Elf64_Phdr phdr;
	Elf64_Ehdr ehdr;
	unsigned int i;

	fd = open(KCORE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		bail(KCORE ": %s", strerror(errno));
	if (pread(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) || ehdr.e_phentsize != sizeof(phdr))
		bail(KCORE " has no ELF header");
	for (i = 0; i < ehdr.e_phnum; i++) {
		off_t at = (off_t)(ehdr.e_phoff + i * sizeof(phdr));

		if (pread(fd, &phdr, sizeof(phdr), at) != sizeof(phdr))
			bail(KCORE ": program header %u cannot be read", i);
		if (phdr.p_type != PT_LOAD || nr_segments == 512)
			continue;
		segments[nr_segments++] = (struct kcore_segment){
			phdr.p_vaddr, phdr.p_paddr, phdr.p_memsz, phdr.p_offset,
		};
	}
}

struct kcore_segment kcore_image(void)
{
	unsigned int i;

	for (i = 0; i < nr_segments; i++)
		if (segments[i].vaddr >= IMAGE_START && segments[i].vaddr < IMAGE_END &&
		    segments[i].paddr && segments[i].paddr != UINT64_MAX)
			return segments[i];
	bail(KCORE " has no segment for the kernel image");
}

static bool read_segment(const struct kcore_segment *segment, uint64_t skip, void *to,
			 size_t len)
{
	ssize_t got = pread(fd, to, len, (off_t)(segment->off + skip));

	return got == (ssize_t)len;
}

bool kcore_read_paddr(void *to, size_t len, uint64_t paddr)
{
	unsigned int i;

	for (i = 0; i < nr_segments; i++) {
		const struct kcore_segment *s = &segments[i];

		/* The image is RAM too; the direct map's segment is what the view is like. */
		if (s->paddr == UINT64_MAX || s->vaddr >= IMAGE_START)
			continue;
		if (paddr >= s->paddr && paddr - s->paddr < s->len &&
		    len <= s->len - (paddr - s->paddr))
			return read_segment(s, paddr - s->paddr, to, len);
	}
	return false;
}

bool kcore_read_vaddr(void *to, size_t len, uint64_t vaddr)
{
	unsigned int i;

	for (i = 0; i < nr_segments; i++) {
		const struct kcore_segment *s = &segments[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->len &&
		    len <= s->len - (vaddr - s->vaddr))
			return read_segment(s, vaddr - s->vaddr, to, len);
	}
	return false;
}
