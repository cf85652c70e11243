// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kallsyms.h"

struct symbol {
	uint64_t addr;
	uint32_t name;		/* offset in names */
};

struct symbols {
	struct symbol *v;
	size_t nr, room;
	char *names;
	size_t names_len, names_room;
};

/* Makes room for more bytes in a growing array. */
static int reserve(void *array, size_t len, size_t more, size_t *room)
{
	char **p = array;
	size_t want = *room ? *room : 65536;
	char *bigger;

	if (len + more <= *room)
		return 0;
	while (want < len + more)
		want *= 2;
	bigger = realloc(*p, want);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*room = want;
	return 0;
}

static int add(void *ctx, const struct kvfs_kallsyms_line *line)
{
	struct symbols *s = ctx;
	size_t len = s->nr * sizeof(*s->v);

	if (line->vaddr == 0 || s->names_len > UINT32_MAX - line->name_len - 1)
		return 0;
	if (reserve(&s->v, len, sizeof(*s->v), &s->room) < 0 ||
	    reserve(&s->names, s->names_len, line->name_len + 1, &s->names_room) < 0)
		return -ENOMEM;
	s->v[s->nr++] = (struct symbol) { line->vaddr, s->names_len };
	memcpy(s->names + s->names_len, line->name, line->name_len);
	s->names[s->names_len + line->name_len] = '\0';
	s->names_len += line->name_len + 1;
	return 0;
}

static int compare(const void *va, const void *vb)
{
	const struct symbol *a = va, *b = vb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

struct symbols *symbols_load(const char *path)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (kvfs_kallsyms_load(path, add, s, NULL) < 0 || s->nr == 0) {
		symbols_destroy(s);
		return NULL;
	}
	qsort(s->v, s->nr, sizeof(*s->v), compare);
	return s;
}

void symbols_destroy(struct symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->v);
	free(symbols->names);
	free(symbols);
}

const char *symbols_find(const struct symbols *symbols, uint64_t addr, uint64_t *start)
{
	size_t low = 0, high = symbols->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (symbols->v[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;
	*start = symbols->v[low - 1].addr;
	/* Of several names for one address, the first, as the kernel does. */
	while (low > 1 && symbols->v[low - 2].addr == *start)
		low--;
	return symbols->names + symbols->v[low - 1].name;
}
