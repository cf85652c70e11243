// SPDX-License-Identifier: GPL-2.0-only
#include "kview-trace/formats.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>

#include "base/cleanup.h"
#include "base/io.h"

#define FORMAT_MAX (1U << 20)

struct format {
	unsigned int id;
	bool loaded, known;
	char *system, *event;
};

struct formats {
	char *dir;			/* events/ */
	struct dirent **systems;	/* those that were not looked at yet are from next on */
	int nr_systems, next;
	struct format *v;
	size_t nr;
};

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* First what every kernel has and most traces hold: the events of ftrace itself. */
static int ftrace_first(const struct dirent **a, const struct dirent **b)
{
	bool first_a = strcmp((*a)->d_name, "ftrace") == 0, first_b = strcmp((*b)->d_name, "ftrace") == 0;

	return first_a != first_b ? (first_a ? -1 : 1) : strcmp((*a)->d_name, (*b)->d_name);
}

struct formats *formats_open(const char *dir)
{
	struct formats *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	if (asprintf(&f->dir, "%s/events", dir) < 0) {
		free(f);
		return NULL;
	}
	f->nr_systems = scandir(f->dir, &f->systems, no_dots, ftrace_first);
	if (f->nr_systems <= 0) {
		f->nr_systems = 0;
		formats_close(f);
		return NULL;
	}
	return f;
}

void formats_close(struct formats *formats)
{
	if (!formats)
		return;
	for (int i = 0; i < formats->nr_systems; i++)
		free(formats->systems[i]);
	free(formats->systems);
	for (size_t i = 0; i < formats->nr; i++) {
		free(formats->v[i].system);
		free(formats->v[i].event);
	}
	free(formats->v);
	free(formats->dir);
	free(formats);
}

static void add(struct formats *f, const char *system, const char *event)
{
	_cleanup_free_ char *text = NULL;
	struct format *bigger, format = { 0 };
	char path[PATH_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%s/%s/%s/id", f->dir, system, event);
	if (kvfs_io_read_file(path, 64, &text, &len) < 0)
		return;
	format.id = strtoul(text, NULL, 10);
	format.system = strdup(system);
	format.event = strdup(event);
	bigger = reallocarray(f->v, f->nr + 1, sizeof(*f->v));
	if (bigger)
		f->v = bigger;
	if (!format.system || !format.event || !bigger) {
		free(format.system);
		free(format.event);
		return;
	}
	f->v[f->nr++] = format;
}

static void look_at(struct formats *f, const char *system)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", f->dir, system);
	d = opendir(path);
	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] != '.' && entry->d_type != DT_REG)
			add(f, system, entry->d_name);
	}
	if (d)
		closedir(d);
}

static struct format *find(struct formats *f, unsigned int id)
{
	size_t seen = 0;

	for (;;) {
		for (; seen < f->nr; seen++) {
			if (f->v[seen].id == id)
				return &f->v[seen];
		}
		if (f->next == f->nr_systems)
			return NULL;
		look_at(f, f->systems[f->next++]->d_name);
	}
}

bool formats_load(struct formats *formats, struct tep_handle *tep, unsigned int id)
{
	struct format *format = find(formats, id);
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;

	if (!format || format->loaded)
		return format && format->known;
	format->loaded = true;
	snprintf(path, sizeof(path), "%s/%s/%s/format", formats->dir, format->system, format->event);
	if (kvfs_io_read_file(path, FORMAT_MAX, &text, &len) < 0)
		return false;
	/* One whose print format libtraceevent does not understand is shown by its fields. */
	tep_parse_event(tep, text, len, format->system);
	format->known = tep_find_event(tep, id);
	return format->known;
}
