// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/status.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kernel/features.h"

/* Bytes of a path below the root, the NUL included. A longer one is cut: it is for people. */
#define PATH_LEN 256

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct walk {
	void (*file)(struct walk *walk, const char *path, struct kvfs_node *node);
	void (*dir)(struct walk *walk, const char *path, struct kvfs_node *node);	/* or NULL */
	void (*missing)(struct walk *walk, const char *path, const char *reason);	/* or NULL */
	const struct kvfs_status *status;
	FILE *out;
	bool ram_is_direct;		/* kcore/ram is, of those that were visited */
	/* For summaries: what was found so far. */
	struct kvfs_err first_copy;
	char modes[64];
	char source[128];
};

static void join(char *out, const char *dir, const char *name)
{
	if (snprintf(out, PATH_LEN, "%s%s%s", dir, *dir ? "/" : "", name) >= PATH_LEN)
		memcpy(out + PATH_LEN - 4, "...", 4);
}

/* Fills in the entry after the one in *entry, on a reader if the directory has one. */
static int list(struct kvfs_node *dir, void *reader, struct kvfs_dirent *entry)
{
	const struct kvfs_dir_ops *ops = dir->ops->dir;

	return reader ? ops->list_on(dir, reader, entry->next, entry) : ops->list(dir, entry->next, entry);
}

/* Visits all that is below dir, whose path is given; "" is that of the root. */
static void walk_dir(struct walk *walk, const char *path, struct kvfs_node *dir)
{
	const struct kvfs_dir_ops *ops = dir->ops->dir;
	struct kvfs_dirent entry = { .next = 0 };
	const char *name, *reason;
	char child_path[PATH_LEN];
	void *reader = NULL;

	if (ops->open && !ops->huge && ops->open(dir, &reader) < 0)
		return;
	for (size_t nr = 0; !ops->huge && (!ops->walk_max || nr < ops->walk_max) &&
	     list(dir, reader, &entry) > 0; nr++) {
		struct kvfs_node *child;

		if (ops->lookup(dir, entry.name, &child) < 0)
			continue;
		join(child_path, path, entry.name);
		if (child->ops->kind == KVFS_NODE_FILE) {
			walk->file(walk, child_path, child);
		} else if (child->ops->kind == KVFS_NODE_DIR) {
			if (walk->dir)
				walk->dir(walk, child_path, child);
			walk_dir(walk, child_path, child);
		}
		kvfs_node_put(child);
	}
	if (reader)
		ops->release(dir, reader);
	for (size_t i = 0; walk->missing && ops->missing && ops->missing(dir, i, &name, &reason); i++) {
		join(child_path, path, name);
		walk->missing(walk, child_path, reason);
	}
}

/* The text of status. */

static void write_file(struct walk *walk, const char *path, struct kvfs_node *file)
{
	struct kvfs_err reason;
	struct kvfs_attr attr;
	struct kvfs_desc desc;
	enum kvfs_mode mode;
	unsigned int opens;

	/* A text, such as this one. */
	if (!file->ops->file->can_back)
		return;
	kvfs_backing_plan(walk->status->backing, file, &mode, &reason, &opens);
	kvfs_node_describe(file, mode, &desc);
	if (mode == KVFS_MODE_DIRECT && strcmp(path, "kcore/ram") == 0)
		walk->ram_is_direct = true;
	fprintf(walk->out, "%s.mode: %s\n", path, kvfs_mode_name(mode));
	if (reason.errnum)
		fprintf(walk->out, "%s.reason: %s\n", path, reason.msg);
	if (desc.source[0])
		fprintf(walk->out, "%s.source: %s\n", path, desc.source);
	if (kvfs_node_getattr(file, &attr) == 0) {
		fprintf(walk->out, "%s.size: %" PRIu64 "\n", path, attr.size);
		fprintf(walk->out, "%s.data: %" PRIu64 "\n", path, attr.data_len);
	}
	fprintf(walk->out, "%s.opens: %u\n", path, opens);
}

static void write_dir(struct walk *walk, const char *path, struct kvfs_node *dir)
{
	struct kvfs_desc desc;

	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	if (desc.copied) {
		fprintf(walk->out, "%s.mode: %s\n", path, kvfs_mode_name(KVFS_MODE_COPY));
		fprintf(walk->out, "%s.reason: %s\n", path, desc.copied);
	}
	if (desc.source[0])
		fprintf(walk->out, "%s.source: %s\n", path, desc.source);
	if (desc.incomplete)
		fprintf(walk->out, "%s.incomplete: %s\n", path, desc.incomplete);
	if (desc.has_damaged)
		fprintf(walk->out, "%s.damaged_pages: %" PRIu64 "\n", path, desc.damaged);
}

