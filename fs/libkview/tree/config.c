// SPDX-License-Identifier: GPL-2.0-only
#include "tree/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "kview.h"

/* Bytes of decompressed pages. */
#define DEFAULT_CACHE (16 << 20)

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void kvfs_config_init(struct kvfs_config *config)
{
	*config = (struct kvfs_config) {
		.device = KVIEW_DEVICE,
		.kallsyms = "/proc/kallsyms",
		.cache_len = DEFAULT_CACHE,
		.tmpdir = "/var/tmp",
		.threads = 1,
	};
}

void kvfs_config_deinit(struct kvfs_config *config)
{
	for (unsigned int i = 0; i < config->nr_owned; i++)
		free(config->owned[i]);
	config->nr_owned = 0;
}

static bool set_flag(struct kvfs_config *config, const char *word)
{
	if (strcmp(word, "nouring") == 0)
		config->nouring = true;
	else if (strcmp(word, "mount_tracefs") == 0)
		config->mount_tracefs = true;
	else if (strcmp(word, "nomodule") == 0)
		config->module = KVFS_MODULE_NO;
	else
		return false;
	return true;
}

static int set_module(struct kvfs_config *config, const char *value, struct kvfs_err *err)
{
	if (strcmp(value, "auto") == 0)
		config->module = KVFS_MODULE_AUTO;
	else if (strcmp(value, "require") == 0)
		config->module = KVFS_MODULE_REQUIRE;
	else if (strcmp(value, "no") == 0)
		config->module = KVFS_MODULE_NO;
	else
		return kvfs_err_set(err, EINVAL, "module=%s: must be auto, require or no", value);
	return 0;
}

static int set_path(struct kvfs_config *config, const char **dst, const char *key, const char *value,
		    struct kvfs_err *err)
{
	char *path;

	if (!*value)
		return kvfs_err_set(err, EINVAL, "%s= needs the name of a file", key);
	if (config->nr_owned == COUNT(config->owned))
		return kvfs_err_set(err, EINVAL, "%s= is given too often", key);
	path = realpath(value, NULL);
	/* If there is no such file, opening it will fail and name it as it was given. */
	if (!path && errno != ENOMEM)
		path = strdup(value);
	if (!path)
		return kvfs_err_sys(err, ENOMEM, "%s=%s", key, value);
	config->owned[config->nr_owned++] = path;
	*dst = path;
	return 0;
}

static int add_vmcore(struct kvfs_config *config, const char *value, struct kvfs_err *err)
{
	int ret;

	if (config->nr_vmcore == KVFS_CONFIG_MAX_VMCORE)
		return kvfs_err_set(err, EINVAL, "vmcore= is given more than %d times", KVFS_CONFIG_MAX_VMCORE);
	ret = set_path(config, &config->vmcore[config->nr_vmcore], "vmcore", value, err);
	if (ret == 0)
		config->nr_vmcore++;
	return ret;
}

/* A number of bytes, or of KiB, MiB or GiB with K, M or G after it. */
static int set_cache(struct kvfs_config *config, const char *value, struct kvfs_err *err)
{
	static const char units[] = "KMG";
	const char *p = value, *unit;
	unsigned int shift = 0;
	uint64_t n;
	int ret = kvfs_number_take(&p, value + strlen(value), 10, SIZE_MAX >> 1, &n);

	unit = ret == 0 && *p ? strchr(units, *p) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		p++;
	}
	if (ret < 0 || *p || n > (SIZE_MAX >> 1) >> shift || n << shift < KVFS_CONFIG_MIN_CACHE)
		return kvfs_err_set(err, EINVAL, "cache=%s: must be a size of at least 2M", value);
	config->cache_len = (size_t)n << shift;
	return 0;
}

static int set_kcore(struct kvfs_config *config, const char *value, struct kvfs_err *err)
{
	return set_path(config, &config->kcore, "kcore", value, err);
}

static int set_kallsyms(struct kvfs_config *config, const char *value, struct kvfs_err *err)
{
	return set_path(config, &config->kallsyms, "kallsyms", value, err);
}

static int set_device(struct kvfs_config *config, const char *value, struct kvfs_err *err)
{
	return set_path(config, &config->device, "device", value, err);
}

static int set_tracefs(struct kvfs_config *config, const char *value, struct kvfs_err *err)
{
	return set_path(config, &config->tracefs, "tracefs", value, err);
}

static const struct {
	const char *key;
	const char *value;	/* what it is, for the message that it is missing */
	int (*set)(struct kvfs_config *config, const char *value, struct kvfs_err *err);
} with_value[] = {
	{ "cache", "SIZE", set_cache },
	{ "device", "FILE", set_device },
	{ "kallsyms", "FILE", set_kallsyms },
	{ "kcore", "FILE", set_kcore },
	{ "module", "auto|require|no", set_module },
	{ "tracefs", "DIR", set_tracefs },
	{ "vmcore", "FILE", add_vmcore },
};

int kvfs_config_set(struct kvfs_config *config, const char *word, struct kvfs_err *err)
{
	size_t len = strcspn(word, "=");

	if (set_flag(config, word))
		return 1;
	for (size_t i = 0; len > 0 && i < COUNT(with_value); i++) {
		int ret;

		if (strncmp(word, with_value[i].key, len) != 0 || with_value[i].key[len])
			continue;
		if (!word[len])
			return kvfs_err_set(err, EINVAL, "option %s needs a value: %s=%s", word, word, with_value[i].value);
		ret = with_value[i].set(config, word + len + 1, err);
		return ret < 0 ? ret : 1;
	}
	return 0;
}

int kvfs_config_each_word(const char *list, int (*fn)(void *arg, const char *word, struct kvfs_err *err),
			  void *arg, struct kvfs_err *err)
{
	_cleanup_free_ char *word = malloc(strlen(list) + 1);
	size_t len = 0;

	if (!word)
		return kvfs_err_sys(err, ENOMEM, "-o %s", list);
	for (const char *p = list;; p++) {
		if (*p == ',' || !*p) {
			int ret;

			word[len] = '\0';
			ret = fn(arg, word, err);
			if (ret < 0 || !*p)
				return ret;
			len = 0;
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		word[len++] = *p;
	}
}
