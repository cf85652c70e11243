// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "fuzz.h"
#include "kernel/ksyms.h"

#define START 0xffffffff81000000ULL
#define END 0xffffffff82000000ULL

/* A symbol that is listed is also found by its name, with the same bytes. */
static void check_symbol(const struct kvfs_ksyms *syms, const struct kvfs_ksym *sym)
{
	size_t len = strlen(sym->name);
	char *full = malloc(len + 32);
	struct kvfs_ksym found;
	int ret;

	fuzz_assert(full && len);
	fuzz_assert(sym->vaddr >= START && sym->vaddr < END);
	fuzz_assert(sym->len && sym->len <= END - sym->vaddr);
	ret = kvfs_ksyms_lookup(syms, sym->name, &found);
	fuzz_assert(sym->unique ? !ret : ret == -ENOTUNIQ);
	if (sym->unique)
		fuzz_assert(found.vaddr == sym->vaddr && found.len == sym->len && found.unique);
	snprintf(full, len + 32, "%s@%llx", sym->name, (unsigned long long)sym->vaddr);
	ret = kvfs_ksyms_lookup(syms, full, &found);
	/* NAME@ADDRESS may be the name of another symbol. */
	fuzz_assert(ret == -ENOTUNIQ || (!ret && (found.vaddr == sym->vaddr || strcmp(found.name, full) == 0)));
	free(full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvfs_ksyms *syms = NULL;
	struct kvfs_err err = { 0 };
	struct kvfs_ksym sym, prev = { 0 };
	int ret = kvfs_ksyms_parse((const char *)data, size, START, END, &syms, &err);

	if (ret) {
		fuzz_check_error(ret, &err);
		fuzz_assert(!syms);
		return 0;
	}
	fuzz_assert(kvfs_ksyms_count(syms) > 0);
	for (size_t i = 0; i < kvfs_ksyms_count(syms); i++) {
		kvfs_ksyms_at(syms, i, &sym);
		fuzz_assert(sym.vaddr == prev.vaddr || !i || sym.vaddr == prev.vaddr + prev.len);
		check_symbol(syms, &sym);
		prev = sym;
	}
	fuzz_assert(prev.vaddr + prev.len == END);
	kvfs_ksyms_destroy(syms);
	return 0;
}