static void write_missing(struct walk *walk, const char *path, const char *reason)
{
	fprintf(walk->out, "%s.missing: %s\n", path, reason);
}

static void write_yes_no(FILE *out, const char *key, bool yes, const char *reason)
{
	fprintf(out, "%s: %s\n", key, yes ? "yes" : "no");
	if (!yes)
		fprintf(out, "%s.reason: %s\n", key, reason);
}

static void write_module_features(uint64_t bits, FILE *out)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} features[] = {
		{ KVIEW_FEATURE_RAM, "ram" },
		{ KVIEW_FEATURE_BLOB, "blob" },
		{ KVIEW_FEATURE_FILE, "file" },
		{ KVIEW_FEATURE_HUGE_PMD, "huge_pmd" },
	};

	fprintf(out, "module.features:");
	for (size_t i = 0; i < COUNT(features); i++) {
		if (bits & features[i].bit)
			fprintf(out, " %s", features[i].name);
	}
	fprintf(out, bits ? "\n" : " none\n");
}

static void write_module_numbers(const struct kview_info *info, FILE *out)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "revalidate_ms", info->revalidate_ms },
		{ "backstop.late_ms", info->late_ms },
		{ "mapped_blocks", info->mapped_blocks },
		{ "revoked.direct_map", info->revoked[0] },
		{ "revoked.poison", info->revoked[1] },
		{ "revoked.balloon", info->revoked[2] },
		{ "revoked.memory_type", info->revoked[3] },
		{ "revoked.offline", info->revoked[4] },
		{ "revoked.backstop", info->revoked[5] },
		{ "revoked.conflict", info->revoked[6] },
		{ "worst_us", info->worst_us },
		{ "worker_ms", info->worker_ns / 1000000 },
	};

	for (size_t i = 0; i < COUNT(numbers); i++)
		fprintf(out, "module.%s: %" PRIu64 "\n", numbers[i].key, numbers[i].value);
}

/* For each class of changes, what unmaps a page that must be hidden: an event, or a time. */
static void write_revocation(const struct kview_info *info, FILE *out)
{
	static const struct {
		uint32_t bit;
		const char *name;
		bool direct_map;
	} classes[] = {
		{ KVIEW_EVENT_DIRECT_MAP, "secretmem", true },
		{ KVIEW_EVENT_POISON, "poison", false },
		{ KVIEW_EVENT_BALLOON, "balloon", false },
		{ KVIEW_EVENT_MEMTYPE, "memory type", true },
	};

	fprintf(out, "module.revocation: ");
	for (size_t i = 0; i < COUNT(classes); i++) {
		if (info->events & classes[i].bit)
			fprintf(out, "%s event, ", classes[i].name);
		else
			fprintf(out, "%s within %u ms, ", classes[i].name,
				classes[i].direct_map ? info->direct_ms : info->revalidate_ms);
	}
	fprintf(out, "offline notifier; backstop %u ms\n", info->revalidate_ms);
}

static void write_module(const struct kvfs_status *status, FILE *out)
{
	struct kview_info info;

	write_yes_no(out, "module", status->kmod->fd >= 0, status->kmod_reason);
	if (status->kmod->fd < 0)
		return;
	if (kvfs_kmod_ask(status->kmod, &info, NULL) < 0)
		info = status->kmod->info;
	fprintf(out, "module.abi: %u\n", info.abi_version);
	write_module_features(info.features, out);
	write_module_numbers(&info, out);
	write_revocation(&info, out);
}

void kvfs_status_write(const struct kvfs_status *status, FILE *out)
{
	struct walk walk = {
		.file = write_file,
		.dir = write_dir,
		.missing = write_missing,
		.status = status,
		.out = out,
	};
	struct kvfs_features features;
	const char *reason;
	bool passthrough = kvfs_backing_passthrough(status->backing, &reason);

	/* Read each time: lockdown can be raised at run time. */
	kvfs_features_load(&features);
	fprintf(out, "version: %s\n", KVFS_VERSION);
	fprintf(out, "kernel: %s %s\n", features.kernel_release, features.machine);
	fprintf(out, "lockdown: %s\n", features.lockdown);
	fprintf(out, "libfuse: %s\n", kvfs_backing_libfuse_version());
	write_module(status, out);
	write_yes_no(out, "passthrough", passthrough, reason);
	write_yes_no(out, "shared_mmap_of_copies", kvfs_backing_shared_mmap(status->backing),
		     "needs Linux 6.6 and libfuse 3.17");
	write_yes_no(out, "io_uring", features.io_uring, features.io_uring_reason);
	walk_dir(&walk, "", status->root);
	write_yes_no(out, "kview_exec", walk.ram_is_direct, "kcore/ram is not served in mode direct");
}

