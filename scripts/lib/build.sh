# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # `lib` is set by common.sh
#
# A build of this checkout for a guest: daemon, tests and module, compiled at native
# speed in the guest's root folder, and put on a small disk that the guest mounts at
# /opt/kviewfs (src/: the sources and kview.ko; build/: meson's build folder).
#
# The disk is cached by the content of the files that went into it. The folder it is
# compiled in is kept between runs, so that a small change is a small build.
#
# Sourced after common.sh, cache.sh and roots.sh.

# Files that a build does not depend on: a change there makes no new disk.
build_exclude='^(\.ci|\.github)/|^LICENSE$|\.md$'

# source_list TOP - print the files of the checkout TOP that belong to it,
# NUL-separated: those git knows or would add, else all but build folders
source_list() {
	local top=$1 path
	if [[ -e $top/.git ]] && git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$top" ls-files -z --cached --others --exclude-standard
	else
		(cd "$top" && find . -name .git -prune -o -path './build*' -prune -o \
			-type f -printf '%P\0')
	fi | grep -zvE "$build_exclude" | sort -zu | while IFS= read -r -d '' path; do
		[[ ! -f $top/$path ]] || printf '%s\0' "$path"
	done
}

# source_manifest DIR - print a line "SHA256 MODE PATH" for each file in DIR
source_manifest() {
	(
		cd "$1" || exit
		paste -d ' ' <(find . -type f -printf '%P\0' | sort -z | xargs -0r sha256sum | cut -c1-64) \
			<(find . -type f -printf '%P\0' | sort -z | xargs -0r stat -c '%a %n')
	)
}

# build_disk TOP TOOLS ROOT MODULE KERNEL - make sure of a build disk of the checkout TOP
# for the guest's root ROOT (from roots_guest); sets REPLY to the folder with build.img.
# MODULE is 1 if the module must compile; with 0 it may be missing from the disk. It is
# compiled for the kernel in the build tree KERNEL; if that is '', for ROOT's.
build_disk() {
	local top=$1 tools=$2 root=$3 module=$4 kernel=$5 stage key
	build_stage "$top"
	stage=$REPLY
	key=$({
		cat "$stage/manifest"
		echo "${root##*/} $module $kernel"
		[[ -z $kernel ]] || cat "$kernel/.config" "$kernel/Module.symvers"
	} | hash_text)
	cache_entry "build-$key" "building this checkout for the guest" \
		make_build "$stage" "$tools" "$root" "$top" "$module" "$kernel"
	rm -rf "$stage"
}

# build_tree TOP ROOT - compile the checkout TOP in the guest's root ROOT, for programs that
# run there on this machine; sets REPLY to the folder with src/ and build/, to be bound at
# /opt/kviewfs. The folder stays locked until this process ends.
build_tree() {
	local stage work log=${TMPDIR:-/tmp}/kviewfs-build.$$.log
	# shellcheck disable=SC2034 # held until the end
	local lock
	build_stage "$1"
	stage=$REPLY
	work=$(build_work "$2" "$1" '')
	lock_exclusive "$work.lock" lock
	if ! build_update "$stage" "$work" "$log" "$2" 0 ''; then
		tail -n 40 "$log" >&2
		die 125 "this checkout does not compile in the guest's root; the end of $log is above"
	fi
	rm -rf "$log" "$stage"
	REPLY=$work/tree
}

# build_stage TOP - copy the sources of the checkout TOP; sets REPLY to a temporary folder
# with them in src/, and their manifest
build_stage() {
	make_temporary stage
	mkdir "$REPLY/src"
	source_list "$1" | tar -C "$1" --null -T - -c | tar -C "$REPLY/src" -x
	source_manifest "$REPLY/src" >"$REPLY/manifest"
}

# build_work ROOT TOP KERNEL - print the folder in which a checkout is compiled
build_work() {
	printf '%s/work-%s\n' "$(cache_dir)" "$(printf '%s\n' "${1##*/}" "$2" "$3" | hash_text)"
}

make_build() {
	local dir=$1 log=$2 stage=$3 tools=$4 root=$5 work lock
	work=$(build_work "$root" "$6" "$8")
	lock_exclusive "$work.lock" lock
	build_update "$stage" "$work" "$log" "$root" "$7" "$8" || return
	make_ext4 "$tools" "$work/tree" "$dir/build.img" 8 >>"$log" 2>&1 || return
	touch "$work"
	unlock "$lock"
	cache_prune work
}

# build_update STAGE WORK LOG ROOT MODULE KERNEL - bring the sources in WORK up to those in
# STAGE, and compile. A failure is usually a mistake in the sources; if the same sources are
# tried again, the folder itself is suspect and is made from scratch.
build_update() {
	local stage=$1 work=$2 log=$3
	! cmp -s "$stage/manifest" "$work/failed" || rm -rf "$work"
	mkdir -p "$work/tree/src"
	build_sync "$stage" "$work"
	if ! build_compile "$work/tree" "$4" "$5" "$6" >"$log" 2>&1; then
		cp "$stage/manifest" "$work/failed"
		return 1
	fi
	rm -f "$work/failed"
}

# build_sync STAGE WORK - make the sources in WORK those in STAGE, touching only files
# that differ: meson and make go by time stamps, and a checkout can turn them back
build_sync() {
	local stage=$1 work=$2 path
	touch "$work/manifest"
	while IFS= read -r path; do
		rm -f "$work/tree/src/$path"
	done < <(comm -13 <(sort "$stage/manifest") <(sort "$work/manifest") | cut -d' ' -f3-)
	while IFS= read -r path; do
		mkdir -p "$work/tree/src/$(dirname "$path")"
		cp --preserve=mode "$stage/src/$path" "$work/tree/src/$path"
	done < <(comm -23 <(sort "$stage/manifest") <(sort "$work/manifest") | cut -d' ' -f3-)
	cp "$stage/manifest" "$work/manifest"
}

# build_compile TREE ROOT MODULE KERNEL - compile TREE/src into TREE/build, inside ROOT
build_compile() {
	local tree=$1 root=$2 module=$3 kernel=$4 binds kdir
	binds=(--bind "$tree:/opt/kviewfs")
	kdir=/lib/modules/$(cat "$root/kernel")/build
	if [[ -n $kernel ]]; then
		kdir=/mnt/kernel
		binds+=(--bind-ro "$kernel:$kdir")
	fi
	"$lib/enter-root" "$root/root" "${binds[@]}" -- \
		/opt/kviewfs/src/scripts/lib/build-in-root "$kdir" "$module"
}
