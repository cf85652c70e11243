// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a fuzz target without libFuzzer: on the files that are named, on those in folders
 * that are named, and with --mutate also on simple variations of each: every beginning of
 * it, and every byte of it made wrong in turn. For other compilers, and to look at a crash.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fuzz.h"

#define MAX_LEN (1 << 20)

static bool mutate;
static unsigned long runs;

static void run(const uint8_t *data, size_t size)
{
	/* A block of its own, so that a read beyond its end is seen. */
	uint8_t *copy = malloc(size ? size : 1);

	fuzz_assert(copy);
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	runs++;
}

static void run_variations(uint8_t *data, size_t size)
{
	static const uint8_t wrong[] = { 0x00, 0x0a, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < size; i++) {
		uint8_t right = data[i];

		run(data, i);
		for (size_t j = 0; j < sizeof(wrong); j++) {
			data[i] = wrong[j];
			run(data, size);
		}
		data[i] = right;
	}
}

static bool run_file(const char *path)
{
	static uint8_t data[MAX_LEN];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	run(data, size);
	if (mutate)
		run_variations(data, size);
	return true;
}

static bool run_path(const char *path)
{
	struct stat st;
	struct dirent *entry;
	bool good = true;
	DIR *dir;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	if (!dir) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	while ((entry = readdir(dir))) {
		char file[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		good &= run_file(file);
	}
	closedir(dir);
	return good;
}

int main(int argc, char **argv)
{
	bool good = true;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--mutate"))
			mutate = true;
		else
			good &= run_path(argv[i]);
	}
	printf("%lu runs\n", runs);
	return good && runs ? 0 : 1;
}