/* The line at start, and module=require. */

static void note_file(struct walk *walk, const char *path, struct kvfs_node *file)
{
	struct kvfs_err reason;
	struct kvfs_desc desc;
	enum kvfs_mode mode;
	const char *name;

	if (!file->ops->file->can_back)
		return;
	kvfs_backing_plan(walk->status->backing, file, &mode, &reason, NULL);
	kvfs_node_describe(file, mode, &desc);
	name = kvfs_mode_name(mode);
	if (!strstr(walk->modes, name))
		snprintf(walk->modes + strlen(walk->modes), sizeof(walk->modes) - strlen(walk->modes),
			 "%s%s", walk->modes[0] ? " and " : "", name);
	if (!walk->source[0])
		snprintf(walk->source, sizeof(walk->source), "%s", desc.source);
	if (mode == KVFS_MODE_COPY && !walk->first_copy.errnum)
		walk->first_copy = reason;
}

static void note_missing(struct walk *walk, const char *path, const char *reason)
{
	fprintf(walk->out, "; no %s: %s", path, reason);
}

static void summarise_dir(const struct kvfs_status *status, const char *name, struct kvfs_node *dir,
			  FILE *out)
{
	struct walk walk = { .file = note_file, .status = status, .out = out };
	struct kvfs_desc desc;

	kvfs_node_describe(dir, KVFS_MODE_COPY, &desc);
	if (desc.copied) {
		fprintf(out, "%s %s (%s)", name, kvfs_mode_name(KVFS_MODE_COPY), desc.source);
		return;
	}
	/* The source of the directory, or else of its first file. */
	snprintf(walk.source, sizeof(walk.source), "%s", desc.source);
	walk_dir(&walk, name, dir);
	fprintf(out, "%s %s (%s)", name, walk.modes, walk.source);
	if (walk.first_copy.errnum)
		fprintf(out, ": %s", walk.first_copy.msg);
	if (desc.incomplete)
		fprintf(out, ": %s", desc.incomplete);
}

static void skip_file(struct walk *walk, const char *path, struct kvfs_node *file)
{
}

void kvfs_status_summarise(const struct kvfs_status *status, FILE *out)
{
	const struct kvfs_dir_ops *ops = status->root->ops->dir;
	struct walk missing = { .file = skip_file, .missing = note_missing, .status = status, .out = out };
	struct kvfs_dirent entry = { .next = 0 };
	bool any = false;

	while (ops->list(status->root, entry.next, &entry) > 0) {
		struct kvfs_node *child;

		if (entry.kind != KVFS_NODE_DIR || ops->lookup(status->root, entry.name, &child) < 0)
			continue;
		fputs(any ? ", " : "", out);
		summarise_dir(status, entry.name, child, out);
		kvfs_node_put(child);
		any = true;
	}
	if (!any)
		fputs("no memory to show", out);
	walk_dir(&missing, "", status->root);
}

static void require_file(struct walk *walk, const char *path, struct kvfs_node *file)
{
	const struct kvfs_file_ops *ops = file->ops->file;
	struct kvfs_err reason;
	enum kvfs_mode mode;

	/* Trace rings are backed by files of tracefs, not by the module. */
	if (!ops->can_back || ops->blocking || walk->first_copy.errnum)
		return;
	/* Bytes that are not whole pages: the module cannot map them. */
	if (ops->can_back(file, &mode, &reason) == -EINVAL)
		return;
	kvfs_backing_plan(walk->status->backing, file, &mode, &reason, NULL);
	if (mode == KVFS_MODE_COPY)
		kvfs_err_set(&walk->first_copy, reason.errnum, "%s would be a copy: %s", path, reason.msg);
}

static void require_missing(struct walk *walk, const char *path, const char *reason)
{
	/* With the module only kcore/ itself would not be missing. */
	if (strcmp(path, "kcore") == 0 && !walk->first_copy.errnum)
		kvfs_err_set(&walk->first_copy, ENODEV, "no %s: %s", path, reason);
}

int kvfs_status_require_backing(const struct kvfs_status *status, struct kvfs_err *err)
{
	struct walk walk = { .file = require_file, .missing = require_missing, .status = status };

	walk_dir(&walk, "", status->root);
	if (!walk.first_copy.errnum)
		return 0;
	*err = walk.first_copy;
	return -err->errnum;
}

static void rehearse_file(struct walk *walk, const char *path, struct kvfs_node *file)
{
	if (file->ops->file->can_back && !file->ops->file->open_disturbs)
		kvfs_backing_rehearse(walk->status->backing, file);
}

void kvfs_status_rehearse(const struct kvfs_status *status)
{
	struct walk walk = { .file = rehearse_file, .status = status };

	walk_dir(&walk, "", status->root);
}
