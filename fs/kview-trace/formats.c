// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/formats.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/number.h"

#define FORMAT_MAX (1U << 20)

/* Where a format is, and what came of loading it. */
struct format {
	bool loaded, known;
	char *system, *event;	/* NULL: no format has this id */
};

struct formats {
	char *dir;			/* events/ */
	struct dirent **systems;	/* those from next on have not been searched */
	int nr_systems, next;
	struct format by_id[UINT16_MAX + 1];
};

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The events of ftrace itself first: every kernel has them, and most traces. */
static int ftrace_first(const struct dirent **a, const struct dirent **b)
{
	bool first_a = strcmp((*a)->d_name, "ftrace") == 0, first_b = strcmp((*b)->d_name, "ftrace") == 0;

	return first_a != first_b ? (first_a ? -1 : 1) : strcmp((*a)->d_name, (*b)->d_name);
}

int formats_open(const char *dir, struct formats **out)
{
	struct formats *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return -ENOMEM;
	if (asprintf(&f->dir, "%s/events", dir) < 0) {
		free(f);
		return -ENOMEM;
	}
	f->nr_systems = scandir(f->dir, &f->systems, no_dots, ftrace_first);
	if (f->nr_systems <= 0) {
		ret = f->nr_systems < 0 ? -errno : -ENOENT;
		f->nr_systems = 0;
		formats_close(f);
		return ret == -ENOTDIR ? -ENOENT : ret;
	}
	*out = f;
	return 0;
}

void formats_close(struct formats *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->nr_systems; i++)
		free(f->systems[i]);
	free(f->systems);
	for (size_t i = 0; i <= UINT16_MAX; i++) {
		free(f->by_id[i].system);
		free(f->by_id[i].event);
	}
	free(f->dir);
	free(f);
}

/*
 * Notes where the format of an event is. A file without an id, as of an event that is not for
 * trace buffers or has gone with its module, is none.
 */
static int add(struct formats *f, const char *system, const char *event)
{
	_cleanup_free_ char *text = NULL;
	struct format *format;
	char path[PATH_MAX];
	const char *p;
	uint64_t id;
	size_t len;
	int ret;

	if (snprintf(path, sizeof(path), "%s/%s/%s/id", f->dir, system, event) >= (int)sizeof(path))
		return 0;
	ret = kvfs_io_read_file(path, 64, &text, &len);
	if (ret < 0)
		return ret == -ENOENT || ret == -ENOTDIR || ret == -ENODEV ? 0 : ret;
	p = text;
	if (kvfs_number_take(&p, text + len, 10, UINT16_MAX, &id) < 0 || f->by_id[id].system)
		return 0;
	format = &f->by_id[id];
	format->system = strdup(system);
	format->event = strdup(event);
	if (format->system && format->event)
		return 0;
	free(format->system);
	free(format->event);
	*format = (struct format) { 0 };
	return -ENOMEM;
}

static int search(struct formats *f, const char *system)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = 0;
	DIR *d;

	if (snprintf(path, sizeof(path), "%s/%s", f->dir, system) >= (int)sizeof(path))
		return 0;
	d = opendir(path);
	if (!d)
		return errno == ENOTDIR || errno == ENOENT ? 0 : -errno;
	while (ret == 0 && (entry = readdir(d))) {
		if (entry->d_name[0] != '.' && entry->d_type != DT_REG)
			ret = add(f, system, entry->d_name);
	}
	closedir(d);
	return ret;
}

int formats_load(struct formats *f, struct tep_handle *tep, uint16_t id)
{
	struct format *format = &f->by_id[id];
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int ret = 0;

	while (!format->system && f->next < f->nr_systems) {
		ret = search(f, f->systems[f->next]->d_name);
		if (ret < 0)
			return ret;
		f->next++;
	}
	if (!format->system || format->loaded)
		return format->known;
	if (snprintf(path, sizeof(path), "%s/%s/%s/format", f->dir, format->system, format->event) < (int)sizeof(path))
		ret = kvfs_io_read_file(path, FORMAT_MAX, &text, &len);
	if (ret < 0 && ret != -ENOENT)
		return ret;
	format->loaded = true;
	/* An event whose print format libtraceevent does not understand is shown by its fields. */
	if (text)
		tep_parse_event(tep, text, len, format->system);
	format->known = tep_find_event(tep, id);
	return format->known;
}
