// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/vmcoreinfo.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

#define NOTE_NAME "VMCOREINFO"

int kvfs_kcore_vmcoreinfo_parse(const void *note, size_t len, char **text, size_t *text_len,
				struct kvfs_err *err)
{
	const char *bytes = note;
	Elf64_Nhdr nhdr;
	size_t name_len;
	char *copy;

	if (len < sizeof(nhdr))
		return kvfs_err_set(err, EBADMSG, "VMCOREINFO: %zu bytes are no ELF note", len);
	memcpy(&nhdr, bytes, sizeof(nhdr));
	name_len = ((size_t)nhdr.n_namesz + 3) & ~(size_t)3;
	if (nhdr.n_namesz != sizeof(NOTE_NAME) || name_len > len - sizeof(nhdr) ||
	    memcmp(bytes + sizeof(nhdr), NOTE_NAME, sizeof(NOTE_NAME)) != 0)
		return kvfs_err_set(err, EBADMSG, "VMCOREINFO: the note has another name");
	if (nhdr.n_descsz > len - sizeof(nhdr) - name_len)
		return kvfs_err_set(err, EBADMSG, "VMCOREINFO: a text of %u bytes in a note of %zu", nhdr.n_descsz, len);
	copy = malloc((size_t)nhdr.n_descsz + 1);
	if (!copy)
		return kvfs_err_sys(err, ENOMEM, "VMCOREINFO");
	memcpy(copy, bytes + sizeof(nhdr) + name_len, nhdr.n_descsz);
	copy[nhdr.n_descsz] = '\0';
	*text = copy;
	*text_len = nhdr.n_descsz;
	return 0;
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
	if (sscanf(line, "%" SCNx64 " %" SCNx64, &extent.paddr, &extent.len) != 2 ||
	    extent.len == 0 || extent.len > KVFS_KCORE_VMCOREINFO_MAX)
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
