// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz.h"
#include "pid/maps.h"

/* The input is a line of /proc/N/maps. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvfs_mapping map;
	int ret = kvfs_maps_parse_line((const char *)data, size, &map);

	fuzz_assert(ret == 0 || ret == -EINVAL);
	if (ret)
		return 0;
	fuzz_assert(map.start < map.end);
	if (map.dev_major || map.dev_minor || map.inode)
		fuzz_assert(map.kind == KVFS_MAPPING_FILE);
	else
		fuzz_assert(map.kind == KVFS_MAPPING_ANON || map.kind == KVFS_MAPPING_SPECIAL);
	return 0;
}
