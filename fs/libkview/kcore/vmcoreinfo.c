// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/vmcoreinfo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/number.h"
#include "elf/notes.h"

int kvfs_kcore_vmcoreinfo_parse(const void *note, size_t len, char **text, size_t *text_len,
				struct kvfs_err *err)
{
	struct kvfs_elf_note found;
	size_t off = 0;
	char *copy;

	/* append_elf_note() of the kernel (kernel/vmcore_info.c, 6.12) aligns to 4 bytes. */
	if (!kvfs_elf_notes_next_in(note, len, 4, &off, &found))
		return kvfs_err_set(err, EBADMSG, "VMCOREINFO: %zu bytes that hold no ELF note", len);
	if (!kvfs_elf_notes_has_name(&found, "VMCOREINFO"))
		return kvfs_err_set(err, EBADMSG, "VMCOREINFO: the note has another name");
	copy = malloc(found.desc_len + 1);
	if (!copy)
		return kvfs_err_sys(err, ENOMEM, "VMCOREINFO");
	memcpy(copy, found.desc, found.desc_len);
	copy[found.desc_len] = '\0';
	*text = copy;
	*text_len = found.desc_len;
	return 0;
}

/* Parses "0xPADDR LENGTH\n", both hexadecimal; the kernel writes 0x before the first only. */
static bool parse_place(const char *line, size_t len, uint64_t *paddr, uint64_t *note_len)
{
	const char *p = line, *end = line + len;

	if (len > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	return kvfs_number_take_until(&p, end, 16, ' ', UINT64_MAX, paddr) == 0 &&
	       kvfs_number_take(&p, end, 16, KVFS_KCORE_VMCOREINFO_MAX, note_len) == 0 && *note_len > 0;
}

int kvfs_kcore_vmcoreinfo_load(const char *path, const struct kvfs_kmod *kmod, char **text,
			       size_t *text_len, struct kvfs_err *err)
{
	struct kvfs_extents table = { 0 };
	struct kvfs_extent extent = { .kind = KVFS_EXTENT_RAM, .file_off = KVFS_NO_FILE_OFF };
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *note = NULL;
	_cleanup_close_ int fd = -1;
	size_t line_len;
	int ret;

	ret = kvfs_io_read_file(path, 256, &line, &line_len);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "%s", path);
	if (!parse_place(line, line_len, &extent.paddr, &extent.len))
		return kvfs_err_set(err, EBADMSG, "%s: not an address and a length", path);
	ret = kvfs_extents_add(&table, &extent);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "%s", path);
	fd = kvfs_kmod_create_view(kmod, "vmcoreinfo", &table, err);
	kvfs_extents_deinit(&table);
	if (fd < 0)
		return kvfs_err_prefix(err, "VMCOREINFO");
	note = malloc(extent.len);
	if (!note)
		return kvfs_err_sys(err, ENOMEM, "VMCOREINFO");
	ret = kvfs_io_pread_exact(fd, note, extent.len, 0);
	if (ret < 0)
		return kvfs_err_sys(err, -ret, "VMCOREINFO at physical address %#" PRIx64, extent.paddr);
	return kvfs_kcore_vmcoreinfo_parse(note, extent.len, text, text_len, err);
}
