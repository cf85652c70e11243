# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The cache: folders under cache_dir (${XDG_CACHE_HOME:-$HOME/.cache}/kviewfs) that are named
# KIND-KEY after what went into them, appear complete or not at all, and are pruned oldest
# first, but for the newest three of a kind and those in use. Each has a lock file beside it:
# exclusive while it is made or pruned, shared while it is used, so runs may be concurrent.
#
#   name                    made of                                     takes       size
#   tools-KEY, libvirt-KEY  package list, recipe                        30 s        0.3 GB
#   root-RELEASE-KEY        release, package list, recipe, initrd       1-2 minutes 1.3 GB, with
#                                                                       debug symbols 2 GB
#   build-KEY               content and modes of the sources, the root  seconds     20 MB
#   work-KEY                where a checkout is compiled for a root: kept, so that a small
#                           change is a small build                                 50 MB
#   host-VARIANT-KEY        the build on this machine                               50 MB
#
# Sourced after common.sh.

# How many entries of one kind are kept. A kind is the name up to the last '-'.
cache_keep=3

# cache_entry NAME MESSAGE FUNCTION [ARG...] - make sure of the entry NAME and mark it
# as in use until this process ends; sets REPLY to its folder. If it has to be made, says
# MESSAGE and calls `FUNCTION DIR LOG ARG...`, which fills the new folder DIR, writes its
# progress to LOG and returns non-zero on failure; the end of LOG is then shown and the
# process exits with 125.
cache_entry() {
	local name=$1 message=$2 function=$3 cache entry lock new
	shift 3
	cache=$(cache_dir)
	mkdir -p "$cache"
	entry=$cache/$name
	lock_shared "$entry.lock" lock
	if [[ ! -d $entry ]]; then
		unlock "$lock"
		lock_exclusive "$entry.lock" lock
		if [[ ! -d $entry ]]; then
			say "$message"
			new=$cache/new-$name
			rm -rf "$new"
			mkdir -p "$new"
			if ! "$function" "$new" "$new.log" "$@"; then
				tail -n 40 "$new.log" >&2
				rm -rf "$new"
				die 125 "failed: $message; the end of $new.log is above"
			fi
			rm -f "$new.log"
			mv "$new" "$entry"
		fi
		flock -s "$lock"
	fi
	touch "$entry"
	cache_prune "${name%-*}"
	REPLY=$entry
}

# cache_prune KIND [MINUTES] - remove the unused entries of KIND but for the newest and
# those marked within the last MINUTES (0), and what a killed run left half made, with its
# log
cache_prune() {
	local kind=$1 minutes=${2:-0} cache path count=0
	cache=$(cache_dir)
	for path in "$cache/new-$kind"-*[0-9a-f]; do
		[[ ! -d $path ]] || cache_remove "$path" "$cache/${path##*/new-}.lock"
	done
	find "$cache" -maxdepth 1 -name "new-$kind-*.log" -mmin +1440 -delete
	while IFS= read -r path; do
		if ((++count > cache_keep)) && [[ -z $(find "$path" -maxdepth 0 -mmin "-$minutes") ]]; then
			cache_remove "$path" "$path.lock"
		fi
	done < <(find "$cache" -maxdepth 1 -type d -regex ".*/$kind-[0-9a-f]*" -printf '%T@ %p\n' |
		sort -rn | cut -d' ' -f2-)
}

# cache_remove FOLDER LOCK - remove FOLDER unless LOCK is held
cache_remove() {
	local fd
	exec {fd}>>"$2"
	! flock -n "$fd" || rm -rf "$1"
	exec {fd}>&-
}
