# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building on this machine, for the suites that need no guest and for showing this
# machine's own memory.
#
# Sourced after common.sh and cache.sh.

# host_need_daemon - install what compiles the module and the daemon, and what
# scripts/tour runs
host_need_daemon() {
	need_packages gcc=gcc /usr/include/stdio.h=libc6-dev make=make meson=meson ninja=ninja-build \
		pkg-config=pkgconf /usr/include/fuse3/fuse_lowlevel.h=libfuse3-dev \
		fusermount3=fuse3 /usr/include/libelf.h=libelf-dev \
		/usr/include/traceevent/event-parse.h=libtraceevent-dev \
		/usr/include/tracefs/tracefs.h=libtracefs-dev /usr/include/liburing.h=liburing-dev \
		/usr/include/libkdumpfile/kdumpfile.h=libkdumpfile-dev \
		/usr/include/zstd.h=libzstd-dev getfattr=attr xxd=xxd
}

# host_need_build - install what compiles the daemon and the tests
host_need_build() {
	host_need_daemon
	need_packages /usr/include/zlib.h=zlib1g-dev /usr/include/lzo/lzo1x.h=liblzo2-dev \
		/usr/include/snappy-c.h=libsnappy-dev /usr/include/check.h=check \
		trace-cmd=trace-cmd strace=strace python3=python3
}

# host_build TOP VARIANT [MESON OPTION...] - build the checkout TOP in a folder of the
# cache that is kept for the next time; sets REPLY to it. Exits with 125 and the end of
# the log if it does not compile.
host_build() {
	local top=$1 variant=$2 dir log lock
	shift 2
	dir=$(cache_dir)/host-$variant-$(printf '%s\n' "$top" "$@" | hash_text)
	log=$dir.log
	mkdir -p "$(cache_dir)"
	lock_exclusive "$dir.lock" lock
	if ! host_compile "$top" "$dir" "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		# The next attempt starts from scratch.
		rm -rf "$dir"
		die 125 "this checkout does not compile; the end of $log is above"
	fi
	touch "$dir"
	# Released now: a daemon that a test leaves running would inherit the lock. Builds of
	# the last hours are not pruned instead.
	unlock "$lock"
	cache_prune "host-$variant" 240
	REPLY=$dir
}

host_compile() {
	local top=$1 dir=$2
	shift 2
	[[ -e $dir/build.ninja ]] || meson setup "$@" "$dir" "$top" || return
	ninja -C "$dir"
}
